import { beforeEach, describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../../protocol/bytes.ts'
import type { MessageId } from '../../../../protocol/conversation/message.ts'
import type { AccountId, DeviceId } from '../../../../protocol/identity/device.ts'
import type { ConversationId } from '../../../../protocol/roster/roster.ts'
import { SILENT_LOG } from '../../../../peer/ports.ts'
import { foldedWords } from '../../../../peer/search/folded-words.ts'
import { boundsOf } from '../../../../peer/search/search-buckets.ts'
import { bucketOf, lateOrder, shippedOrder } from '../../../../peer/store/message-order.ts'
import { SearchIndex } from '../../../../peer/search/search-index.ts'
import { searchSlots } from '../../../../peer/store/search-slots.ts'
import type { StateStore } from '../../../../peer/store/state-store.ts'
import { orderOf, type MessageRow } from '../../../../peer/store/conversation-entries.ts'
import { slots } from '../../../../peer/store/store-layout.ts'
import { memoryStates } from '../../../support/peer/memory-states.ts'
import { eventually } from '../../../support/wait-for.ts'

const ADA = 'aa'.repeat(32)
const BOB = 'bb'.repeat(32)

let memory: Awaited<ReturnType<typeof memoryStates>>
let index: SearchIndex

beforeEach(async () => {
  memory = await memoryStates()
  index = indexOver(memory.states)
})

const indexOver = (states: StateStore): SearchIndex =>
  new SearchIndex({ states, timers: { after: () => () => undefined }, log: SILENT_LOG })

function rowOf(conversation: string, text: string, sentAt: number): MessageRow {
  return {
    messageId: memory.random(16) as MessageId,
    conversationId: fromHex(conversation) as ConversationId,
    from: new Uint8Array(32) as AccountId,
    device: new Uint8Array(16) as DeviceId,
    mine: false,
    kind: 'text',
    text,
    line: null,
    sentAt,
    receivedAt: sentAt,
    state: null,
    problem: null,
    readTold: true,
    file: null,
    replyTo: null,
    isForwarded: false,
    poll: null,
    expiresAfter: null,
    expiresAt: null,
    amendments: null
  }
}

/** Writes a row as the message log does. */
const add = (conversation: string, order: string, text: string, sentAt = 0): Promise<void> =>
  memory.states.unit(async unit => {
    unit.write(slots.message(conversation, order), rowOf(conversation, text, sentAt))
    await index.rowAppeared(unit, conversation, order)
  })

const change = (conversation: string, order: string, text: string): Promise<void> =>
  memory.states.unit(async unit => {
    unit.write(slots.message(conversation, order), rowOf(conversation, text, 0))
    await index.textChanged(unit, conversation, order)
  })

const ordersOf = async (query: string, limit = 50, within = index): Promise<string[]> =>
  (await within.find(foldedWords(query).split(' '), limit)).map(({ order }) => order)

const marksLeft = async (): Promise<number> =>
  (await memory.states.all('search-due', searchSlots.due('', '').codec)).length

/** A search leaves the blocks on disk as they should be. */
async function written(): Promise<void> {
  await index.find(['x'], 1)
  await eventually(async () => (await marksLeft()) === 0, 'no bucket is due')
}

describe('the search index', () => {
  test('finds parts of words in any conversation, newest first, and only as many as asked', async () => {
    await add(ADA, orderOf(1), 'The Analytical Engine', 100)
    await add(BOB, orderOf(1), 'engines of war', 300)
    await add(ADA, orderOf(2), 'nothing of the kind', 200)
    expect(await index.find(['engin'], 10)).toEqual([
      { conversation: BOB, order: orderOf(1), sentAt: 300 },
      { conversation: ADA, order: orderOf(1), sentAt: 100 }
    ])
    expect(await index.find(['engin'], 1)).toHaveLength(1)
    expect(await index.find(['engin'], 10, ADA)).toHaveLength(1)
    expect(await ordersOf('war engine')).toEqual([orderOf(1)])
    expect(await ordersOf('war kind')).toEqual([])
    expect(await index.since()).toBe(100)
  })

  test('knows a message that came after the last search, and one whose text changed', async () => {
    await add(ADA, orderOf(1), 'first')
    expect(await ordersOf('second')).toEqual([])
    await add(ADA, orderOf(2), 'second')
    expect(await ordersOf('second')).toEqual([orderOf(2)])
    await change(ADA, orderOf(1), 'edited')
    expect(await ordersOf('first')).toEqual([])
    expect(await ordersOf('edited')).toEqual([orderOf(1)])
  })

  test('is on disk for the next process, which reads no message for it', async () => {
    for (let place = 1; place <= 600; place++) await add(ADA, orderOf(place), `word${place}`, place)
    await written()
    const states = await memory.reopened()
    const reads: string[] = []
    const watched = new Proxy(states, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...args: unknown[]): unknown => {
          if (name === 'range') reads.push(String(args[0]))
          return (value as (...all: unknown[]) => unknown).apply(target, args)
        }
      }
    })
    expect(await ordersOf('word512', 50, indexOver(watched))).toEqual([orderOf(512)])
    expect(reads).not.toContain('message')
  })

  test('keeps a mark on disk for what no block has, so that a process that dies loses nothing', async () => {
    await add(ADA, orderOf(1), 'one')
    await written()
    await add(ADA, orderOf(2), 'two')
    expect(await marksLeft()).toBe(1)
    const next = indexOver(await memory.reopened())
    expect(await ordersOf('two', 50, next)).toEqual([orderOf(2)])
    expect(await ordersOf('one', 50, next)).toEqual([orderOf(1)])
  })

  test('has nothing of a text that was changed, at the moment of the change', async () => {
    await add(ADA, orderOf(1), 'secret plan')
    await written()
    const block = searchSlots.block(ADA, bucketOf(orderOf(1)), 0)
    expect((await memory.states.read(block))?.words).toBe('secret plan')
    await change(ADA, orderOf(1), '')
    expect(await memory.states.read(block)).toBeUndefined()
    expect(await ordersOf('secret')).toEqual([])
  })

  test('is made from the messages of a store that had none', async () => {
    await memory.states.unit(async unit => {
      for (let place = 1; place <= 1_200; place++) {
        unit.write(slots.message(ADA, orderOf(place)), rowOf(ADA, `old ${place}`, place))
      }
      unit.write(searchSlots.due(ADA, ''), { conversationId: fromHex(ADA) as ConversationId, bucket: '' })
    })
    expect(await ordersOf('old 1200')).toEqual([orderOf(1_200)])
    expect(await ordersOf('old', 5_000)).toHaveLength(1_200)
    await written()
  })

  test('cuts what is long into parts, and finds all of it', async () => {
    for (let place = 1; place <= 40; place++) await add(ADA, orderOf(place), `${'x'.repeat(19_000)} n${place}!`, place)
    await written()
    expect(await memory.states.read(searchSlots.block(ADA, bucketOf(orderOf(1)), 2))).toBeDefined()
    expect(await ordersOf('n39!')).toEqual([orderOf(39)])
    await change(ADA, orderOf(39), 'short')
    expect(await ordersOf('n40!')).toEqual([orderOf(40)])
  })

  test('names nothing in clear on disk', async () => {
    await add(ADA, orderOf(1), 'plaintext canary')
    await written()
    const disk = (await memory.store.range({ gte: '', lt: '~' })).map(
      ([key, value]) => key + Buffer.from(value).toString('latin1')
    )
    expect(disk.join('\n')).not.toMatch(/canary/i)
    expect(disk.join('\n')).not.toContain(ADA)
  })
})

describe('a bucket', () => {
  const shipped = `${orderOf(0)}.`

  test.each([
    [orderOf(255), '0000000000'],
    [orderOf(256), '0000000001'],
    [`${orderOf(300)}.${orderOf(7)}`, '0000000001'],
    [`${shipped}${orderOf(256)}`, `${shipped}0000000001`],
    [`${shipped}${shipped}${orderOf(3)}`, `${shipped}${shipped}0000000000`],
    [shippedOrder(orderOf(5)), `${shipped}efffe.1`],
    [shippedOrder(orderOf(0xabc)), `${shipped}efffe.3a`],
    [shippedOrder(shippedOrder(orderOf(0xabc))), `${shipped}efffd.3a`],
    [lateOrder(orderOf(300), orderOf(7)), '0000000001'],
    [shippedOrder(lateOrder(orderOf(0), orderOf(7))), `${shipped}efffe.0`]
  ])('of order %s is %s', (order, bucket) => {
    expect(bucketOf(order)).toBe(bucket)
    const { after, before } = boundsOf(bucket)
    // As the store compares: the lower bound is followed by a space.
    expect(order >= `${after} ` && order < before).toBe(true)
  })

  test('of the first places has nothing of what was shipped', async () => {
    await add(ADA, shippedOrder(orderOf(1)), 'shipped')
    await add(ADA, orderOf(1), 'own')
    await written()
    const block = await memory.states.read(searchSlots.block(ADA, bucketOf(orderOf(1)), 0))
    expect(block?.words).toBe('own')
    expect(toHex(block!.conversationId)).toBe(ADA)
    expect(await ordersOf('shipped')).toEqual([shippedOrder(orderOf(1))])
  })
})
