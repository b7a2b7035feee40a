/**
 * Records that this node took from its own devices: kept on disk, shown to the other nodes at once, brought to the
 * chain, and let go of when the chain has settled over them.
 */
import { toHex } from '../../protocol/bytes.ts'
import type { Clock, Crypto } from '../../protocol/crypto/crypto.ts'
import { nameCommitment } from '../../protocol/identity/name-commitment.ts'
import type { AccountId, RecordId } from '../../protocol/identity/device.ts'
import type { RecordOf } from '../../protocol/identity/record.ts'
import { NAME_REVEAL_MAX_BLOCKS, NAME_REVEAL_MIN_BLOCKS, SETTLED_CONFIRMATIONS } from '../../protocol/limits.ts'
import type { NetworkId } from '../../protocol/network.ts'
import type { AppDatabase } from '../app-database.ts'
import { placeOf, type KeyDirectory } from './key-directory.ts'
import { NodeError } from '../errors.ts'
import type { Logger, RelayPort } from '../ports.ts'
import type { PooledRecord } from './record-pool.ts'

/** Records that are not on the chain are told to the other nodes again this often. */
const REBROADCAST_MS = 30_000
/** Records in one broadcast. */
const BROADCAST_RECORDS = 16

/** Brings records to the chain; takes the same one twice without harm. */
export interface RecordPublisher {
  enqueue(record: Uint8Array): Promise<unknown>
}

/** What it talks to. */
export interface RecordOutboxComponents {
  crypto: Crypto
  clock: Clock
  logger: Logger
  keyDirectory: KeyDirectory
  database: AppDatabase
  publisher: RecordPublisher
  relay: Pick<RelayPort, 'broadcastRecords'>
}

export class RecordOutbox {
  readonly #components: RecordOutboxComponents
  readonly #network: NetworkId
  readonly #log: Logger
  /** Taken by the publisher since the start. */
  readonly #enqueued = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  constructor(components: RecordOutboxComponents, init: { network: NetworkId }) {
    this.#components = components
    this.#network = init.network
    this.#log = components.logger.forComponent('volo:own-records')
  }

  /** Goes on with what was left by the last run. */
  async start(): Promise<void> {
    const { database, keyDirectory } = this.#components
    for (const { bytes } of await database.ownRecords()) await keyDirectory.addPending(bytes, true)
    this.#timer = setInterval(() => void this.#rebroadcast(), REBROADCAST_MS)
  }

  /** Safe to call twice. */
  stop(): void {
    clearInterval(this.#timer)
  }

  /**
   * Takes records in the order in which they follow each other; on disk once this resolves.
   * @throws NodeError `refused` with the reason for a record that the rules do not accept, `busy` with too many waiting.
   */
  async add(records: Uint8Array[]): Promise<void> {
    const { keyDirectory, database, clock } = this.#components
    const taken: PooledRecord[] = []
    for (const bytes of records) {
      const verdict = await keyDirectory.addPending(bytes, true)
      if (verdict.kind === 'orphan') throw refusal('UNKNOWN_PREV')
      if (verdict.kind === 'refused') throw refusal(verdict.code)
      // One that another node told of first is taken all the same: that node may be gone.
      const record = keyDirectory.pool.get(verdict.parsed.id)
      if (record?.own) taken.push(record)
    }
    const takenAt = clock()
    await database.addOwnRecords(taken.map(({ parsed, bytes }) => ({ recordId: parsed.id, bytes, takenAt })))
    void this.#broadcast(taken)
    for (const record of taken) await this.#publish(record)
  }

  /** After the chain has moved: publishes what had to wait, lets go of what is settled. */
  async advance(): Promise<void> {
    const { keyDirectory, database } = this.#components
    const settled: RecordId[] = []
    const refused = keyDirectory.takeRefused()
    for (const record of keyDirectory.pool.values()) {
      if (!record.own) continue
      const place = placeOf(keyDirectory, record)
      if (place === undefined) await this.#publish(record)
      else if (keyDirectory.confirmations(place) >= SETTLED_CONFIRMATIONS) settled.push(record.parsed.id)
    }
    for (const id of settled) keyDirectory.pool.delete(id)
    const done = [...settled, ...refused]
    if (done.length > 0) await database.removeOwnRecords(done)
  }

  /** Own records that no block has. */
  get waiting(): number {
    return this.#waiting().length
  }

  #waiting(): PooledRecord[] {
    const { keyDirectory } = this.#components
    return [...keyDirectory.pool.values()].filter(record => record.own && placeOf(keyDirectory, record) === undefined)
  }

  async #publish(record: PooledRecord): Promise<void> {
    const id = toHex(record.parsed.id)
    if (this.#enqueued.has(id) || !this.#isDue(record)) return
    try {
      await this.#components.publisher.enqueue(record.bytes)
      this.#enqueued.add(id)
    } catch (error) {
      // It stays on disk, and is tried again when the chain has moved.
      this.#log.warn('a record waits to be published', { record: id, error })
    }
  }

  /**
   * A name that is opened too early is lost to its owner, so a reveal waits for its commitment to be deep enough, and what
   * follows waits for the reveal.
   */
  #isDue({ parsed: { record }, accountId }: PooledRecord): boolean {
    const { keyDirectory } = this.#components
    if (accountId === undefined) return false
    if (record.kind === 'nameReveal' && !this.#isRevealDue(record, accountId)) return false
    const previous = 'prev' in record ? keyDirectory.pool.get(record.prev) : undefined
    return previous === undefined || placeOf(keyDirectory, previous) !== undefined || this.#isSent(previous)
  }

  #isSent(record: PooledRecord): boolean {
    return !record.own || this.#enqueued.has(toHex(record.parsed.id))
  }

  #isRevealDue({ nameTag, salt }: RecordOf<'nameReveal'>, accountId: AccountId): boolean {
    const { crypto, keyDirectory } = this.#components
    const commitment = toHex(nameCommitment(crypto, this.#network, nameTag, accountId, salt))
    const account = keyDirectory.recorded.account(accountId)
    const commit = account?.commitments.find(known => toHex(known.commitment) === commitment)
    if (!commit?.order || !keyDirectory.tip) return false
    const blocks = keyDirectory.tip.height + 1 - commit.order.blockHeight
    if (blocks > NAME_REVEAL_MAX_BLOCKS) this.#log.warn('a name was not opened in time', { account: toHex(accountId) })
    return blocks >= NAME_REVEAL_MIN_BLOCKS && blocks <= NAME_REVEAL_MAX_BLOCKS
  }

  async #rebroadcast(): Promise<void> {
    await this.#broadcast(this.#waiting())
  }

  async #broadcast(records: PooledRecord[]): Promise<void> {
    try {
      for (let i = 0; i < records.length; i += BROADCAST_RECORDS) {
        const bytes = records.slice(i, i + BROADCAST_RECORDS).map(record => record.bytes)
        await this.#components.relay.broadcastRecords(bytes)
      }
    } catch (error) {
      this.#log.warn('records could not be told to other nodes', { error })
    }
  }
}

function refusal(code: string): NodeError {
  if (code === 'POOL_FULL') return new NodeError('busy', 'too many records of this account wait for the chain')
  if (code === 'MALFORMED' || code === 'TOO_LARGE') return new NodeError('malformed', 'this is not a record')
  return new NodeError('refused', `the record is not acceptable: ${code}`)
}
