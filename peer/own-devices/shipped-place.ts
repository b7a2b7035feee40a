/**
 * Where a shipped message stands among those that this device received itself.
 *
 * What the other device had when it added this one keeps its order, before everything that came here: `000000000000.<order>`.
 * What came late stands behind the message that it followed there: `<place>.ffffffffffff.<order>`. Orders of two devices may
 * differ between senders, so that can be too far down or up. The messages of each single device keep their order in any case:
 * a late one goes before all that its device sent here itself, because its sender did not know of this device yet.
 */
import { toHex } from '../../protocol/bytes.ts'
import { messageEntry, orderOf, type Conversation, type ShownId } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import type { ShippedRow } from './history-piece.ts'

/** Below every place that the log gives out. */
const SHIPPED = orderOf(0)
/** Above the number of any message of a sender that fills a gap in its place. */
const LATE = 'f'.repeat(SHIPPED.length)
const PAGE = 500

/** What one device has in a conversation here. */
interface Spoken {
  /** Orders of the late ones, here and at the other device. */
  late: { here: string; there: string }[]
  /** Order of the first that came here by itself. */
  first: string | undefined
}

const placeIn = (order: string): string => order.slice(0, SHIPPED.length)
const lateOrder = (place: string, there: string): string => `${place}.${LATE}.${there}`
/** Order at the other device, of one that came late; undefined for any other. */
const thereIn = (order: string): string | undefined => {
  const mark = `${placeIn(order)}.${LATE}.`
  return order.startsWith(mark) ? order.slice(mark.length) : undefined
}

/** Finds places for the messages that one unit of work merges. */
export class ShippedPlaces {
  readonly #states: StateStore
  readonly #spoken = new Map<string, Spoken>()

  constructor(states: StateStore) {
    this.#states = states
  }

  /** The order under which a message that is not here is stored. */
  async orderFor(
    unit: UnitOfWork,
    conversation: Conversation,
    { order: there, row, behind }: ShippedRow
  ): Promise<string> {
    if (behind === null) return `${SHIPPED}.${there}`
    const wanted = await this.#wanted(unit, conversation, behind, there)
    const spoken = await this.#spokenBy(toHex(conversation.conversationId), toHex(row.device))
    const order = within(spoken, wanted, there)
    spoken.late.push({ here: order, there })
    return order
  }

  /** Behind the message that it followed; at the end as long as that one has not come. */
  async #wanted(unit: UnitOfWork, { nextPlace }: Conversation, behind: Uint8Array, there: string): Promise<string> {
    if (behind.length === 0) return `${SHIPPED}.${there}`
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
    let after = `${SHIPPED}.${LATE}`
    for (;;) {
      const page = await this.#states.range('message', conversation, messageEntry, { after, limit: PAGE })
      for (const { order, value } of page) {
        if (toHex(value.device) !== device) continue
        const there = thereIn(order)
        if (there !== undefined) spoken.late.push({ here: order, there })
        else if (value.kind !== 'system') spoken.first = order
        if (spoken.first !== undefined) return spoken
      }
      if (page.length < PAGE) return spoken
      after = page.at(-1)!.order
    }
  }
}

/** Right behind a message: in the order of the other device, where that one was shipped, too. */
function orderBehind(anchor: string, there: string): string {
  const place = placeIn(anchor)
  return place === SHIPPED && thereIn(anchor) === undefined ? `${SHIPPED}.${there}` : lateOrder(place, there)
}

/** The wanted order, or the nearest one that keeps the messages of its device in order. */
function within({ late, first }: Spoken, wanted: string, there: string): string {
  const earlier = late.filter(other => other.there < there).map(({ here }) => here)
  const later = late.filter(other => other.there > there).map(({ here }) => here)
  if (first !== undefined) later.push(lateOrder(orderOf(Number.parseInt(placeIn(first), 16) - 1), LATE))
  const lowest = earlier.sort().at(-1)
  const highest = later.sort()[0]
  if (highest !== undefined && wanted > highest) return lateOrder(placeIn(highest), there)
  return lowest !== undefined && wanted < lowest ? lateOrder(placeIn(lowest), there) : wanted
}
