/**
 * What all devices of an account agree on, item by item: the last writer wins.
 *
 * A version is a time that never falls behind what its writer has seen: the clock, or one above the item's version if that is
 * higher. So who changes something after seeing an earlier change wins, also if the earlier clock was years ahead; of two who
 * did not see each other the later clock wins, and of equal versions the higher device id. All devices come to the same.
 * What is noted about a person is merged mark by mark, see `person-item.ts`.
 */
import { compareBytes, equalBytes, fromHex, toHex, utf8 } from '../../protocol/bytes.ts'
import { decode, encode, uint } from '../../protocol/codec.ts'
import type { EngineContext } from '../engine-context.ts'
import { ownDeviceSlots, syncItemEntry, type SyncItem } from '../store/own-device-slots.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import { mergePersonItems } from './person-item.ts'

/** Items that are kept; past it new names are dropped. An account with 10,000 contacts and 32 devices needs fewer. */
const MAX_ITEMS = 100_000

/** Name of the item that holds what a device is called. @param device - lower-case hex. */
export const deviceNameItem = (device: string): string => `device-name/${device}`
/** Name of the item that holds when a device last said that it is on. @param device - lower-case hex. */
export const lastSeenItem = (device: string): string => `last-seen/${device}`
/** Name of the item that says that the device which added another has more history for it. @param device - lower-case hex. */
export const moreHistoryItem = (device: string): string => `more-history/${device}`
/** Name of the item that holds when a person's safety number was compared. @param account - lower-case hex. */
export const verifiedItem = (account: string): string => `verified/${account}`

/** Kinds of items that are about one thing, and the bytes of its id. */
const ID_BYTES = { 'device-name': 16, 'last-seen': 16, verified: 32, person: 32 }

/** The id in the name of an item; undefined if the item is of another kind. */
export function idIn(name: string, kind: keyof typeof ID_BYTES): Uint8Array | undefined {
  const bytes = ID_BYTES[kind]
  const match = new RegExp(`^${kind}/([0-9a-f]{${2 * bytes}})$`).exec(name)
  return match ? fromHex(match[1]!, bytes) : undefined
}

export class SyncItems {
  readonly #context: EngineContext
  readonly #states: StateStore
  readonly #items = new Map<string, SyncItem>()

  constructor(context: EngineContext, states: StateStore) {
    this.#context = context
    this.#states = states
  }

  async load(): Promise<void> {
    for (const item of await this.#states.all('sync-item', syncItemEntry)) this.#items.set(item.name, item)
  }

  /** The value that counts; undefined if no device has set it. */
  get(name: string): Uint8Array | undefined {
    const value = this.#items.get(name)?.value
    return value?.length === 0 ? undefined : value
  }

  /** An item with its version, to be shipped. */
  item(name: string): SyncItem | undefined {
    return this.#items.get(name)
  }

  /** {@link get} as text. */
  text(name: string): string | undefined {
    const value = this.get(name)
    return value && new TextDecoder().decode(value)
  }

  /** Names of the items that begin so and have a value, in no order. */
  namesWith(prefix: string): string[] {
    return [...this.#items.values()]
      .filter(({ name, value }) => value.length > 0 && name.startsWith(prefix))
      .map(({ name }) => name)
  }

  /** All items in the order of their names. */
  all(): SyncItem[] {
    return [...this.#items.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Changes an item here. @returns what the other devices are told. */
  async set(unit: UnitOfWork, name: string, value: Uint8Array): Promise<SyncItem> {
    const before = await unit.read(ownDeviceSlots.syncItem(name))
    const version = Math.max(this.#context.timers.now(), (before?.version ?? 0) + 1)
    const item = { name, value, version, by: this.#context.device().deviceId }
    this.#write(unit, item)
    return item
  }

  /** Takes what another device says. @returns whether it counts. */
  async take(unit: UnitOfWork, item: SyncItem): Promise<boolean> {
    const before = await unit.read(ownDeviceSlots.syncItem(item.name))
    if (!before && this.#items.size >= MAX_ITEMS) return false
    const after = before ? merged(item, before) : item
    if (after === before) return false
    this.#write(unit, after)
    return true
  }

  #write(unit: UnitOfWork, item: SyncItem): void {
    unit.write(ownDeviceSlots.syncItem(item.name), item)
    unit.after(() => this.#items.set(item.name, item))
  }
}

/** What is left of an item and the one before it; `before` itself if nothing changes. */
function merged(item: SyncItem, before: SyncItem): SyncItem {
  const [newer, older] = isNewer(item, before) ? [item, before] : [before, item]
  if (!idIn(item.name, 'person')) return newer
  const value = mergePersonItems(newer.value, older.value)
  return newer === before && equalBytes(value, before.value) ? before : { ...newer, value }
}

/** Whether an item replaces another of the same name. The same on every device, whatever came first. */
export function isNewer(item: SyncItem, before: SyncItem): boolean {
  if (item.version !== before.version) return item.version > before.version
  const order = compareBytes(item.by, before.by)
  return order > 0 || (order === 0 && toHex(item.value) > toHex(before.value))
}

/** A time as the value of an item. @param time - milliseconds. */
export const timeValue = (time: number): Uint8Array => encode(uint(), time)

/** The time in the value of an item; null if there is none. */
export const timeIn = (value: Uint8Array | undefined): number | null =>
  value === undefined || value.length === 0 ? null : decode(uint(), value, { maxBytes: 16 })

/** A text as the value of an item. */
export const textValue = (text: string): Uint8Array => utf8(text)
