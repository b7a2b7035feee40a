/** Throws spoilt and made-up input at every parser; only the errors that parsers promise may come out, and soon. */
import { ChainError } from '../../../../chain/errors.ts'
import { ReleaseError } from '../../../../chain/verify/manifest-errors.ts'
import { VerifyError } from '../../../../chain/verify/errors.ts'
import { PeerError } from '../../../../peer/errors.ts'
import { ProtocolError } from '../../../../protocol/errors.ts'
import { SeededRandom } from '../../../support/seeded-random.ts'
import { answerTargets } from './answer-targets.ts'
import { directoryTargets } from './directory-targets.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { sessionTargets } from './session-targets.ts'
import { wireTargets } from './wire-targets.ts'

/** All parsers that meet bytes of strangers. */
export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  ...directoryTargets,
  ...sessionTargets,
  ...wireTargets,
  ...answerTargets
]

export interface FuzzInit {
  /** Input `i` follows from `seed` and `i` alone, so that it can be run again by itself. */
  seed: number
  inputs: number
  /** Parsers to try; all if left out. */
  targets?: readonly FuzzTarget[]
  /** Number of the first input. */
  from?: number
  budgetMs?: number
  /** Told the number of each input before it is parsed. */
  onInput?: (index: number) => void
}

/** What the parsers went through. */
export interface FuzzReport {
  inputs: number
  targets: number
  /** Inputs that a parser took. */
  taken: number
  /** The slowest single input, in milliseconds. */
  slowestMs: number
  /** The parser that met it. */
  slowest: string
  /** One sentence each, with the input. */
  failures: string[]
}

/** A single input that takes longer is a failure: nothing that a stranger sends may stop a node. */
const MAX_INPUT_MS = 2_000
/** Failures that are told; the rest is most likely the same again. */
const MAX_FAILURES = 20
const PROMISED = [ProtocolError, ChainError, VerifyError, PeerError, ReleaseError]

/** Tries inputs until their number, the budget, or too many failures are reached. */
export async function runFuzz(init: FuzzInit): Promise<FuzzReport> {
  const { seed, inputs, targets = FUZZ_TARGETS, from = 0, budgetMs = Infinity, onInput } = init
  const report: FuzzReport = {
    inputs: 0,
    targets: targets.length,
    taken: 0,
    slowestMs: 0,
    slowest: '',
    failures: []
  }
  const deadline = performance.now() + budgetMs
  while (report.inputs < inputs && performance.now() < deadline && report.failures.length < MAX_FAILURES) {
    const index = from + report.inputs++
    onInput?.(index)
    await tryInput(report, targets, seed, index)
  }
  return report
}

async function tryInput(
  report: FuzzReport,
  targets: readonly FuzzTarget[],
  seed: number,
  index: number
): Promise<void> {
  const random = new SeededRandom((seed ^ Math.imul(index + 1, 0x9e37_79b1)) >>> 0)
  const target = random.pick(targets)
  const { parse, shown } = target.attempt(random)
  const start = performance.now()
  try {
    await parse()
    report.taken++
  } catch (error) {
    if (!PROMISED.some(promised => error instanceof promised)) {
      report.failures.push(`${target.name}, input ${index}: ${String(error)} on ${shown()}`)
    }
  }
  const took = performance.now() - start
  if (took > report.slowestMs) Object.assign(report, { slowestMs: took, slowest: target.name })
  if (took > MAX_INPUT_MS) report.failures.push(`${target.name}, input ${index}: took ${took} ms on ${shown()}`)
}
