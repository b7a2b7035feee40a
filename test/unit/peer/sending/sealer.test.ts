import { expect, test } from 'vitest'
import type { ConversationId } from '../../../../protocol/roster/roster.ts'
import { toHex } from '../../../../protocol/bytes.ts'
import { CONTROL_DELAY_MS, Sealer, type SealerComponents } from '../../../../peer/sending/sealer.ts'
import type { UnitOfWork } from '../../../../peer/store/state-store.ts'

const conversationId = new Uint8Array(32).fill(7) as ConversationId

/** A clock that tells the next of `readings` each time, and then stays; and the timers that were asked for. */
function scriptedClock(readings: number[]) {
  const timers: { ms: number; run: () => void }[] = []
  return {
    timers,
    port: {
      monotonic: () => (readings.length > 1 ? readings.shift()! : readings[0]!),
      after: (ms: number, run: () => void) => {
        timers.push({ ms, run })
        return () => undefined
      }
    }
  }
}

/** A sealer with nothing queued, which notes what it plans to seal. */
async function idleSealer(clock: ReturnType<typeof scriptedClock>): Promise<{ sealer: Sealer; planned: string[] }> {
  const planned: string[] = []
  const components = {
    context: { timers: clock.port },
    states: { all: () => Promise.resolve([]) },
    queue: { start: () => Promise.resolve(), conversations: () => [] },
    planner: { plan: (conversation: string) => Promise.resolve(void planned.push(conversation)) }
  }
  const sealer = new Sealer(components as unknown as SealerComponents)
  await sealer.start()
  return { sealer, planned }
}

/** A unit of work that is committed at once. */
const committed = { read: () => Promise.resolve(undefined), write: () => undefined, after: (run: () => void) => run() }

test('a receipt that comes due between two readings of the clock is not forgotten', async () => {
  const due = 1_000 + CONTROL_DELAY_MS
  // Noted at 1000; the timer fires a millisecond early, and that millisecond passes during its round.
  const clock = scriptedClock([1_000, 1_000, due - 1, due])
  const { sealer, planned } = await idleSealer(clock)
  await sealer.noteDue(committed as unknown as UnitOfWork, conversationId, { read: [] })
  expect(clock.timers).toHaveLength(1)
  for (const timer of clock.timers) {
    timer.run()
    await new Promise(resolve => setTimeout(resolve))
  }
  expect(planned[0]).toBe(toHex(conversationId))
})

test('what was held is sealed once nothing holds it any more, though nobody writes', async () => {
  const clock = scriptedClock([1_000])
  const answers: unknown[] = [{ held: 'contradicted' }, { conversation: { conversationId } }]
  const sealed: unknown[] = []
  const components = {
    context: { timers: clock.port, log: { warn: () => undefined } },
    states: { all: () => Promise.resolve([]), unit: (work: (unit: unknown) => unknown) => work(committed) },
    queue: {
      start: () => Promise.resolve(),
      conversations: () => (sealed.length === 0 ? ['waits'] : []),
      first: async () => []
    },
    planner: { plan: () => Promise.resolve(answers.shift()) },
    round: { run: async () => (sealed.push('round'), { isDueDone: true, hasMore: false }) },
    outbox: { kick: () => undefined }
  }
  const sealer = new Sealer(components as unknown as SealerComponents)
  await sealer.start()
  sealer.kick()
  await new Promise(resolve => setTimeout(resolve))
  expect(sealed).toEqual([])
  expect(clock.timers).toHaveLength(1)
  clock.timers[0]!.run()
  await new Promise(resolve => setTimeout(resolve))
  expect(sealed).toEqual(['round'])
})
