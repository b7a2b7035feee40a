type Listener = (...args: never[]) => void

/**
 * Stands in for Node's `events` in the worker: the browser store (abstract-level) extends it. Only what that store uses,
 * with Node's meaning: https://nodejs.org/api/events.html
 */
export class EventEmitter {
  readonly #listeners = new Map<string, Listener[]>()

  on(name: string, listener: Listener): this {
    this.emit('newListener', name, listener)
    this.#listeners.set(name, [...this.#of(name), listener])
    return this
  }

  once(name: string, listener: Listener): this {
    const heard: Listener = (...args) => {
      this.off(name, heard)
      listener(...args)
    }
    return this.on(name, heard)
  }

  off(name: string, listener: Listener): this {
    const listeners = this.#of(name)
    const at = listeners.lastIndexOf(listener)
    if (at < 0) return this
    this.#listeners.set(name, listeners.toSpliced(at, 1))
    this.emit('removeListener', name, listener)
    return this
  }

  /** @returns whether there was a listener. */
  emit(name: string, ...args: unknown[]): boolean {
    const listeners = this.#of(name)
    for (const listener of listeners) listener(...(args as never[]))
    return listeners.length > 0
  }

  listenerCount(name: string): number {
    return this.#of(name).length
  }

  #of(name: string): Listener[] {
    return this.#listeners.get(name) ?? []
  }
}
