/** A form of the campaign `wrong-clocks` that takes seconds. */
import { expect, test } from 'vitest'
import { runWrongClocks } from '../../adversary/campaigns/wrong-clocks.ts'

const SEED = 20_261_129
const RUNS = 3

test('whatever the clocks of devices and nodes said, every message is there once they are right', async () => {
  const report = await runWrongClocks({ seed: SEED, runs: RUNS })
  expect(report.failures).toEqual([])
  expect(report.writtenWrong).toBeGreaterThan(0)
})
