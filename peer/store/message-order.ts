/**
 * Orders of messages: text that sorts as the messages are shown. None grows with the number of devices that a message has
 * been shipped through.
 *
 *     000000000007                       shown here as the seventh
 *     000000000007.000000000003          fills the gap in that place
 *     000000000000.efffe.17              shipped: the seventh at the device that shipped it
 *     000000000000.efffd.17              shipped twice: the seventh at the device before that one
 *     000000000007.ffffffffffff.19       came late, behind the seventh here; the ninth at the device that shipped it
 *
 * What was shipped more often is older, so it has the lower mark. Inside of another order a number is written with the count of
 * its digits before it (`17`, `2ab`), which sorts as the numbers do. Stores of before have `000000000000.000000000007` for
 * what was shipped: it sorts before all marks, and keeps its order when it is shipped on.
 */
import { toHex } from '../../protocol/bytes.ts'
import { MAX_ORDER_LENGTH, orderOf } from './conversation-entries.ts'

/** Below every place that the log gives out. */
const SHIPPED = orderOf(0)
/** Above the number of any message of a sender that fills a gap in its place. */
export const LATE = 'f'.repeat(SHIPPED.length)
/** Of what was shipped so many times that it is counted no further: such messages sort by their other digits. */
const MOST_SHIPPED = 0
const SHIPPED_ONCE = 0xfffe
const MARK = /^000000000000\.e([0-9a-f]{4})\./
/** Of the message's name in an order that was cut: not twelve, so that it is no number to be written shorter. */
const NAME_DIGITS = 11
/** Digits of a place that its bucket lacks: they number 256 places. */
const PLACE_DIGITS = 2

/** The place here: the first number of an order. */
export const placeOf = (order: string): string => order.slice(0, SHIPPED.length)

/** Behind all shipped messages, before the first that came here by itself. */
export const AFTER_SHIPPED = `${SHIPPED}.${LATE}`

const marked = (mark: number, rest: string): string => `${SHIPPED}.e${mark.toString(16).padStart(4, '0')}.${rest}`

/** Order of a message that came as a part of the whole history. @param there - its order at the device that shipped it. */
export function shippedOrder(there: string): string {
  const mark = MARK.exec(there)
  if (mark) {
    const times = Math.max(Number.parseInt(mark[1]!, 16) - 1, MOST_SHIPPED)
    return marked(times, there.slice(mark[0].length))
  }
  const isOfBefore = placeOf(there) === SHIPPED && !isLate(there)
  return isOfBefore ? there : marked(SHIPPED_ONCE, compact(there))
}

/** Order of a message that came late. @param place - behind which it stands. */
export const lateOrder = (place: string, there: string): string => `${place}.${LATE}.${compact(there)}`

/** Above every message that came late in a place. */
export const endOfPlace = (place: string): string => `${place}.${LATE}.${LATE}`

const isLate = (order: string): boolean => order.startsWith(`${placeOf(order)}.${LATE}.`)

/** What orders of late messages compare by in one place: their order at the device that shipped them. */
export const compact = (there: string): string => there.split('.').map(shortNumber).join('.')

/** As {@link compact}; undefined for a message that did not come late. */
export const lateKeyOf = (order: string): string | undefined =>
  isLate(order) ? order.slice(SHIPPED.length + LATE.length + 2) : undefined

/** Whether a message stands among those that were shipped as the whole history. */
export const isShippedWhole = (order: string): boolean => placeOf(order) === SHIPPED && !isLate(order)

/** Twelve digits in fewer. What is short already stays. */
function shortNumber(digits: string): string {
  if (digits.length !== SHIPPED.length) return digits
  if (digits === LATE) return 'f'
  const significant = digits.replace(/^0+/, '')
  return significant === '' ? '0' : significant.length.toString(16) + significant
}

/** An order that is too long keeps its beginning, and is told from others by the name of the message. */
export function bounded(order: string, messageId: Uint8Array): string {
  if (order.length <= MAX_ORDER_LENGTH) return order
  const name = toHex(messageId).slice(0, NAME_DIGITS)
  const beginning = order.slice(0, MAX_ORDER_LENGTH - name.length - 1)
  return `${beginning.slice(0, beginning.lastIndexOf('.'))}.${name}`
}

/** The beginning of an order that the messages of up to 256 places share, and no others. */
export function bucketOf(order: string): string {
  const mark = MARK.exec(order)
  if (mark) {
    const place = order.slice(mark[0].length).split('.')[0]!
    return mark[0] + place.slice(0, Math.max(place.length - PLACE_DIGITS, 1))
  }
  // Of stores of before, which named what was shipped twice by two such places.
  let start = 0
  while (order.startsWith(`${SHIPPED}.`, start)) start += SHIPPED.length + 1
  return order.slice(0, start + SHIPPED.length - PLACE_DIGITS)
}
