/** A form of the campaign `races` that takes seconds. */
import { expect, test } from 'vitest'
import { runRaces } from '../../../adversary/campaigns/races.ts'

const SEED = 20_261_129
const RUNS = 60

test('nothing that a node told of an account is lost, in whatever order questions, answers and writes come', async () => {
  const report = await runRaces({ seed: SEED, runs: RUNS })
  expect(report.failures).toEqual([])
  expect(report.told).toBeGreaterThan(RUNS)
})
