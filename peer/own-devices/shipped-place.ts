/**
 * Where a shipped message stands among those that this device received itself; for the orders themselves see
 * peer/store/message-order.ts.
 *
 * What the other device had when it added this one keeps its order, before everything that came here. What came late stands
 * behind the message that it followed there. The orders of two devices may differ between senders, so that place can be too far
 * down or up. The messages of each single device keep their order in any case: a late one goes before everything that its
 * device has sent here itself, because its sender did not know of this device yet.
 */
import { toHex } from '../../protocol/bytes.ts'
import { messageEntry, orderOf, type Conversation, type ShownId } from '../store/conversation-entries.ts'
import {
  AFTER_SHIPPED,
  bounded,
  compact,
  endOfPlace,
  isShippedWhole,
  lateKeyOf,
  lateOrder,
  placeOf,
  shippedOrder
} from '../store/message-order.ts'
import { slots } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import type { ShippedRow } from './history-piece.ts'

const PAGE = 500

/** What one device has in a conversation here. */
interface Spoken {
  /** Of the late ones: the order here, and what the orders at the other device compare by. */
  late: { here: string; key: string }[]
  /** Order of the first that came here by itself. */
  first: string | undefined
}

/** Finds places for the messages that one unit of work merges. */
export class ShippedPlaces {
  readonly #states: StateStore
  readonly #spoken = new Map<string, Spoken>()

  constructor(states: StateStore) {
    this.#states = states
  }

  /** The order under which a message that is not here is stored; at most MAX_ORDER_LENGTH characters. */
  async orderFor(
    unit: UnitOfWork,
    conversation: Conversation,
    { order: there, row, behind }: ShippedRow
  ): Promise<string> {
    if (behind === null) return bounded(shippedOrder(there), row.messageId)
    const wanted = await this.#wanted(unit, conversation, behind, there)
    const spoken = await this.#spokenBy(toHex(conversation.conversationId), toHex(row.device))
    const order = bounded(within(spoken, wanted, there), row.messageId)
    spoken.late.push({ here: order, key: compact(there) })
    return order
  }

  /** Behind the message that it followed; at the end as long as that one has not come. */
  async #wanted(unit: UnitOfWork, { nextPlace }: Conversation, behind: Uint8Array, there: string): Promise<string> {
    if (behind.length === 0) return shippedOrder(there)
    const anchor = await unit.read(slots.place(toHex(behind) as ShownId))
    return anchor ? orderBehind(anchor.order, there) : lateOrder(orderOf(nextPlace - 1), there)
  }

  /** Reads what came here by itself up to the first message of a device. */
  async #spokenBy(conversation: string, device: string): Promise<Spoken> {
    const key = `${conversation}/${device}`
    const known = this.#spoken.get(key)
    if (known) return known
    const spoken: Spoken = { late: [], first: undefined }
    this.#spoken.set(key, spoken)
    let after = AFTER_SHIPPED
    for (;;) {
      const page = await this.#states.range('message', conversation, messageEntry, { after, limit: PAGE })
      for (const { order, value } of page) {
        if (toHex(value.device) !== device) continue
        const key = lateKeyOf(order)
        if (key !== undefined) spoken.late.push({ here: order, key })
        else if (value.kind !== 'system') spoken.first = order
        if (spoken.first !== undefined) return spoken
      }
      if (page.length < PAGE) return spoken
      after = page.at(-1)!.order
    }
  }
}

/** Right behind a message: in the order of the other device, where that one was shipped, too. */
const orderBehind = (anchor: string, there: string): string =>
  isShippedWhole(anchor) ? shippedOrder(there) : lateOrder(placeOf(anchor), there)

/** The wanted order, or the nearest one that keeps the messages of its device in order. */
function within({ late, first }: Spoken, wanted: string, there: string): string {
  const earlier = late.filter(({ key }) => key < compact(there)).map(({ here }) => here)
  const later = late.filter(({ key }) => key > compact(there)).map(({ here }) => here)
  if (first !== undefined) later.push(endOfPlace(orderOf(Number.parseInt(placeOf(first), 16) - 1)))
  const lowest = earlier.sort().at(-1)
  const highest = later.sort()[0]
  if (highest !== undefined && wanted > highest) return orderBehind(highest, there)
  return lowest !== undefined && wanted < lowest ? orderBehind(lowest, there) : wanted
}
