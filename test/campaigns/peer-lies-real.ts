/** The long form of lies to peers: real nodes in processes of their own, one of which lies, and real transport. */
import { LyingNetwork } from '../support/lying-network.ts'
import { realStage } from '../support/peer/lie-stage.ts'
import type { CampaignInit, CampaignOutcome } from './campaign.ts'
import { runPeerLies, type PeerLiesReport } from './peer-lies.ts'

/** An odd one out of each visitor's victims is known before it is lied about. */
const VICTIMS = 16

/** Lies beside an honest node of another operator, then alone. */
export async function runLiesOverRealNodes({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const beside = await lieOn(true, { seed, runs, budgetMs: budgetMs / 2 })
  const alone = await lieOn(false, { seed: seed + 1, runs, budgetMs: budgetMs / 2 })
  const examples = [...beside.failures, ...alone.failures]
  const figures = ({ failures: _failures, kinds: _kinds, ...rest }: PeerLiesReport): object => rest
  return {
    runs: beside.lies + alone.lies,
    failures: examples.length,
    examples: examples.slice(0, 20),
    twoOperators: figures(beside),
    oneOperator: figures(alone)
  }
}

async function lieOn(secondOperator: boolean, { seed, runs, budgetMs }: CampaignInit): Promise<PeerLiesReport> {
  const network = await LyingNetwork.start({ secondOperator, victims: VICTIMS })
  try {
    return await runPeerLies(realStage(network, secondOperator), { seed, lies: runs, budgetMs })
  } finally {
    await network.stop()
  }
}
