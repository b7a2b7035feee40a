import { expect, test } from 'vitest'
import { fromHex } from '../../../../protocol/bytes.ts'
import { NO_BODY } from '../../../../peer/history/shown-bodies.ts'
import { ShippedPlaces } from '../../../../peer/own-devices/shipped-place.ts'
import type { ShippedRow } from '../../../../peer/own-devices/history-piece.ts'
import {
  EMPTY_CONVERSATION,
  MAX_ORDER_LENGTH,
  messageEntry,
  orderOf,
  type Conversation,
  type MessageRow,
  type ShownId
} from '../../../../peer/store/conversation-entries.ts'
import { bounded, lateOrder, shippedOrder } from '../../../../peer/store/message-order.ts'
import { slots } from '../../../../peer/store/store-layout.ts'
import { memoryStates } from '../../../support/peer/memory-states.ts'
import { SeededRandom } from '../../../support/seeded-random.ts'

const CONVERSATION = '07'.repeat(32)
const PAGE = 10_000

/** What one device shows of one conversation, by names of messages. */
async function log() {
  const { states } = await memoryStates()
  let conversation = {
    ...EMPTY_CONVERSATION,
    conversationId: fromHex(CONVERSATION),
    accountId: new Uint8Array(32),
    kind: 'direct',
    updatedAt: 0
  } as unknown as Conversation
  const insert = (id: number, order: string): Promise<void> =>
    states.unit(async unit => {
      unit.write(slots.message(CONVERSATION, order), rowOf(id))
      unit.write(slots.place(shownId(id)), { conversationId: conversation.conversationId, order })
    })
  const entries = () => states.range('message', CONVERSATION, messageEntry, { limit: PAGE })
  return {
    entries,
    ids: async () => (await entries()).map(({ value }) => idOf(value)),
    append: async (id: number): Promise<void> => {
      await insert(id, orderOf(conversation.nextPlace))
      conversation = { ...conversation, nextPlace: conversation.nextPlace + 1 }
    },
    fill: (id: number, place: number, sequence: number) => insert(id, `${orderOf(place)}.${orderOf(sequence)}`),
    take: async (shipped: ShippedRow): Promise<void> => {
      const order = await states.unit(unit => new ShippedPlaces(states).orderFor(unit, conversation, shipped))
      await insert(idOf(shipped.row as MessageRow), order)
    },
    /** A message as this device ships it late. */
    late: async (id: number): Promise<ShippedRow> => {
      const all = await entries()
      const at = all.findIndex(({ value }) => idOf(value) === id)
      const behind = at === 0 ? '' : shownId(idOf(all[at - 1]!.value))
      return { order: all[at]!.order, row: all[at]!.value, behind: fromHex(behind) }
    }
  }
}

const shownId = (id: number): ShownId => id.toString(16).padStart(64, '0') as ShownId
const idOf = ({ text }: Pick<MessageRow, 'text'>): number => Number(text)

/** All of one device of a friend. */
const rowOf = (id: number): MessageRow => ({
  messageId: fromHex(id.toString(16).padStart(32, '0')) as MessageRow['messageId'],
  conversationId: fromHex(CONVERSATION) as MessageRow['conversationId'],
  from: new Uint8Array(32).fill(1) as MessageRow['from'],
  device: new Uint8Array(16).fill(2) as MessageRow['device'],
  mine: false,
  kind: 'text',
  text: String(id),
  line: null,
  sentAt: 0,
  receivedAt: 0,
  state: null,
  problem: null,
  readTold: true,
  file: null,
  expiresAfter: null,
  expiresAt: null,
  amendments: null,
  ...NO_BODY
})

test('the history keeps its order over forty generations of devices, and its orders do not grow', async () => {
  const random = new SeededRandom(11)
  const expected: number[] = []
  let older = await log()
  for (let generation = 0; generation < 40; generation++) {
    const device = await log()
    for (const { order, value } of random.shuffled(await older.entries())) {
      await device.take({ order, row: value, behind: null })
    }
    expect(await device.ids()).toEqual(expected)
    const first = generation * 10
    await device.append(first)
    await device.append(first + 2)
    await device.fill(first + 1, 1, 5)
    expected.push(first, first + 1, first + 2)
    older = device
  }
  const lengths = (await older.entries()).map(({ order }) => order.length)
  expect(Math.max(...lengths)).toBeLessThan(40)
})

test('what comes late goes along a chain of twenty devices in order', async () => {
  const devices = [await log()]
  for (const id of [0, 1, 2]) await devices[0]!.append(id)
  while (devices.length < 20) {
    const device = await log()
    for (const { order, value } of await devices.at(-1)!.entries())
      await device.take({ order, row: value, behind: null })
    devices.push(device)
  }
  for (const id of [3, 4, 5, 6]) {
    await devices[0]!.append(id)
    for (let i = 1; i < devices.length; i++) await devices[i]!.take(await devices[i - 1]!.late(id))
  }
  for (const device of devices) expect(await device.ids()).toEqual([0, 1, 2, 3, 4, 5, 6])
})

test('an order that is too long all the same is cut, and no other message has it', () => {
  let order = orderOf(7)
  let other = orderOf(7)
  for (let hop = 0; hop < 60; hop++) {
    order = bounded(lateOrder(orderOf(900_000 + hop), order), rowOf(1).messageId)
    other = bounded(lateOrder(orderOf(900_000 + hop), other), new Uint8Array(16).fill(9))
    expect(order.length).toBeLessThanOrEqual(MAX_ORDER_LENGTH)
    // As the store wants it: else it is no place any more.
    expect(order).toMatch(/^[0-9a-f]{1,12}(\.[0-9a-f]{1,12})*$/)
  }
  expect(other).not.toBe(order)
})

test('what stores of before had shipped stays before everything that is shipped now', () => {
  const old = `${orderOf(0)}.${orderOf(0)}.${orderOf(5)}`
  expect(shippedOrder(old)).toBe(old)
  expect(shippedOrder(old) < shippedOrder(shippedOrder(orderOf(1)))).toBe(true)
})
