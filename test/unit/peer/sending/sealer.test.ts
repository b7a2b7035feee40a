import { expect, test } from 'vitest'
import type { ConversationId } from '../../../../protocol/roster/roster.ts'
import { Sealer, type SealerComponents } from '../../../../peer/sending/sealer.ts'

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

/** A unit of work that is committed at once. */
const committed = { read: () => Promise.resolve(undefined), write: () => undefined, after: (run: () => void) => run() }

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
    planner: { plan: () => Promise.resolve(answers.shift()), isCurrent: () => true },
    round: { run: async () => (sealed.push('round'), false) },
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
