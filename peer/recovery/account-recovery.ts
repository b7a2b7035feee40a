/**
 * Regains an account on a device that has none, with its recovery code.
 *
 *     code, username ──▶ nodes asked over HTTP ──▶ the account whose record shows the code's key ──▶ RECOVER handed in
 *                                                                                                       │
 *     the device is the account's only one ◀── stored as registered ◀────────────────────────────────────┘
 *
 * Nothing is stored before a node has taken the record. A process that ends in between does it again: a record of this very
 * device is found, and the account is taken as it is.
 */
import { deviceNameOf, UNNAMED_DEVICE } from '../../protocol/identity/device-name.ts'
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import {
  deviceOf,
  historyOf,
  isLive,
  nameTagsOf,
  recoveryAt,
  type AccountState
} from '../../protocol/directory/account.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { buildRecover } from '../../protocol/identity/build-record.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { displayNameOrEmpty } from '../../protocol/identity/display-name.ts'
import { NAME_SALT_BYTES } from '../../protocol/identity/name-commitment.ts'
import { encodeRecord } from '../../protocol/identity/record.ts'
import { nameTagOf, type Username } from '../../protocol/identity/username.ts'
import type { SigningKey } from '../../protocol/crypto/crypto.ts'
import { proofOverHttp } from '../directory/account-source.ts'
import { checkAnswer } from '../directory/known-account.ts'
import { usernameOrNothing } from '../directory/names.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { NetworkInfo } from '../network/network-info.ts'
import { askNode, jsonOf } from '../network/node-http.ts'
import type { HttpClient } from '../ports.ts'
import { ownAccountChange, type OwnAccount } from '../store/own-account.ts'
import { recoveryKeyFrom } from './recovery-calls.ts'

const HTTP_TIMEOUT_MS = 10_000
/** Nodes that are asked, the entry node first: one alone can withhold the record that the code needs. */
const MAX_NODES = 4

export interface AccountRecoveryComponents {
  context: EngineContext
  fetch: HttpClient
  /** The network, asked for first if it is not known. @throws PeerError `offline`. */
  network: () => Promise<NetworkInfo>
  /** Makes this device's keys, unless it has them. */
  makeDevice: () => Promise<void>
}

/** What a person typed. */
export interface RecoveryInput {
  username: string
  code: string
  deviceName: string
}

/** What a node knows of the account of a name. */
interface Found {
  origin: string
  account: AccountState
}

export class AccountRecovery {
  readonly #components: AccountRecoveryComponents

  constructor(components: AccountRecoveryComponents) {
    this.#components = components
  }

  /** @returns the account, stored as registered. @throws PeerError as `RecoveryApi.use`. */
  async regain({ username: typed, code, deviceName }: RecoveryInput): Promise<OwnAccount> {
    const { context, network, makeDevice } = this.#components
    const username = usernameOrNothing(typed)
    if (!username) throw new PeerError('invalid-name')
    const info = await network()
    const key = await recoveryKeyFrom(context, code)
    await makeDevice()
    const tag = await nameTagOf(context.crypto, info.id, info.genesis, username)
    const origins = originsOf(info)
    const found = await this.#find(origins, tag, info)
    const held = found.find(({ account }) => this.#isOwn(account))
    const account = held?.account ?? this.#withKey(found, key).account
    if (!held) await this.#handIn(origins, await this.#sign(account, key))
    return this.#keep(account.accountId, { username, tag, deviceName })
  }

  /** Whose a username is, by the longest record that a node gives. @throws PeerError `invalid-name`, `no-account`, `offline`. */
  async holderOf(typed: string): Promise<{ accountId: AccountId; username: Username; tag: Uint8Array }> {
    const username = usernameOrNothing(typed)
    if (!username) throw new PeerError('invalid-name')
    const { context, network } = this.#components
    const info = await network()
    const tag = await nameTagOf(context.crypto, info.id, info.genesis, username)
    const found = await this.#find(originsOf(info), tag, info)
    const { account } = found.sort((a, b) => b.account.recordCount - a.account.recordCount)[0]!
    return { accountId: account.accountId, username, tag }
  }

  /** What each node says about the holder of a name. @throws PeerError `offline` if none answers, `no-account`. */
  async #find(origins: string[], tag: Uint8Array, info: NetworkInfo): Promise<Found[]> {
    const answers = await Promise.allSettled(origins.map(origin => this.#ask(origin, tag, info)))
    const told = answers.filter(answer => answer.status === 'fulfilled')
    if (told.length === 0) throw (answers[0] as PromiseRejectedResult).reason
    const found = told.flatMap(({ value }) => value ?? [])
    if (found.length === 0) throw new PeerError('no-account')
    return found
  }

  async #ask(origin: string, tag: Uint8Array, info: NetworkInfo): Promise<Found | undefined> {
    const { context, fetch } = this.#components
    const answer = await askNode(fetch, origin, `/v1/names/${toHex(tag)}`, { timeoutMs: HTTP_TIMEOUT_MS })
    const { matches } = (jsonOf(answer) ?? {}) as { matches?: { tag?: unknown; accountId?: unknown }[] }
    if (!answer.ok || !Array.isArray(matches)) throw new PeerError('not-a-node', { origin })
    const holder = matches.find(match => match.tag === toHex(tag))?.accountId
    if (typeof holder !== 'string' || !/^[0-9a-f]{64}$/.test(holder)) return undefined
    const accountId = fromHex(holder, 32) as AccountId
    const proof = await proofOverHttp(fetch, origin, accountId)
    if (!proof) return undefined
    try {
      const { account } = await checkAnswer(context.crypto, info, accountId, proof, context.timers.now())
      return nameTagsOf(account).some(claimed => equalBytes(claimed, tag)) ? { origin, account } : undefined
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      throw new PeerError('bad-answer', {}, { cause: error })
    }
  }

  #isOwn(account: AccountState): boolean {
    const device = deviceOf(account, this.#components.context.device().deviceId)
    return device !== undefined && isLive(device)
  }

  /** The longest record that the code's key can change. @throws PeerError `no-recovery` with the reason. */
  #withKey(found: Found[], key: SigningKey): Found {
    const now = this.#components.context.timers.now()
    const isHeldBy = (held: Uint8Array | null | undefined): boolean =>
      held !== null && held !== undefined && equalBytes(held, key.publicKey)
    const usable = found
      .filter(({ account }) => isHeldBy(recoveryAt(account, now).recoveryKey))
      .sort((a, b) => b.account.recordCount - a.account.recordCount)[0]
    if (usable) return usable
    const isWaiting = found.some(({ account }) => isHeldBy(recoveryAt(account, now).waitingRecovery?.key))
    const hasNone = found.every(({ account }) => recoveryAt(account, now).recoveryKey === null)
    throw new PeerError('no-recovery', { reason: isWaiting ? 'not-yet' : hasNone ? 'no-code' : 'other-code' })
  }

  async #sign(account: AccountState, key: SigningKey): Promise<Uint8Array> {
    const { context } = this.#components
    const { signingKey, publicKeys } = context.device()
    // A record in a block where there is one: another node may not have heard of what waits for a block.
    const recorded = historyOf(account).filter(({ order }) => order !== null)
    const record = await buildRecover(context.network().id, key, signingKey, {
      prev: (recorded.at(-1) ?? account.history).recordId,
      messagingKeyHash: publicKeys.messagingKeyHash,
      // Used up: the person is asked to make a new one, which counts at once.
      recoveryKey: null,
      time: context.timers.now()
    })
    return encodeRecord(record)
  }

  /** Hands in at every node. @throws PeerError `offline`, `refused` unless one takes it. */
  async #handIn(origins: string[], record: Uint8Array): Promise<void> {
    const answers = await Promise.allSettled(origins.map(origin => this.#post(origin, record)))
    if (answers.some(({ status }) => status === 'fulfilled')) return
    throw (answers[0] as PromiseRejectedResult).reason
  }

  async #post(origin: string, record: Uint8Array): Promise<void> {
    const answer = await askNode(this.#components.fetch, origin, '/v1/recoveries', {
      method: 'POST',
      headers: { 'content-type': 'application/cbor' },
      body: record as Uint8Array<ArrayBuffer>,
      timeoutMs: HTTP_TIMEOUT_MS
    })
    if (answer.ok) return
    const isBusy = answer.status === 429 || answer.status === 503
    throw new PeerError('refused', { refusal: isBusy ? 'rate-limited' : answer.status >= 500 ? 'internal' : 'refused' })
  }

  async #keep(
    accountId: AccountId,
    { username, tag, deviceName }: { username: Username; tag: Uint8Array; deviceName: string }
  ): Promise<OwnAccount> {
    const { store } = this.#components.context
    const account: OwnAccount = {
      accountId,
      create: null,
      registered: true,
      displayName: displayNameOrEmpty(username),
      deviceName: deviceNameOf(deviceName) || UNNAMED_DEVICE,
      // Opened long ago: the salt is of no use any more.
      name: { username, tag, salt: new Uint8Array(NAME_SALT_BYTES), state: 'reserved' }
    }
    await store.batch([ownAccountChange(account)])
    return account
  }
}

/** The entry node, then other listed ones. */
function originsOf({ entry, epoch }: NetworkInfo): string[] {
  return [...new Set([entry, ...epoch.nodes.map(({ url }) => url)])].slice(0, MAX_NODES)
}
