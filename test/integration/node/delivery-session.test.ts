import { afterEach, beforeEach, expect, it } from 'vitest'
import { DeliverySession, type DeliverySink } from '../../../node/messages/delivery-session.ts'
import { NodeError } from '../../../node/errors.ts'
import { PendingMessageStore } from '../../../node/pending-messages/pending-message-store.ts'
import type { StoreOutcome } from '../../../node/pending-messages/store-item.ts'
import { toHex } from '../../../protocol/bytes.ts'
import type { Delivery } from '../../../protocol/wire/envelope.ts'
import {
  crypto,
  makeDelivery,
  network,
  newMailbox,
  quietLogger,
  temporaryFolder
} from '../../support/network/in-process/fixtures.ts'
import { eventually } from '../../support/wait-for.ts'

const mailbox = newMailbox()
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let store: PendingMessageStore
let session: DeliverySession
let sent: string[]
let isCaughtUp: boolean
/** The last look into the store found nothing more. */
let hasLookedUp: boolean

beforeEach(async () => {
  folder = await temporaryFolder()
  store = new PendingMessageStore(
    {
      crypto,
      network,
      clock: Date.now,
      logger: quietLogger,
      shardOf: () => 0,
      events: {
        signEviction: async () => new Uint8Array(),
        onEvicted: () => undefined,
        onCorrupt: () => undefined,
        onFatal: () => undefined
      }
    },
    { directory: folder.path }
  )
  await store.open()
  hasLookedUp = false
  const read = store.pendingAfter.bind(store)
  store.pendingAfter = async (...asked) => {
    hasLookedUp = false
    const page = await read(...asked)
    hasLookedUp = page.length === 0
    return page
  }
  sent = []
  isCaughtUp = false
  const sink: DeliverySink = {
    owner: {},
    deliver: deliveries => sent.push(...deliveries.map(({ id }) => toHex(id))) > 0,
    caughtUp: () => (isCaughtUp = true),
    evicted: () => true
  }
  session = new DeliverySession(mailbox, store, sink, quietLogger)
  session.start()
  session.pulled()
})

afterEach(async () => {
  await session.stop()
  await store.close()
  await folder.remove()
})

/** Once the session has caught up, has found no more, and sleeps. */
async function asleep(): Promise<void> {
  await eventually(() => isCaughtUp && hasLookedUp, 'the session sleeps')
  await new Promise(resolve => setImmediate(resolve))
}

/** Stores as a replica does. @returns what had been sent when the disk was still at work. */
async function put(deliveries: Delivery[]): Promise<string[]> {
  let sentWhileWriting: string[] = []
  const sequence = (outcome: StoreOutcome): number => (outcome.state === 'stored' ? outcome.sequence : 0)
  const outcomes = await store.store(
    deliveries.map(delivery => ({ mailbox, delivery, origin: 0 })),
    writing => {
      for (const [index, outcome] of writing.entries()) session.offer(sequence(outcome), deliveries[index]!)
      sentWhileWriting = [...sent]
    }
  )
  for (const [index, outcome] of outcomes.entries()) session.onStored(sequence(outcome), deliveries[index]!)
  return sentWhileWriting
}

const ids = (deliveries: Delivery[]): string[] => deliveries.map(({ id }) => toHex(id))

it('a device that has caught up gets a message while the disk is still at work, and once', async () => {
  const first = makeDelivery(mailbox)
  await put([first])
  await eventually(() => sent.length === 1)
  await asleep()
  const live = [makeDelivery(mailbox), makeDelivery(mailbox)]
  expect(await put(live)).toEqual(ids([first, ...live]))
  const last = makeDelivery(mailbox)
  await put([last])
  await eventually(() => sent.length === 4)
  expect(sent).toEqual(ids([first, ...live, last]))
})

it('what waits goes first: a message that comes meanwhile is read in its turn', async () => {
  const waiting = Array.from({ length: 70 }, () => makeDelivery(mailbox))
  const writing = put(waiting)
  const live = makeDelivery(mailbox)
  expect(await put([live])).not.toContain(toHex(live.id))
  await writing
  await eventually(() => sent.length === 71)
  expect(sent).toEqual(ids([...waiting, live]))
})

it('a read that fails is tried again: what waits comes, and what comes after it', async () => {
  await eventually(() => isCaughtUp)
  const read = store.pendingAfter.bind(store)
  let failed = 0
  store.pendingAfter = async (...asked) => {
    if (failed++ < 1) throw new NodeError('busy', 'the store has too much to write')
    return read(...asked)
  }
  const waiting = [makeDelivery(mailbox), makeDelivery(mailbox)]
  const outcomes = await store.store(waiting.map(delivery => ({ mailbox, delivery, origin: 0 })))
  // Told out of turn, so that both are read.
  session.onStored((outcomes[1] as { sequence: number }).sequence, waiting[1]!)
  await eventually(() => failed > 0)
  const later = makeDelivery(mailbox)
  await put([later])
  await eventually(() => sent.length === 3)
  expect(sent).toEqual(ids([...waiting, later]))
})

it('a device that has caught up gets what just came before it is looked up, once, and what follows it', async () => {
  await asleep()
  const [ahead, next, both] = [makeDelivery(mailbox), makeDelivery(mailbox), makeDelivery(mailbox)]
  session.sendAhead(ahead)
  session.sendAhead(ahead)
  expect(sent).toEqual(ids([ahead]))
  // It gets its place after another one, so that both are read from the store.
  await put([next])
  await put([ahead])
  session.sendAhead(both)
  await put([both])
  const last = makeDelivery(mailbox)
  await put([last])
  await eventually(() => sent.length >= 4)
  expect(sent).toEqual(ids([ahead, next, both, last]))
})

it('what just came does not overtake what waits', async () => {
  const waiting = Array.from({ length: 70 }, () => makeDelivery(mailbox))
  const writing = put(waiting)
  const live = makeDelivery(mailbox)
  session.sendAhead(live)
  expect(sent).toEqual([])
  await writing
  await put([live])
  await eventually(() => sent.length === 71)
  expect(sent).toEqual(ids([...waiting, live]))
})

it('what just came does not overtake what came while the session was looking for more', async () => {
  await eventually(() => isCaughtUp)
  const look = Promise.withResolvers<void>()
  let looks = 0
  const read = store.pendingAfter.bind(store)
  store.pendingAfter = async (...asked) => {
    looks++
    await look.promise
    return read(...asked)
  }
  const before = makeDelivery(mailbox)
  await store.store([{ mailbox, delivery: before, origin: 0 }])
  // Told out of turn, so that the session looks for itself.
  session.onStored(2 ** 40, before)
  await eventually(() => looks > 0)
  const [first, second] = [makeDelivery(mailbox), makeDelivery(mailbox)]
  session.sendAhead(first)
  look.resolve()
  await eventually(() => sent.length === 1)
  await asleep()
  session.sendAhead(second)
  await put([first])
  await put([second])
  await eventually(() => sent.length === 3)
  expect(sent).toEqual(ids([before, first, second]))
})

it('what just came and is not kept after all does not hold up what follows', async () => {
  await asleep()
  const refused = Array.from({ length: 300 }, () => makeDelivery(mailbox))
  for (const delivery of refused) {
    session.sendAhead(delivery)
    session.acknowledged([delivery.id])
    await new Promise(resolve => setImmediate(resolve))
  }
  const last = makeDelivery(mailbox)
  await put([last])
  await eventually(() => sent.length >= 301)
  expect(sent).toEqual(ids([...refused, last]))
})
