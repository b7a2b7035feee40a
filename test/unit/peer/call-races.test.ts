/** A form of the campaign `call-races` that takes seconds. */
import { expect, test } from 'vitest'
import { runCallRaces } from '../../adversary/campaigns/call-races.ts'

const SEED = 20_261_129
const RUNS = 2

test('calls that are made at once take effect in the order of the calls, however long the disk takes for each', async () => {
  const report = await runCallRaces({ seed: SEED, runs: RUNS })
  expect(report.failures).toEqual([])
})
