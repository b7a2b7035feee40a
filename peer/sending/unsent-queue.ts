import { toHex } from '../../protocol/bytes.ts'
import type { MessageOrigin } from '../history/shown-id.ts'
import { nextOrder, slots, unsentEntry, type Unsent } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'

/** Messages that were taken and are not sealed yet, in order. The entries are on disk; where they are is in memory. */
export class UnsentQueue {
  readonly #states: StateStore
  /** Orders of each conversation, rising. */
  readonly #orders = new Map<string, string[]>()
  /** What a unit of work that is under way has put in. */
  readonly #pushed = new WeakMap<UnitOfWork, { key: string; order: string }[]>()

  constructor(states: StateStore) {
    this.#states = states
  }

  async start(): Promise<void> {
    for (const { order, value } of await this.#states.range('unsent', undefined, unsentEntry)) this.#add(order, value)
  }

  /** Conversations with anything in the queue. */
  conversations(): string[] {
    return [...this.#orders.keys()]
  }

  /** How many messages of a conversation wait, with those that this unit of work has put in. */
  count(unit: UnitOfWork, conversationId: string): number {
    return this.#ordersIn(unit, conversationId).length
  }

  /** The shown messages in it. */
  async shown(): Promise<Pick<MessageOrigin, 'conversationId' | 'messageId'>[]> {
    const entries = await this.#states.range('unsent', undefined, unsentEntry)
    return entries.flatMap(({ value: { conversationId, messageId } }) =>
      messageId ? [{ conversationId, messageId }] : []
    )
  }

  /** Puts a message at the end, as part of a unit of work. */
  async push(unit: UnitOfWork, item: Unsent): Promise<void> {
    const order = await nextOrder(unit)
    unit.write(slots.unsent(order), item)
    this.#pushed.set(unit, [...(this.#pushed.get(unit) ?? []), { key: toHex(item.conversationId), order }])
    unit.after(() => this.#add(order, item))
  }

  /** The first messages of a conversation. */
  async first(unit: UnitOfWork, conversationId: string, limit: number): Promise<(Unsent & { order: string })[]> {
    const items: (Unsent & { order: string })[] = []
    for (const order of this.#ordersIn(unit, conversationId).slice(0, limit)) {
      const item = await unit.read(slots.unsent(order))
      if (item) items.push({ ...item, order })
    }
    return items
  }

  /** Takes a message out, as part of the unit of work that seals it. */
  remove(unit: UnitOfWork, { order, conversationId }: Pick<Unsent, 'conversationId'> & { order: string }): void {
    unit.remove(slots.unsent(order))
    unit.after(() => {
      const key = toHex(conversationId)
      const rest = (this.#orders.get(key) ?? []).filter(other => other !== order)
      if (rest.length === 0) this.#orders.delete(key)
      else this.#orders.set(key, rest)
    })
  }

  #ordersIn(unit: UnitOfWork, conversationId: string): string[] {
    const pushed = (this.#pushed.get(unit) ?? []).filter(({ key }) => key === conversationId)
    return [...(this.#orders.get(conversationId) ?? []), ...pushed.map(({ order }) => order)]
  }

  #add(order: string, { conversationId }: Unsent): void {
    const key = toHex(conversationId)
    const orders = this.#orders.get(key)
    if (orders) orders.push(order)
    else this.#orders.set(key, [order])
  }
}
