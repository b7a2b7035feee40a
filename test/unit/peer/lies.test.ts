/** A form of the `lies` campaign that takes seconds: the peer's own engine, over a network in this process. */
import { describe, expect, test } from 'vitest'
import { PEER_LIES, runPeerLies } from '../../adversary/campaigns/peer-lies.ts'
import { startFakeStage } from '../../support/network/fake/lie-stage.ts'

const SEED = 20_260_731
const LIES = 70
const VICTIMS = 10

describe('a lying node', () => {
  test('is believed by no peer in a network where another operator has a node', async () => {
    const stage = await startFakeStage({ secondOperator: true, victims: VICTIMS })
    const report = await runPeerLies(stage, { seed: SEED, lies: LIES })
    expect(report.failures).toEqual([])
    expect(report).toMatchObject({ lies: LIES, accepted: 0, forgedKeys: 0, stolenKeys: 0, notRecovered: 0, hidden: 0 })
    expect(Object.keys(report.kinds).sort()).toEqual([...PEER_LIES].sort())
  })

  test('that is the only one forges no key of a known account, and the rest is shown as unconfirmed', async () => {
    const stage = await startFakeStage({ secondOperator: false, victims: VICTIMS })
    const report = await runPeerLies(stage, { seed: SEED + 1, lies: LIES })
    expect(report.failures).toEqual([])
    expect(report).toMatchObject({ lies: LIES, accepted: 0, forgedKeys: 0, notRecovered: 0 })
    // What one source can always get away with: the lies were real.
    expect(report.shownUnconfirmed).toBeGreaterThan(0)
    expect(report.refused).toBeGreaterThan(LIES / 5)
  })
})
