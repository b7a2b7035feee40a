import { toHex } from '../../protocol/bytes.ts'
import type { Outbox } from './outbox.ts'
import { unsentEntry } from './slots.ts'
import type { StateStore } from './work.ts'

/** How many own messages the network does not keep yet: queued, or in envelopes under way. */
export class WaitingCount {
  readonly #states: StateStore
  readonly #outbox: Outbox
  readonly #onChange: () => void
  #value = 0
  #again = false
  #counting: Promise<void> | undefined

  constructor(states: StateStore, outbox: Outbox, onChange: () => void) {
    this.#states = states
    this.#outbox = outbox
    this.#onChange = onChange
  }

  get value(): number {
    return this.#value
  }

  /** Counts anew; a burst of calls makes one count more at most. Never rejects. */
  update(): Promise<void> {
    this.#again = true
    this.#counting ??= this.#count()
      .catch(() => undefined)
      .finally(() => (this.#counting = undefined))
    return this.#counting
  }

  async #count(): Promise<void> {
    while (this.#again) {
      this.#again = false
      const queued = await this.#states.range('unsent', undefined, unsentEntry)
      const shown = queued.flatMap(({ value }) => (value.messageId ? [toHex(value.messageId)] : []))
      const value = new Set([...this.#outbox.waitingMessages(), ...shown]).size
      if (value === this.#value) continue
      this.#value = value
      this.#onChange()
    }
  }
}
