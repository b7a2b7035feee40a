/** What the public record holds of an account, in the form that screens and command line see. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { conversationNumber, personNumber } from '../../protocol/conversation/safety-number.ts'
import { createDirectRoster } from '../../protocol/roster/roster.ts'
import { historyOf, type RecordMark } from '../../protocol/directory/account.ts'
import type { AccountId, RecordId } from '../../protocol/identity/device.ts'
import { FINAL_CONFIRMATIONS, SETTLED_CONFIRMATIONS } from '../../protocol/limits.ts'
import { PeerError } from '../errors.ts'
import type { DeviceRecord, PublicRecord, RecordApi, RecordPlace, SafetyNumber } from '../peer-api.ts'
import type { EngineContext } from '../engine-context.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import { accountIdFromHex, rosterMemberOf, type KnownAccount } from '../directory/known-account.ts'
import type { OwnAccount } from '../store/own-account.ts'
import type { PersonViews } from './person-views.ts'

/** Nodes named for an independent check. */
const MAX_SOURCES = 2

export class PublicRecords implements RecordApi {
  readonly #context: EngineContext
  readonly #directory: DirectoryClient
  readonly #people: PersonViews
  readonly #own: () => OwnAccount

  constructor(context: EngineContext, directory: DirectoryClient, people: PersonViews, own: () => OwnAccount) {
    this.#context = context
    this.#directory = directory
    this.#people = people
    this.#own = own
  }

  /** @throws PeerError `no-account`, `offline`, `bad-answer`. */
  async of(accountHex: string): Promise<PublicRecord> {
    const accountId = accountIdFromHex(accountHex)
    const known = await this.#require(accountId)
    const { account, tip } = known.checked
    const standing = this.#directory.standingOf(known)
    const placeOf = this.#placesOf(known)
    return {
      person: this.#people.person(accountId),
      devices: this.#devices(known),
      entries: historyOf(account).map(entry => ({
        kind: entry.kind,
        recordId: toHex(entry.recordId),
        ...placeOf(entry)
      })),
      operators: standing.trust === 'L2' ? 2 : 1,
      tipHeight: tip.height,
      sources: this.#sources()
    }
  }

  /** The devices of the own account. @throws PeerError `no-account`, `offline`, `bad-answer`. */
  async ownDevices(): Promise<DeviceRecord[]> {
    return this.#devices(await this.#require(this.#context.accountId()))
  }

  async #require(accountId: AccountId): Promise<KnownAccount> {
    const known = (await this.#directory.load(accountId)) ?? (await this.#directory.account(accountId))
    if (!known) throw new PeerError('no-account')
    return known
  }

  #devices(known: KnownAccount): DeviceRecord[] {
    const self = this.#context.device().deviceId
    const placeOf = this.#placesOf(known)
    return known.current.devices.map(({ deviceId, keys, messagingKeyHash, added, addedBy, revocation }) => {
      const isThis = equalBytes(deviceId, self)
      return {
        deviceId: toHex(deviceId),
        name: isThis ? this.#own().deviceName : null,
        isThis,
        signingKey: toHex(keys.signingKey),
        messagingKeyHash: toHex(messagingKeyHash),
        added: placeOf(added),
        addedBy: addedBy && toHex(addedBy),
        lastSeen: null,
        removed: revocation && placeOf(revocation)
      }
    })
  }

  /** One node of each of two operators. */
  #sources(): string[] {
    const byOperator = new Map(
      this.#context
        .network()
        .epoch.nodes.map(({ operator, url }) => [toHex(operator), url] as const)
        .toReversed()
    )
    return [...byOperator.values()].toReversed().slice(0, MAX_SOURCES)
  }

  /** @throws PeerError `nobody-to-compare` for the own account, `no-account`, `offline`, `bad-answer`. */
  async safetyNumber(accountId: AccountId): Promise<SafetyNumber> {
    const { crypto, accountId: self, network } = this.#context
    if (equalBytes(accountId, self())) throw new PeerError('nobody-to-compare')
    const members = await Promise.all([self(), accountId].map(id => this.#require(id)))
    const { id } = network()
    return {
      conversation: conversationNumber(crypto, id, createDirectRoster(crypto, id, members.map(rosterMemberOf))),
      theirs: personNumber(crypto, id, accountId),
      mine: personNumber(crypto, id, self())
    }
  }

  /** Where the records of an account stand, as far as it counts. */
  #placesOf(known: KnownAccount): (mark: RecordMark) => RecordPlace {
    const { checked } = known
    const places = new Map(checked.places.map(place => [toHex(place.recordId), place]))
    return ({ recordId }: { recordId: RecordId }) => {
      const place = places.get(toHex(recordId))
      const confirmations = place ? this.#directory.confirmationsOf(known, place) : 0
      return {
        state: stateOf(confirmations),
        confirmations,
        at: place?.order ? place.blockTime : null,
        transactionId: place?.transactionId ? toHex(place.transactionId) : null,
        blockHeight: place?.order?.blockHeight ?? null
      }
    }
  }
}

function stateOf(confirmations: number): RecordPlace['state'] {
  if (confirmations === 0) return 'pending'
  if (confirmations >= FINAL_CONFIRMATIONS) return 'final'
  return confirmations >= SETTLED_CONFIRMATIONS ? 'settled' : 'recorded'
}
