import { ProtocolError } from '../../errors.ts'
import type { Table } from './table.ts'

/**
 * A map that can be forked in no time: a fork reads through to the map below and keeps its own changes. The map below
 * must stay as it is for as long as a fork is used; reading a fork whose base has moved is a programming error and throws.
 */
export class LayeredMap<V> implements Table<V> {
  readonly #below: Table<V> | null
  readonly #belowVersion: number
  readonly #own = new Map<string, V | undefined>()
  #version = 0
  #size: number

  constructor(below: Table<V> | null = null) {
    this.#below = below
    this.#belowVersion = below ? below.version : 0
    this.#size = below ? below.size : 0
  }

  /** Number of entries, those below included. */
  get size(): number {
    return this.#size
  }

  get version(): number {
    return this.#version
  }

  get(key: string): V | undefined {
    if (this.#own.size > 0) {
      const own = this.#own.get(key)
      if (own !== undefined || this.#own.has(key)) return own
    }
    return this.#readBelow()?.get(key)
  }

  has(key: string): boolean {
    if (this.#own.has(key)) return this.#own.get(key) !== undefined
    return this.#readBelow()?.has(key) ?? false
  }

  set(key: string, value: V): void {
    if (!this.has(key)) this.#size++
    this.#version++
    this.#own.set(key, value)
  }

  delete(key: string): void {
    if (!this.has(key)) return
    this.#size--
    this.#version++
    if (this.#below) this.#own.set(key, undefined)
    else this.#own.delete(key)
  }

  /** Entries in no order that means anything. */
  *entries(): IterableIterator<[string, V]> {
    for (const [key, value] of this.#own) if (value !== undefined) yield [key, value]
    const below = this.#readBelow()
    if (below) for (const entry of below.entries()) if (!this.#own.has(entry[0])) yield entry
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this.entries()) yield value
  }

  fork(): LayeredMap<V> {
    return new LayeredMap(this)
  }

  #readBelow(): Table<V> | null {
    if (this.#below && this.#below.version !== this.#belowVersion) {
      throw new ProtocolError('INVALID', 'the directory below this fork has changed: fork again')
    }
    return this.#below
  }
}
