/** The long form of lies to peers: real nodes in processes of their own, one of which lies, and real transport. */
import { LyingNetwork } from '../../support/network/real-processes/lying-network.ts'
import { realStage } from '../../support/network/fake/lie-stage.ts'
import type { CampaignInit, CampaignOutcome } from './campaign.ts'
import { runPeerLies, type PeerLiesInit, type PeerLiesReport } from './peer-lies.ts'

/** An odd one out of each visitor's victims is known before it is lied about. */
const VICTIMS = 16

/** Lies to peers in this process. */
export function runLiesOverRealNodes(init: CampaignInit): Promise<CampaignOutcome> {
  return besideAndAlone(init, async (secondOperator, each) => {
    const network = await LyingNetwork.start({ secondOperator, victims: VICTIMS })
    try {
      return await runPeerLies(realStage(network, secondOperator), each)
    } finally {
      await network.stop()
    }
  })
}

/** Lies beside an honest node of another operator, then alone, each with half of the time. */
export async function besideAndAlone(
  { seed, runs, budgetMs }: CampaignInit,
  run: (secondOperator: boolean, init: PeerLiesInit) => Promise<PeerLiesReport>
): Promise<CampaignOutcome> {
  const beside = await run(true, { seed, lies: runs, budgetMs: budgetMs / 2 })
  const alone = await run(false, { seed: seed + 1, lies: runs, budgetMs: budgetMs / 2 })
  const examples = [...beside.failures, ...alone.failures]
  // A campaign whose lies never get anywhere, or that never began, proves nothing.
  if (beside.lies === 0 || alone.lies === 0) examples.push('no lie was told')
  const figures = ({ failures: _failures, kinds: _kinds, ...rest }: PeerLiesReport): object => rest
  return {
    runs: beside.lies + alone.lies,
    failures: examples.length,
    examples: examples.slice(0, 20),
    twoOperators: figures(beside),
    oneOperator: figures(alone)
  }
}
