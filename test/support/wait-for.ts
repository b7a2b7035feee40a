/** Waiting for what other parts bring about: a test looks again and again, and ends as soon as it holds. */
import { setTimeout as sleep } from 'node:timers/promises'

/** As long as a busy machine may need. */
const PATIENCE_MS = 60_000
const LOOK_MS = 10

export interface Patience {
  /** What is waited for, for the message of the error. */
  what?: string
  /** Milliseconds until it is too late. */
  timeoutMs?: number
  /** Milliseconds between two looks. */
  lookMs?: number
}

/**
 * Waits until a claim holds.
 * @param patience - a text is {@link Patience.what}.
 * @throws Error if the claim does not hold in time.
 */
export async function eventually(
  claim: () => boolean | Promise<boolean>,
  patience: Patience | string = {}
): Promise<void> {
  if (typeof patience === 'string') return eventually(claim, { what: patience })
  const { what = 'the claim', timeoutMs = PATIENCE_MS } = patience
  if (!(await comesTrue(claim, patience))) throw new Error(`${what} did not come true within ${timeoutMs} ms`)
}

/** Waits until a claim holds. @returns whether it did in time. */
export async function comesTrue(claim: () => boolean | Promise<boolean>, patience: Patience = {}): Promise<boolean> {
  const { timeoutMs = PATIENCE_MS, lookMs = LOOK_MS } = patience
  for (const end = performance.now() + timeoutMs; performance.now() < end;) {
    if (await claim()) return true
    await sleep(lookMs)
  }
  return claim()
}

/** Waits until a check no longer throws. @returns what it returned. @throws what it threw last. */
export async function waitFor<T>(check: () => T | Promise<T>): Promise<T> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end;) {
    try {
      return await check()
    } catch {
      await sleep(LOOK_MS)
    }
  }
  return check()
}
