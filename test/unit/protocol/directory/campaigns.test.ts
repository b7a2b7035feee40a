/** The campaigns of test/adversary/campaigns in a form that takes a second. */
import { describe, expect, it } from 'vitest'
import { runForkCampaign } from '../../../adversary/campaigns/directory-forks.ts'
import { indexJunk } from '../../../adversary/campaigns/junk.ts'
import { runNameRaces } from '../../../adversary/campaigns/name-race.ts'

describe('whatever way the chain goes', () => {
  it('the follower ends with the fold of the final chain and no revoked device comes back', async () => {
    const report = await runForkCampaign({ seed: 1, schedules: 60, maxDepth: 20 })
    expect(report).toMatchObject({ schedules: 60, deepest: 20 })
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
    const report = await runNameRaces({ seed: 1, races: 100 })
    expect(report).toMatchObject({ races: 100, won: 100, stolen: 0 })
    expect(report.heldMeanwhile).toBeGreaterThan(0)
    expect(report.lapsed).toBeGreaterThan(0)
  })
})

describe('junk under the label', () => {
  it('leaves the directory as it was, however much comes', async () => {
    const report = await indexJunk({ seed: 1, entries: 4_000 })
    expect(report.entries).toBe(4_000)
    expect(report.heapGrowth).toBeLessThan(64 * 1024 * 1024)
    // Not only what no parser takes.
    for (const code of ['MALFORMED', 'DUPLICATE', 'STALE', 'SIGNER_REVOKED', 'BAD_SIGNATURE', 'UNKNOWN_PREV']) {
      expect(report.rejected[code], code).toBeGreaterThan(0)
    }
  })
})
