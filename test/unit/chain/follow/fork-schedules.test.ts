import { describe, expect, test } from 'vitest'
import { Follower } from '../../../../chain/follow/follower.ts'
import { runForkSchedule } from '../../../adversary/campaigns/follower-forks.ts'
import { MemoryStore, SimulatedChain } from '../../../support/chain/simulated-chain.ts'

/** About a second's worth; the campaign runs as many as it is told to. */
const SCHEDULES = 100

describe('a follower', () => {
  test(`tells what the chain is after any of ${SCHEDULES} schedules of rollbacks and restarts`, async () => {
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const { told, is } = await runForkSchedule({ seed, steps: 25, maxDepth: 20 })
      expect(told, `seed ${seed}`).toEqual(is)
      expect(is.length).toBeGreaterThan(0)
    }
  })

  test('survives a rollback just short of what is final', async () => {
    const chain = new SimulatedChain()
    const follower = new Follower(
      { source: chain, store: new MemoryStore() },
      { label: 1, magic: 42, pollMs: 3_600_000 }
    )
    await follower.start()
    for (let i = 0; i < 2_200; i++) chain.grow(i % 10 === 0 ? 1 : 0)
    await follower.poll()
    chain.rollBack(2_159)
    for (let i = 0; i < 2_170; i++) chain.grow(i % 7 === 0 ? 1 : 0)
    await follower.poll()
    const told: string[] = []
    for await (const { id } of follower.finals()) told.push(id)
    told.push(...follower.snapshot()!.provisional.map(({ id }) => id))
    expect(told).toEqual(chain.transactions())
    await follower.stop()
  })
})
