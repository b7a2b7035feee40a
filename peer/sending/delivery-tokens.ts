/**
 * Delivery tokens: ours, which our mailboxes' replicas and our contacts know, and those that contacts have given us. With a
 * person's token what we send counts as a contact's there; without it as a stranger's, of which nodes take a few a day.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { Roster } from '../../protocol/roster/roster.ts'
import { DELIVERY_TOKEN_BYTES, signMailboxToken } from '../../protocol/wire/delivery-token.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import { devicesToSealTo } from '../directory/known-account.ts'
import type { EngineContext } from '../engine-context.ts'
import type { NodeConnection } from '../network/node-connection.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import { slots, type OwnDeliveryToken } from '../store/store-layout.ts'

export class DeliveryTokens {
  readonly #context: EngineContext
  readonly #states: StateStore
  readonly #directory: Pick<DirectoryClient, 'peek'>
  /** What was handed in with a connection. */
  readonly #published = new WeakMap<NodeConnection, number>()

  constructor(context: EngineContext, states: StateStore, directory: Pick<DirectoryClient, 'peek'>) {
    this.#context = context
    this.#states = states
    this.#directory = directory
  }

  /**
   * The token of our account, made when it is first needed. Only an account's one device makes it: another learns it with the
   * profile that its account gives to a contact.
   * @returns undefined if it is not known here.
   */
  async own(unit: UnitOfWork): Promise<OwnDeliveryToken | undefined> {
    const known = await unit.read(slots.ownDeliveryToken())
    if (known !== undefined || !this.#isOnlyDevice()) return known
    const made = { revision: 1, token: this.#context.random(DELIVERY_TOKEN_BYTES) }
    unit.write(slots.ownDeliveryToken(), made)
    return made
  }

  /** Replaces our token: who has the old one only is a stranger from now on. Contacts get the new one with the next message. */
  async rotate(unit: UnitOfWork): Promise<void> {
    const known = await this.own(unit)
    if (known === undefined) return
    const token = this.#context.random(DELIVERY_TOKEN_BYTES)
    unit.write(slots.ownDeliveryToken(), { revision: known.revision + 1, token })
  }

  /** Takes the token out of a profile; an own device may have told ours. */
  async learn(unit: UnitOfWork, from: AccountId, token: Uint8Array, profileRevision: number): Promise<void> {
    if (!equalBytes(from, this.#context.accountId())) {
      unit.write(slots.deliveryToken(toHex(from)), { token })
      return
    }
    const revision = profileRevision - 1
    const known = await unit.read(slots.ownDeliveryToken())
    if (revision > (known?.revision ?? 0)) unit.write(slots.ownDeliveryToken(), { revision, token })
  }

  /** The token of an account, ours included; undefined if it is not known here. */
  async of(unit: UnitOfWork, accountId: AccountId): Promise<Uint8Array | undefined> {
    if (equalBytes(accountId, this.#context.accountId())) return (await this.own(unit))?.token
    return (await unit.read(slots.deliveryToken(toHex(accountId))))?.token
  }

  /** Tokens of the devices in a roster, as far as they are known, by device id in hex. */
  async ofRoster(unit: UnitOfWork, { members }: Roster): Promise<Map<string, Uint8Array>> {
    const tokens = new Map<string, Uint8Array>()
    for (const { accountId, devices } of members) {
      const token = await this.of(unit, accountId)
      if (token) for (const { deviceId } of devices) tokens.set(toHex(deviceId), token)
    }
    return tokens
  }

  /** Hands our token in for this device's mailbox, once with each connection and revision. */
  async publish(connection: NodeConnection): Promise<void> {
    const { crypto, device, network } = this.#context
    const own = await this.#states.unit(unit => this.own(unit))
    if (own === undefined || this.#published.get(connection) === own.revision) return
    const { signingKey, publicKeys } = device()
    const token = await signMailboxToken(crypto, network().id, signingKey, { keys: publicKeys, ...own })
    await connection.request({ kind: 'publishToken', token }, 'done')
    this.#published.set(connection, own.revision)
  }

  #isOnlyDevice(): boolean {
    const account = this.#directory.peek(toHex(this.#context.accountId()))
    return account !== undefined && devicesToSealTo(account).length === 1
  }
}
