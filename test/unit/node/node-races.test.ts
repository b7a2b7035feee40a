import { expect, test } from 'vitest'
import { runNodeRaces } from '../../adversary/campaigns/node-races.ts'

test('what a node keeps survives that many change it at once, with random waits at each access of the disk', async () => {
  const report = await runNodeRaces({ seed: 5, runs: 3 })
  expect(report.failures).toEqual([])
  expect(report.runs).toBe(3)
})
