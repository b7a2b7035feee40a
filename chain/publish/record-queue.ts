/**
 * The records that are not settled yet: those that wait for a transaction, and those that a live transaction carries.
 * A record is on disk before {@link RecordQueue.add} answers.
 */
import { toHex } from '../../protocol/bytes.ts'
import type { Clock, Crypto } from '../../protocol/crypto/crypto.ts'
import type { RecordId } from '../../protocol/identity/device.ts'
import { decodeRecord, recordIdOf, type DirectoryRecord } from '../../protocol/identity/record.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { SerialQueue } from '../../protocol/serial-queue.ts'
import { ChainError } from '../errors.ts'
import type { OutgoingRecord, PublisherStore, StoredState } from './publisher-store.ts'
import type { TransactionWatch } from './transaction-watch.ts'

/** Most records that wait; {@link RecordQueue.add} refuses more. */
export const MAX_QUEUED_RECORDS = 20_000

export interface RecordQueueComponents {
  store: PublisherStore
  /** Knows which records a live transaction carries. */
  watch: TransactionWatch
  crypto: Crypto
  clock: Clock
}

export class RecordQueue {
  readonly #components: RecordQueueComponents
  readonly #network: NetworkId
  /** In order of arrival. */
  readonly #records = new Map<string, OutgoingRecord>()
  readonly #arriving = new Map<string, Promise<OutgoingRecord | undefined>>()
  /** A record must not be published before an earlier one that it follows. */
  readonly #arrivals = new SerialQueue()
  #sequence = 0

  constructor(components: RecordQueueComponents, network: NetworkId) {
    this.#components = components
    this.#network = network
  }

  /** Continues with what the last run left. */
  restore({ records, transactions }: StoredState): void {
    for (const record of records.sort((a, b) => a.sequence - b.sequence)) this.#records.set(record.id, record)
    const sequences = [...records, ...transactions].map(({ sequence }) => sequence + 1)
    this.#sequence = sequences.reduce((max, next) => Math.max(max, next), 0)
  }

  /** A number above all earlier ones. Records and transactions share one order. */
  nextSequence(): number {
    return this.#sequence++
  }

  /**
   * Stores a record, unless it was added before, whatever its signatures.
   *
   * @param bytes - as `encodeRecord` makes them.
   * @returns its id, and the record if it is new.
   * @throws ProtocolError if the bytes are not a record; {@link ChainError} `BUSY` if too many wait.
   */
  async add(bytes: Uint8Array): Promise<{ recordId: RecordId; added: OutgoingRecord | undefined }> {
    const record = decodeRecord(bytes)
    const recordId = recordIdOf(this.#components.crypto, this.#network, record)
    const id = toHex(recordId)
    if (this.#records.has(id)) return { recordId, added: undefined }
    const arriving = this.#arriving.get(id) ?? this.#arrivals.run(() => this.#store(id, bytes, record))
    this.#arriving.set(id, arriving)
    try {
      return { recordId, added: await arriving }
    } finally {
      this.#arriving.delete(id)
    }
  }

  /** @param id - hex of the record id. */
  has(id: string): boolean {
    return this.#records.has(id)
  }

  /** @param id - hex of the record id. */
  delete(id: string): void {
    this.#records.delete(id)
  }

  /** All records, waiting or in a live transaction. */
  get size(): number {
    return this.#records.size
  }

  /** The records that no live transaction carries, in order of arrival. */
  waiting(): OutgoingRecord[] {
    return [...this.#records.values()].filter(({ id }) => !this.#components.watch.transactionOf(id))
  }

  /** How many {@link waiting} returns, without making the list. */
  get waitingCount(): number {
    return this.#records.size - this.#components.watch.recordCount
  }

  /** Resolves once every record that arrived before this call is stored or refused. */
  async settled(): Promise<void> {
    await this.#arrivals.idle()
  }

  async #store(id: string, bytes: Uint8Array, record: DirectoryRecord): Promise<OutgoingRecord | undefined> {
    const { store, clock } = this.#components
    if ((await store.outcome(id)) !== undefined) return undefined
    if (this.#records.size >= MAX_QUEUED_RECORDS) {
      throw new ChainError('BUSY', `${MAX_QUEUED_RECORDS} records already wait to be published`)
    }
    const outgoing: OutgoingRecord = {
      id,
      bytes: Uint8Array.from(bytes),
      prev: 'prev' in record ? toHex(record.prev) : undefined,
      sequence: this.nextSequence(),
      isUrgent: record.kind === 'revoke' || record.kind === 'recover',
      enqueuedAt: clock(),
      failures: 0
    }
    await store.addRecord(outgoing)
    this.#records.set(id, outgoing)
    return outgoing
  }
}
