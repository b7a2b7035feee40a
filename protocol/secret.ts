/**
 * Secret bytes that do not leave by accident: logs, JSON, templates, error messages, clones and spreads show or copy none of
 * them, and `===` or a deep comparison does not compare them. Code that needs the bytes says so with {@link Secret.expose}.
 */
import { equalSecrets, wipe } from './bytes.ts'
import { bytes, type Codec } from './codec.ts'

/** Asked for by `console.log` and `util.inspect` of Node. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom')

export class Secret {
  readonly #bytes: Uint8Array

  /** @param bytes - taken over, not copied: {@link erase} wipes them. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The bytes themselves, for a primitive or for sealed storage. Not to be kept, logged or sent. */
  expose(): Uint8Array {
    return this.#bytes
  }

  /** Whether another secret is the same; the time taken does not tell where they differ. */
  equals(other: Secret): boolean {
    return equalSecrets(this.#bytes, other.#bytes)
  }

  /** Overwrites the bytes once they are no longer needed. */
  erase(): void {
    wipe(this.#bytes)
  }

  toString(): string {
    return `Secret(${this.#bytes.length} bytes)`
  }

  toJSON(): string {
    return this.toString()
  }

  [INSPECT](): string {
    return this.toString()
  }
}

/** Overwrites secrets once they are no longer needed. */
export function erase(...secrets: Secret[]): void {
  for (const secret of secrets) secret.erase()
}

/** A secret of exactly `length` bytes, in a state that is kept sealed. */
export function secretBytes(length: number): Codec<Secret> {
  const raw = bytes(length)
  return {
    toCbor: value => raw.toCbor(value.expose()),
    fromCbor: (value, path) => new Secret(raw.fromCbor(value, path))
  }
}
