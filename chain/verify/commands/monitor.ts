import { setTimeout as sleep } from 'node:timers/promises'
import type { Invocation } from '../arguments.ts'
import { VerifyError } from '../errors.ts'
import { accountFacts, accountLines } from '../checks/facts.ts'
import { compareStates, knownStateOf, readKnownState, writeKnownState, type KnownState } from '../checks/known-state.ts'
import { withSources, type Surroundings } from '../open-sources.ts'
import { EXIT_CODES, verdictOf, type VerificationReport } from '../report/report.ts'
import { parseSubject, type Subject } from '../checks/subject.ts'
import { verifyAccount } from '../checks/verify-account.ts'
import type { Verification } from '../checks/verification.ts'

const SECOND_MS = 1_000

/** `monitor <@name|id>`: tells when the records of an account are no longer the known ones. */
export async function run(
  invocation: Invocation,
  surroundings: Surroundings
): Promise<VerificationReport | { exitCode: number }> {
  const subject = parseSubject(invocation.positionals[0]!)
  if (invocation.options.atHeight !== undefined || invocation.proofs.length > 0) {
    throw new VerifyError('USAGE', 'monitor looks at what is now: leave out --at-height and --proof')
  }
  const monitor = new Monitor(invocation, surroundings, subject)
  if (invocation.once) return monitor.look()
  return { exitCode: await monitor.watch() }
}

class Monitor {
  readonly #invocation: Invocation
  readonly #surroundings: Surroundings
  readonly #subject: Subject
  /** The state that nothing is said about; without a file it lives as long as this run. */
  #known: KnownState | undefined

  constructor(invocation: Invocation, surroundings: Surroundings, subject: Subject) {
    this.#invocation = invocation
    this.#surroundings = surroundings
    this.#subject = subject
  }

  /** Looks again and again, and tells what it finds whenever that changes. @returns the exit code of the worst look. */
  async watch(): Promise<number> {
    const { signal } = this.#surroundings
    let told = ''
    let worst = 0
    while (signal?.aborted !== true) {
      const report = await this.look().catch((error: unknown) => {
        if (signal?.aborted) return undefined
        throw error
      })
      if (!report || signal?.aborted) break
      const verdict = verdictOf(report)
      const found = JSON.stringify([verdict, report.facts])
      if (found !== told) this.#surroundings.emit(report)
      told = found
      worst = worse(worst, EXIT_CODES[verdict])
      await sleep(this.#invocation.interval * SECOND_MS, undefined, signal ? { signal } : {}).catch(() => undefined)
    }
    return worst
  }

  /** One look. */
  look(): Promise<VerificationReport> {
    return withSources(this.#invocation, this.#surroundings, async run => {
      const account = await verifyAccount(run, this.#subject)
      if (!account) return run.report(0)
      const now = knownStateOf(run, account)
      const changes = await this.#judge(run, now)
      const facts = { changes, account: { ...accountFacts(run, account), confirmations: undefined } }
      return run.report(account.level, facts, accountLines(run, account))
    })
  }

  async #judge(run: Verification, now: KnownState): Promise<unknown[]> {
    const { state: file, accept } = this.#invocation
    const about = this.#subject.label
    const known = file === undefined ? this.#known : await readKnownState(file)
    if (!known || accept) {
      run.checklist.pass('baseline', 'the records as they are now are the known ones', { about })
      await this.#remember(now)
      return []
    }
    const changes = compareStates(known, now)
    for (const { kind, reason } of changes) {
      const claim =
        kind === 'grown' ? 'no record came on top of the known ones' : 'the known records stand where they stood'
      run.checklist.add('changed', kind === 'rewritten' ? 'failed' : 'unconfirmed', claim, { detail: reason, about })
    }
    if (changes.length === 0) {
      run.checklist.pass('changed', `the ${known.records.length} known records are all there is`, { about })
      // Only their depth is new: it decides what counts as rewritten from now on.
      await this.#remember(now)
    }
    return changes
  }

  async #remember(state: KnownState): Promise<void> {
    const { state: file } = this.#invocation
    if (file === undefined) this.#known = state
    else await writeKnownState(file, state)
  }
}

/** A contradiction is worse than anything; otherwise the higher code. */
function worse(a: number, b: number): number {
  if (a === EXIT_CODES.contradiction || b === EXIT_CODES.contradiction) return EXIT_CODES.contradiction
  return Math.max(a, b)
}
