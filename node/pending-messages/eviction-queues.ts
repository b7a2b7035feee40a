import type { DeviceId } from '../../protocol/identity/device.ts'
import type { DeliveryId, EnvelopeClass } from '../../protocol/wire/envelope.ts'
import { bytesOfKey, byteKey } from '../byte-key.ts'

/** Oldest deliveries of one class that one look through a full mailbox brings to memory. */
export const VICTIMS_PER_SCAN = 128
/** Full mailboxes whose oldest deliveries stay in memory. */
const MAX_QUEUES = 256

/** A delivery in the order of removal. */
export interface Victim {
  expiry: number
  /** {@link byteKey} of its id: compares like the id's bytes. */
  id: string
}

/** Removal goes by expiry, then id: every replica comes to the same order. */
export function compareVictims(a: Victim, b: Victim): number {
  return a.expiry - b.expiry || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

export const victimId = (victim: Victim): DeliveryId => bytesOfKey(victim.id) as DeliveryId

/**
 * The oldest deliveries of mailboxes that are at their limit, so that each new message does not read the whole mailbox.
 * A queue is exact up to its last entry: later arrivals that belong before it are put in their place.
 */
export class EvictionQueues {
  readonly #queues = new Map<string, Victim[]>()

  /** The queue of a mailbox's class; undefined if the mailbox has to be read. */
  get(mailbox: DeviceId, envelopeClass: EnvelopeClass): Victim[] | undefined {
    return this.#queues.get(this.#key(mailbox, envelopeClass))
  }

  /** Takes the oldest of all held deliveries of a class. */
  fill(mailbox: DeviceId, envelopeClass: EnvelopeClass, held: Victim[]): Victim[] {
    const queue = held.sort(compareVictims).slice(0, VICTIMS_PER_SCAN)
    const key = this.#key(mailbox, envelopeClass)
    this.#queues.delete(key)
    this.#queues.set(key, queue)
    for (const oldest of this.#queues.keys()) {
      if (this.#queues.size <= MAX_QUEUES) break
      this.#queues.delete(oldest)
    }
    return queue
  }

  /** Notes a delivery that is now held. */
  held(mailbox: DeviceId, envelopeClass: EnvelopeClass, expiry: number, id: DeliveryId): void {
    const queue = this.#queues.get(this.#key(mailbox, envelopeClass))
    if (queue === undefined) return
    const victim = { expiry, id: byteKey(id) }
    const last = queue.at(-1)
    // Behind the last one the queue knows nothing; an empty queue is read again anyway.
    if (last === undefined || compareVictims(victim, last) > 0) return
    queue.splice(
      queue.findIndex(other => compareVictims(victim, other) <= 0),
      0,
      victim
    )
    if (queue.length > 2 * VICTIMS_PER_SCAN) queue.pop()
  }

  #key(mailbox: DeviceId, envelopeClass: EnvelopeClass): string {
    return `${envelopeClass}${byteKey(mailbox)}`
  }
}
