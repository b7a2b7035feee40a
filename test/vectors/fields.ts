/** A vector file that is not shaped as its format says. */
export class ShapeError extends Error {
  override name = 'ShapeError'
}

/** The fields of a JSON object that nobody has checked yet. @throws ShapeError for a missing or mistyped field. */
export class Fields {
  readonly #values: Record<string, unknown>

  constructor(value: unknown, what: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ShapeError(`${what} is not an object`)
    }
    this.#values = value as Record<string, unknown>
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#values, name)
  }

  /** A string, shortened for messages by nobody: callers compare it with what they know. */
  text(name: string): string {
    const value = this.#get(name)
    if (typeof value !== 'string') throw new ShapeError(`"${name}" is not a string`)
    return value
  }

  integer(name: string): number {
    const value = this.#get(name)
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
      throw new ShapeError(`"${name}" is not a whole number`)
    }
    return value
  }

  /** Bytes written as hex, of either case. */
  bytes(name: string): Uint8Array {
    const value = this.text(name)
    if (value.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(value)) throw new ShapeError(`"${name}" is not hex`)
    return Uint8Array.from(Buffer.from(value, 'hex'))
  }

  list(name: string): unknown[] {
    const value = this.#get(name)
    if (!Array.isArray(value)) throw new ShapeError(`"${name}" is not a list`)
    return value as unknown[]
  }

  object(name: string): Fields {
    return new Fields(this.#get(name), `"${name}"`)
  }

  #get(name: string): unknown {
    if (!this.has(name)) throw new ShapeError(`"${name}" is missing`)
    return this.#values[name]
  }
}
