import { BATCH_WAIT_MS, MAX_BATCH_BYTES, MAX_BATCH_ENVELOPES } from '../protocol/limits.ts'
import type { Epoch } from '../protocol/wire/placement.ts'
import type { ShardEnvelope } from './custody-origin.ts'

/** Deliveries in one batch: refusals of all of them must fit one frame. */
const MAX_QUEUED_DELIVERIES = 1024
/** CBOR around one envelope in a batch. */
const ENVELOPE_OVERHEAD_BYTES = 8

interface Open {
  epoch: Epoch
  shard: number
  envelopes: ShardEnvelope[]
  bytes: number
  deliveries: number
  cancel: () => void
}

/**
 * Gathers envelopes of one shard for at most {@link BATCH_WAIT_MS}: signatures, gossip and fsync are paid per batch. While
 * there is little to do nothing is gained by waiting, so a batch goes out in the same turn of the event loop.
 */
export class MessageQueue {
  readonly #send: (epoch: Epoch, shard: number, envelopes: ShardEnvelope[]) => void
  readonly #isIdle: () => boolean
  readonly #open = new Map<string, Open>()

  /** @param isIdle - whether so little is on its way that waiting for more would only cost time. */
  constructor(
    send: (epoch: Epoch, shard: number, envelopes: ShardEnvelope[]) => void,
    isIdle: () => boolean = () => false
  ) {
    this.#send = send
    this.#isIdle = isIdle
  }

  add(epoch: Epoch, shard: number, envelope: ShardEnvelope): void {
    const key = `${epoch.number}/${shard}`
    const bytes = envelope.encoded.length + ENVELOPE_OVERHEAD_BYTES
    const deliveries = envelope.requests.length
    let batch = this.#open.get(key)
    if (batch && (batch.bytes + bytes > MAX_BATCH_BYTES || batch.deliveries + deliveries > MAX_QUEUED_DELIVERIES)) {
      this.#flush(key)
      batch = undefined
    }
    if (batch === undefined) {
      batch = { epoch, shard, envelopes: [], bytes: 0, deliveries: 0, cancel: this.#flushSoon(key) }
      this.#open.set(key, batch)
    }
    batch.envelopes.push(envelope)
    batch.bytes += bytes
    batch.deliveries += deliveries
    if (batch.envelopes.length >= MAX_BATCH_ENVELOPES) this.#flush(key)
  }

  /** Sends whatever waits. */
  flush(): void {
    for (const key of [...this.#open.keys()]) this.#flush(key)
  }

  #flush(key: string): void {
    const batch = this.#open.get(key)
    if (batch === undefined) return
    this.#open.delete(key)
    batch.cancel()
    this.#send(batch.epoch, batch.shard, batch.envelopes)
  }

  #flushSoon(key: string): () => void {
    if (this.#isIdle()) {
      const immediate = setImmediate(() => this.#flush(key))
      return () => clearImmediate(immediate)
    }
    const timer = setTimeout(() => this.#flush(key), BATCH_WAIT_MS)
    return () => clearTimeout(timer)
  }
}
