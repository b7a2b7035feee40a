import { expect, it } from 'vitest'
import { messageBytes } from '../../../adversary/campaigns/custody-bytes.ts'
import { HEAVIEST, measurePlacement, problemsOf, WIRE_OVERHEAD } from '../../../adversary/campaigns/placement.ts'

it('a small form of the placement campaign finds the load even, and nothing lost with one node after another', () => {
  const figures = measurePlacement({ seed: 1, nodes: 12, shardCount: 1_024 })
  expect(problemsOf(figures)).toEqual([])
  expect(figures.heaviest).toBeLessThan(HEAVIEST)
  // A tenth of twelve nodes is one: its shards have two replicas left.
  expect(figures.lostTogether['0.1']).toEqual({ chance: 0, part: 0 })
})

it('too few shards make an uneven load, which the campaign says', () => {
  const problems = problemsOf(measurePlacement({ seed: 1, nodes: 20, shardCount: 64 }))
  expect(problems).toEqual([expect.stringMatching(/^20 nodes: the heaviest has 1\.\d+ times the mean$/)])
})

it('a message of a full batch takes at most 1.2 copies for each replica and the device', async () => {
  const { perPayloadByte } = await messageBytes(64, 1_024, 3)
  expect(perPayloadByte).toBeGreaterThan(4)
  expect(perPayloadByte).toBeLessThan(WIRE_OVERHEAD * 4)
})
