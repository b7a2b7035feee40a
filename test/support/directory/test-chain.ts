import { Directory, type DirectoryGenesis } from '../../../protocol/directory/directory.ts'
import type { AccountState } from '../../../protocol/directory/account.ts'
import type { OrderedRecord, OrderKey } from '../../../protocol/directory/order.ts'
import type { Verdict } from '../../../protocol/directory/verdict.ts'
import { buildAdd, buildCreate, buildRevoke } from '../../../protocol/identity/build-record.ts'
import type { AccountId, RecordId } from '../../../protocol/identity/device.ts'
import { encodeRecord, recordIdOf, type DirectoryRecord } from '../../../protocol/identity/record.ts'
import {
  BLOCK_MS,
  castDevice,
  castKey,
  CHAIN_START,
  crypto,
  genesis,
  network,
  signer,
  type CastDevice
} from './cast.ts'

/** Slot time of a block of the test chain, milliseconds. */
export function timeOf(blockHeight: number): number {
  return CHAIN_START + blockHeight * BLOCK_MS
}

/** A record in a block of the test chain; without an order it is pending. */
export function ordered(record: DirectoryRecord | Uint8Array, order: OrderKey | null): OrderedRecord {
  const bytes = record instanceof Uint8Array ? record : encodeRecord(record)
  return { bytes, order, blockTime: timeOf(order?.blockHeight ?? 1_000_000) }
}

/** A chain with one record in each transaction, folded as it grows. */
export class TestChain {
  readonly directory: Directory
  /** All that was put on it, accepted or not. */
  readonly entries: OrderedRecord[] = []
  #height = 0
  #txIndex = 0

  constructor(init: DirectoryGenesis = genesis) {
    this.directory = Directory.create(crypto, network, init)
  }

  get height(): number {
    return this.#height
  }

  /** Goes on to a later block. */
  mine(blocks = 1): void {
    this.#height += blocks
    this.#txIndex = 0
  }

  /** Puts a record in the current block. */
  async put(record: DirectoryRecord | Uint8Array): Promise<Verdict> {
    const order = { blockHeight: this.#height, txIndex: this.#txIndex++, recordIndex: 0 }
    const entry = ordered(record, order)
    this.entries.push(entry)
    return this.directory.apply(entry)
  }

  /** Puts a record that must be accepted. @returns its id. */
  async accept(record: DirectoryRecord): Promise<RecordId> {
    const verdict = await this.put(record)
    if (verdict.kind === 'rejected') throw new Error(`${record.kind} was rejected: ${verdict.code}`)
    return verdict.recordId
  }

  /** Puts a record that must be rejected. @returns the reason. */
  async refuse(record: DirectoryRecord | Uint8Array): Promise<string> {
    const verdict = await this.put(record)
    if (verdict.kind === 'accepted') throw new Error(`${verdict.recordKind} was accepted`)
    return verdict.code
  }
}

/** An account on a test chain, and shorthands for what its devices do. */
export class TestAccount {
  readonly chain: TestChain
  readonly accountId: AccountId

  private constructor(chain: TestChain, accountId: AccountId) {
    this.chain = chain
    this.accountId = accountId
  }

  /** An account whose devices are named `<name>1`, `<name>2`…; its recovery key, if any, is `castKey(recovery)`. */
  static async create(chain: TestChain, name: string, recovery?: string, deviceCount = 1): Promise<TestAccount> {
    const record = await createRecord(name, recovery)
    const account = new TestAccount(chain, (await chain.accept(record)) as Uint8Array as AccountId)
    for (let i = 2; i <= deviceCount; i++) await account.add(`${name}1`, `${name}${i}`)
    return account
  }

  get state(): AccountState {
    return this.chain.directory.account(this.accountId)!
  }

  /** What lets a device sign the account's next record. */
  async as(deviceName: string, prev: Uint8Array = this.state.head): Promise<ReturnType<typeof signer>> {
    return signer(await castDevice(deviceName), prev)
  }

  async addRecord(by: string, added: string): Promise<DirectoryRecord> {
    const device = await castDevice(added)
    return buildAdd(network, await this.as(by), device.key, device.keys.messagingKeyHash)
  }

  async add(by: string, added: string): Promise<RecordId> {
    return this.chain.accept(await this.addRecord(by, added))
  }

  async revokeRecord(by: string, revoked: string, prev?: Uint8Array): Promise<DirectoryRecord> {
    return buildRevoke(network, await this.as(by, prev), (await castDevice(revoked)).deviceId, 'stolen')
  }

  async revoke(by: string, revoked: string): Promise<RecordId> {
    return this.chain.accept(await this.revokeRecord(by, revoked))
  }

  /** Names of the account's live devices, given the names of all that may be in it. */
  live(...names: string[]): Promise<string[]> {
    return liveNames(this.state, names)
  }
}

/** Which of these devices live in an account, in the order given. */
export async function liveNames(account: AccountState, names: string[]): Promise<string[]> {
  const cast = await Promise.all(names.map(name => castDevice(name)))
  const isLive = ({ keys }: CastDevice): boolean =>
    account.devices.some(
      device => device.revocation === null && Buffer.compare(device.keys.signingKey, keys.signingKey) === 0
    )
  return cast.filter(isLive).map(({ name }) => name)
}

/** The CREATE record of an account whose first device is `<name>1`. */
export async function createRecord(name: string, recovery?: string): Promise<DirectoryRecord> {
  const device = await castDevice(`${name}1`)
  const recoveryKey = recovery === undefined ? null : (await castKey(recovery)).publicKey
  return buildCreate(network, device.key, {
    messagingKeyHash: device.keys.messagingKeyHash,
    recoveryKey,
    time: CHAIN_START
  })
}

/** Id of a record of the test network. */
export function idOf(record: DirectoryRecord): RecordId {
  return recordIdOf(crypto, network, record)
}
