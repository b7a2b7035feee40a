import { ProtocolError } from '../../protocol/errors.ts'

/** What a vector claims. */
export type Claim = 'valid' | 'invalid'

/** What became of one published test on one backend. */
export type Verdict = { kind: 'passed' } | { kind: 'acceptable' } | { kind: 'failed' | 'skipped'; reason: string }

/** The library did what the vector says. */
export const PASSED: Verdict = { kind: 'passed' }
/** Libraries may differ here; counts neither as passed nor as failed. */
export const ACCEPTABLE: Verdict = { kind: 'acceptable' }

/** The library did something else. */
export function failed(reason: string): Verdict {
  return { kind: 'failed', reason }
}

/** The test asks for something that Volo does not use. */
export function skipped(reason: string): Verdict {
  return { kind: 'skipped', reason }
}

/** Passed if the claim holds. */
export function check(holds: boolean, otherwise: string): Verdict {
  return holds ? PASSED : failed(otherwise)
}

/**
 * Expects a refusal. Only a {@link ProtocolError} is one: anything else that is thrown is an error of the backend, and
 * callers would not be prepared for it.
 */
export async function expectRefusal(operation: () => unknown): Promise<Verdict> {
  try {
    await operation()
  } catch (error) {
    return error instanceof ProtocolError ? PASSED : failed(`threw ${String(error)}`)
  }
  return failed('accepted, expected a refusal')
}

/** One line of output. */
export interface Report {
  /** Path inside the folder that was asked for. */
  file: string
  backend: string
  algorithm: string
  tests: number
  passed: number
  failed: number
  skipped: number
  acceptable: number
  /** Why tests failed or were skipped, most frequent first. */
  reason?: string
}

/** Longest `reason`, in characters: a hostile file must not flood the output. */
const MAX_REASON_LENGTH = 600

/** Adds up the verdicts of one file on one backend. */
export class Tally {
  readonly #counts = { passed: 0, failed: 0, skipped: 0, acceptable: 0 }
  readonly #reasons = { failed: new Map<string, number>(), skipped: new Map<string, number>() }

  add(verdict: Verdict): void {
    this.#counts[verdict.kind]++
    if (!('reason' in verdict)) return
    const reasons = this.#reasons[verdict.kind]
    reasons.set(verdict.reason, (reasons.get(verdict.reason) ?? 0) + 1)
  }

  report(file: string, backend: string, algorithm: string): Report {
    const { passed, failed, skipped, acceptable } = this.#counts
    const tests = passed + failed + skipped + acceptable
    const lines = [...summarise(this.#reasons.failed, ''), ...summarise(this.#reasons.skipped, 'skipped: ')]
    const reason = lines.join('; ').slice(0, MAX_REASON_LENGTH)
    return {
      file,
      backend,
      algorithm,
      tests,
      passed,
      failed,
      skipped,
      acceptable,
      ...(reason === '' ? {} : { reason })
    }
  }
}

function summarise(reasons: Map<string, number>, prefix: string): string[] {
  return [...reasons]
    .sort((a, b) => b[1] - a[1])
    .map(([reason, count]) => `${prefix}${reason}${count > 1 ? ` (${count})` : ''}`)
}
