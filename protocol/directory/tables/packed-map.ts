import { ProtocolError } from '../../errors.ts'
import { CellStore } from './cell-store.ts'
import { LayeredMap } from './layered-map.ts'
import { bytesKey } from '../order.ts'
import { PackReader, PackWriter, type Packing } from './packing.ts'
import type { Table } from './table.ts'

/** Marks a slot whose entry was deleted: a search continues past it. */
const DELETED = 0xffffffff
const FIRST_SLOTS = 16
/** Slots of the index are at most this full, deleted ones counted. */
const MAX_LOAD = 0.75

/** Settings of a packed map. */
export interface PackedMapInit {
  /** Bytes of every key, at least 16. */
  keyBytes: number
  /** 32 secret bits keep others from choosing keys that fall into one place of the index. */
  hashSeed?: number
}

/**
 * A table that holds its values as bytes, for what may have millions of entries. Each read makes a new value, so two
 * readings are equal but not the same object. Each entry has a number that stays until it is deleted.
 */
export class PackedMap<V> implements Table<V> {
  readonly #packing: Packing<V>
  readonly #keyBytes: number
  readonly #hashSeed: number
  readonly #cells = new CellStore()
  /** The cell of each entry; 0 for one that was deleted. */
  #entries = new Uint32Array(FIRST_SLOTS)
  #entryCount = 0
  readonly #freeEntries: number[] = []
  /** Entry numbers and 1 by the hash of their keys; 0 for an empty slot. Its length is a power of two. */
  #slots = new Uint32Array(FIRST_SLOTS)
  #usedSlots = 0
  #size = 0
  #version = 0

  constructor(packing: Packing<V>, { keyBytes, hashSeed = 0 }: PackedMapInit) {
    this.#packing = packing
    this.#keyBytes = keyBytes
    this.#hashSeed = hashSeed
  }

  get size(): number {
    return this.#size
  }

  get version(): number {
    return this.#version
  }

  /** Bytes of memory that the table takes. */
  get byteLength(): number {
    return this.#cells.byteLength + this.#entries.byteLength + this.#slots.byteLength
  }

  get(key: string): V | undefined {
    const entry = this.entryOf(key)
    return entry === undefined ? undefined : this.#read(entry)[1]
  }

  has(key: string): boolean {
    return this.entryOf(key) !== undefined
  }

  /** Number of the entry under a key, or `undefined`. */
  entryOf(key: string): number | undefined {
    const slot = this.#slotOf(key)
    return slot === undefined ? undefined : this.#slots[slot]! - 1
  }

  /** The key of an entry: its own copy. */
  keyAt(entry: number): Uint8Array {
    return this.#cells.copy(this.#entries[entry]!, this.#keyBytes)
  }

  /** @throws ProtocolError `INVALID` for a key of another length. */
  set(key: string, value: V): void {
    if (key.length !== this.#keyBytes) throw new ProtocolError('INVALID', `a key has ${this.#keyBytes} bytes`)
    const bytes = this.#pack(key, value)
    const entry = this.entryOf(key)
    this.#version++
    if (entry !== undefined) {
      this.#entries[entry] = this.#cells.replace(this.#entries[entry]!, bytes)
      return
    }
    this.#insert(key, this.#cells.add(bytes))
    this.#size++
  }

  delete(key: string): void {
    const slot = this.#slotOf(key)
    if (slot === undefined) return
    const entry = this.#slots[slot]! - 1
    this.#slots[slot] = DELETED
    this.#cells.free(this.#entries[entry]!)
    this.#entries[entry] = 0
    this.#freeEntries.push(entry)
    this.#size--
    this.#version++
  }

  *entries(): IterableIterator<[string, V]> {
    for (let entry = 0; entry < this.#entryCount; entry++) {
      if (this.#entries[entry] === 0) continue
      const [key, value] = this.#read(entry)
      yield [bytesKey(key), value]
    }
  }

  *values(): IterableIterator<V> {
    for (let entry = 0; entry < this.#entryCount; entry++) if (this.#entries[entry] !== 0) yield this.#read(entry)[1]
  }

  fork(): LayeredMap<V> {
    return new LayeredMap(this)
  }

  #read(entry: number): [key: Uint8Array, value: V] {
    const bytes = this.#cells.copy(this.#entries[entry]!)
    const key = bytes.subarray(0, this.#keyBytes)
    return [key, this.#packing.read(new PackReader(bytes, this.#keyBytes), key)]
  }

  #pack(key: string, value: V): Uint8Array {
    const writer = new PackWriter()
    for (let i = 0; i < key.length; i++) writer.byte(key.charCodeAt(i))
    this.#packing.write(writer, value)
    return writer.finish()
  }

  #slotOf(key: string): number | undefined {
    if (key.length !== this.#keyBytes) return undefined
    const mask = this.#slots.length - 1
    for (let slot = this.#hash(key) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]!
      if (entry === 0) return undefined
      if (entry !== DELETED && this.#cells.beginsWith(this.#entries[entry - 1]!, key)) return slot
    }
  }

  #insert(key: string, cell: number): void {
    if (this.#usedSlots + 1 > MAX_LOAD * this.#slots.length) this.#rebuildSlots()
    const entry = this.#freeEntries.pop() ?? this.#entryCount++
    if (entry >= this.#entries.length) this.#entries = grown(this.#entries)
    this.#entries[entry] = cell
    this.#usedSlots++
    this.#putSlot(this.#hash(key), entry)
  }

  #putSlot(hash: number, entry: number): void {
    const mask = this.#slots.length - 1
    let slot = hash & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = entry + 1
  }

  /** Drops deleted slots, and doubles the index if it is still half full then. */
  #rebuildSlots(): void {
    const isFull = this.#size + 1 > (MAX_LOAD / 2) * this.#slots.length
    this.#slots = new Uint32Array(isFull ? 2 * this.#slots.length : this.#slots.length)
    for (let entry = 0; entry < this.#entryCount; entry++) {
      if (this.#entries[entry] !== 0) this.#putSlot(this.#hash(bytesKey(this.keyAt(entry))), entry)
    }
    this.#usedSlots = this.#size
  }

  /** Of the first 16 bytes of a key. */
  #hash(key: string): number {
    let hash = this.#hashSeed
    for (let i = 0; i < 16; i += 4) {
      const word =
        key.charCodeAt(i) | (key.charCodeAt(i + 1) << 8) | (key.charCodeAt(i + 2) << 16) | (key.charCodeAt(i + 3) << 24)
      hash = Math.imul(hash ^ word, 0x9e3779b1)
      hash ^= hash >>> 15
    }
    return hash >>> 0
  }
}

function grown(numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * numbers.length)
  larger.set(numbers)
  return larger
}
