import { fromHex } from '../../../protocol/bytes.ts'
import { judgeFailure } from './answer.ts'
import { counted } from '../report/render-human.ts'
import type { ChainReplay } from '../sources/replay.ts'
import { ReplaySource } from '../sources/replay-source.ts'
import type { Verification } from './verification.ts'

/** A source with the directory that was folded from it. */
export interface Replayed {
  readonly source: ReplaySource
  readonly replay: ChainReplay
}

/** Replays every Blockfrost source of a run, one after the other; the checklist names those that fail. */
export async function replayAll(run: Verification): Promise<Replayed[]> {
  const replayed: Replayed[] = []
  for (const source of run.sources) {
    if (!(source instanceof ReplaySource)) continue
    try {
      const replay = await source.replay({ signal: run.init.signal })
      run.sawTip(source, { ...replay.tip, hash: fromHex(replay.tip.hash) })
      const { recordCount } = replay.directory
      const claim = `${counted(replay.transactionCount, 'transaction')} re-hashed, ${counted(recordCount, 'record')} accepted by the rules`
      run.checklist.pass('replay', claim, { source: source.name })
      replayed.push({ source, replay })
    } catch (error) {
      const judged = judgeFailure(error)
      if (!judged) throw error
      const outcome = judged.kind === 'refused' ? 'failed' : judged.kind
      run.checklist.add('replay', outcome, 'the source can be replayed', { detail: judged.reason, source: source.name })
    }
  }
  return replayed
}
