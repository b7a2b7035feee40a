import { expect, test } from 'vitest'
import { CONTROL_DELAY_MS, PairSender, type PairSenderComponents } from '../../../../peer/sending/pair-sender.ts'
import type { UnitOfWork } from '../../../../peer/store/state-store.ts'
import type { DeviceId } from '../../../../protocol/identity/device.ts'
import type { ConversationId } from '../../../../protocol/roster/roster.ts'

const conversationId = new Uint8Array(32).fill(7) as ConversationId
const deviceId = new Uint8Array(16).fill(8) as DeviceId

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

test('a receipt that comes due between two readings of the clock is not forgotten', async () => {
  const due = 1_000 + CONTROL_DELAY_MS
  // Noted at 1000; the timer fires a millisecond early, and that millisecond passes during its round.
  const clock = scriptedClock([1_000, 1_000, due - 1, due])
  let units = 0
  const components = {
    context: { timers: clock.port },
    states: {
      all: () => Promise.resolve([]),
      unit: (work: (unit: unknown) => unknown) => (units++, work(committed))
    }
  }
  const pairs = new PairSender(components as unknown as PairSenderComponents)
  await pairs.start()
  await pairs.noteDue(committed as unknown as UnitOfWork, conversationId, deviceId, { read: [] })
  expect(clock.timers).toHaveLength(1)
  for (const timer of clock.timers) {
    timer.run()
    await new Promise(resolve => setTimeout(resolve))
  }
  expect(units).toBeGreaterThan(0)
})
