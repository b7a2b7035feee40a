import { expect, test } from 'vitest'
import { runFlawSchedule } from '../../../adversary/campaigns/follower-flaws.ts'

/** A few seconds' worth; the campaign `follower-flaws` runs as many as it is told to. */
const SCHEDULES = 60

test(`a follower has the chain after any of ${SCHEDULES} schedules of spoilt lists, and nothing else was final before`, async () => {
  let [spoilt, named] = [0, 0]
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const outcome = await runFlawSchedule({ seed, steps: 12 })
    expect(outcome.told, `seed ${seed}`).toEqual(outcome.is)
    expect(outcome.is.length).toBeGreaterThan(0)
    spoilt += outcome.spoilt
    named += outcome.named
  }
  // Nearly every spoilt list is read again within its poll.
  expect(spoilt).toBeGreaterThan(SCHEDULES)
  expect(named).toBeLessThan(spoilt)
})
