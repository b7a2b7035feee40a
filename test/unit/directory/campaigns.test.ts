/** The campaigns of test/campaigns in a form that takes seconds. */
import { describe, expect, it } from 'vitest'
import { fuzzDirectoryParsers, indexJunk } from '../../campaigns/directory-fuzz.ts'
import { runForkCampaign } from '../../campaigns/directory-forks.ts'
import { runNameRaces } from '../../campaigns/name-race.ts'

describe('whatever way the chain goes', () => {
  it('the follower ends with the fold of the final chain and no revoked device comes back', async () => {
    const report = await runForkCampaign({ seed: 1, schedules: 150, maxDepth: 20 })
    expect(report).toMatchObject({ schedules: 150, deepest: 20 })
    // A campaign that never meets what it is about proves nothing.
    expect(report.heldRevoked).toBeGreaterThan(0)
    for (const effect of [
      'deviceRevoked',
      'deviceRestored',
      'nameHeld',
      'STALE',
      'SIGNER_REVOKED',
      'COUNTER_EXPIRED'
    ]) {
      expect(report.reached[effect], effect).toBeGreaterThan(0)
    }
  })

  it('the same holds for a rollback as deep as Cardano allows', async () => {
    expect(await runForkCampaign({ seed: 7, schedules: 1, maxDepth: 2_160, rounds: 30 })).toMatchObject({
      deepest: 2_160
    })
  })
})

describe('a node that sees claims before the chain does', () => {
  it('wins no race for a name, whatever it copies, holds back or hoards', async () => {
    const report = await runNameRaces({ seed: 1, races: 200 })
    expect(report).toMatchObject({ races: 200, won: 200, stolen: 0 })
    expect(report.heldMeanwhile).toBeGreaterThan(0)
    expect(report.lapsed).toBeGreaterThan(0)
  })
})

describe('hostile bytes', () => {
  it('never make a parser throw what it does not promise, nor take long', async () => {
    const report = await fuzzDirectoryParsers({ seed: 1, inputs: 15_000 })
    expect(report.inputs).toBe(15_000)
    expect(report.taken).toBeGreaterThan(0)
    expect(report.slowestMs).toBeLessThan(5_000)
  })

  it('leave the directory as it was, however many come', async () => {
    const report = await indexJunk({ seed: 1, entries: 20_000 })
    expect(report.entries).toBe(20_000)
    expect(report.heapGrowth).toBeLessThan(64 * 1024 * 1024)
  })
})
