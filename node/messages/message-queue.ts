import { BATCH_WAIT_MS, MAX_BATCH_BYTES, MAX_BATCH_ENVELOPES } from '../../protocol/limits.ts'
import type { Epoch } from '../../protocol/wire/placement.ts'
import type { ShardEnvelope } from './batch-in-flight.ts'

/** Deliveries in one batch: refusals of all of them must fit one frame. */
const MAX_QUEUED_DELIVERIES = 1024
/** CBOR around one envelope in a batch. */
const ENVELOPE_OVERHEAD_BYTES = 8
/** With fewer batches on their way, a new one does not wait for more envelopes. */
const IDLE_BATCHES = 4
/** While so many are, new ones would only stand in line: they go on gathering … */
const BUSY_BATCHES = 32
/** … but never longer than this. */
const MAX_BATCH_WAIT_MS = 20

interface Open {
  epoch: Epoch
  shard: number
  envelopes: ShardEnvelope[]
  bytes: number
  deliveries: number
  /** Milliseconds for which it has gathered when its timer fires. */
  waited: number
  cancel: () => void
}

/**
 * Gathers envelopes of one shard for {@link BATCH_WAIT_MS}: signatures, gossip and fsync are paid per batch. While there is
 * little to do nothing is gained by waiting, so a batch goes out in the same turn of the event loop; while there is much
 * to do nothing is lost by it, so batches grow.
 */
export class MessageQueue {
  readonly #send: (epoch: Epoch, shard: number, envelopes: ShardEnvelope[]) => void
  readonly #inFlight: () => number
  readonly #open = new Map<string, Open>()

  /** @param inFlight - batches whose senders still wait. */
  constructor(
    send: (epoch: Epoch, shard: number, envelopes: ShardEnvelope[]) => void,
    inFlight: () => number = () => IDLE_BATCHES
  ) {
    this.#send = send
    this.#inFlight = inFlight
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
      batch = { epoch, shard, envelopes: [], bytes: 0, deliveries: 0, waited: 0, cancel: this.#flushSoon(key) }
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
    if (this.#inFlight() < IDLE_BATCHES) {
      const immediate = setImmediate(() => this.#flush(key))
      return () => clearImmediate(immediate)
    }
    const timer = setTimeout(() => this.#flushUnlessBusy(key, timer), BATCH_WAIT_MS)
    return () => clearTimeout(timer)
  }

  #flushUnlessBusy(key: string, timer: NodeJS.Timeout): void {
    const batch = this.#open.get(key)!
    batch.waited += BATCH_WAIT_MS
    if (batch.waited < MAX_BATCH_WAIT_MS && this.#inFlight() >= BUSY_BATCHES) timer.refresh()
    else this.#flush(key)
  }
}
