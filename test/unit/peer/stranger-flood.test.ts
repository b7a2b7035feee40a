/** A form of the `stranger-flood` campaign that takes seconds. */
import { expect, test } from 'vitest'
import { MAX_PARKED_STRANGE_BYTES } from '../../../peer/receiving/parked-deliveries.ts'
import { STRANGER_BURST } from '../../../peer/receiving/roster-lookups.ts'
import { runStrangerFlood } from '../../adversary/campaigns/stranger-flood.ts'

const FORGED = 200
const WAVE = 5

test('forged first messages of strangers hold up no honest one, and leave nothing behind', async () => {
  const report = await runStrangerFlood({ seed: 20_261_129, runs: FORGED, budgetMs: 60_000 })
  expect(report).toMatchObject({ forged: FORGED, honest: FORGED / WAVE, accountsLeft: 0, conversationsLeft: 0 })
  expect(report.storeGrowthBytes).toBeLessThan(MAX_PARKED_STRANGE_BYTES)
  // Two operators are asked for each account; without a budget there would be one question for each forged Open.
  expect(report.questions).toBeLessThan(4 * STRANGER_BURST + FORGED / 4)
  // The campaign holds it to twice; here a busy machine must not decide.
  expect(report.floodedMs).toBeLessThan(10 * report.quietMs + 100)
})
