/**
 * Opens that any stranger can make: sealed to a key of this device that is public, or in want of an account that is not known
 * here. They are read one after another, in a fifth of the time: however many come, a message of a known person waits for one of
 * them at most.
 */
import type { Delivery } from '../../protocol/wire/envelope.ts'
import type { EngineContext } from '../engine-context.ts'

/** The pause after each is this many times as long as reading it took. */
const PAUSE_FACTOR = 4
const MIN_PAUSE_MS = 4
const MAX_PAUSE_MS = 250
/** Opens that wait to be read; they are parked as well. Past it the oldest is not read now. */
const MAX_WAITING = 1_024

interface Waiting {
  delivery: Delivery
  isAsked: boolean
  done: () => void
}

export class FirstContacts {
  readonly #context: EngineContext
  readonly #read: (delivery: Delivery, isAsked: boolean) => Promise<void>
  readonly #waiting: Waiting[] = []
  #running: Promise<void> | undefined
  #isPausing = false
  #stopped = false

  /** @param read - reads one, `isAsked`: the directory was just asked for what it needs. Must not reject. */
  constructor(context: EngineContext, read: (delivery: Delivery, isAsked: boolean) => Promise<void>) {
    this.#context = context
    this.#read = read
  }

  /** Resolves once the one that is being read is done with. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const { done } of this.#waiting.splice(0)) done()
    await this.#running
  }

  /** Resolves once it was read, or was not because there are too many or this device stops. */
  read(delivery: Delivery, isAsked: boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (this.#stopped) return Promise.resolve()
    this.#waiting.push({ delivery, isAsked, done: resolve })
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift()!.done()
    this.#kick()
    return promise
  }

  #kick(): void {
    if (this.#isPausing || this.#stopped) return
    this.#running ??= this.#readNext().finally(() => {
      this.#running = undefined
    })
  }

  async #readNext(): Promise<void> {
    const next = this.#waiting.shift()
    if (!next) return
    const { timers } = this.#context
    const at = timers.monotonic()
    await this.#read(next.delivery, next.isAsked)
    next.done()
    const pause = Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, PAUSE_FACTOR * (timers.monotonic() - at)))
    this.#isPausing = true
    timers.after(pause, () => {
      this.#isPausing = false
      this.#kick()
    })
  }
}
