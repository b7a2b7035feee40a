/** Waiting for what other parts bring about: a test looks again and again, and ends as soon as it holds. */
import { setTimeout as sleep } from 'node:timers/promises'

/** As long as a busy machine may need. */
const PATIENCE_MS = 60_000
/** The first look comes soon, later ones the more rarely the longer it takes: looks cost what others wait for. */
const LOOK_MS = { least: 5, most: 50, share: 0.1 }

export interface Patience {
  /** What is waited for, for the message of the error. */
  what?: string
  /** Milliseconds until it is too late. */
  timeoutMs?: number
  /** Milliseconds between two looks; by default more, the longer it takes. */
  lookMs?: number
  /** Clock by which it is too late; the machine's unless said otherwise. */
  now?: () => number
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
  const { timeoutMs = PATIENCE_MS, lookMs, now = () => performance.now() } = patience
  const start = performance.now()
  const end = now() + timeoutMs
  while (now() < end) {
    if (await claim()) return true
    await sleep(lookMs ?? pauseAfter(start))
  }
  return claim()
}

/** Waits until a check no longer throws. @returns what it returned. @throws what it threw last. */
export async function waitFor<T>(check: () => T | Promise<T>): Promise<T> {
  const start = performance.now()
  while (performance.now() < start + PATIENCE_MS) {
    try {
      return await check()
    } catch {
      await sleep(pauseAfter(start))
    }
  }
  return check()
}

function pauseAfter(start: number): number {
  const { least, most, share } = LOOK_MS
  return Math.min(most, Math.max(least, (performance.now() - start) * share))
}
