import { setTimeout as sleep } from 'node:timers/promises'
import { ChainError } from '../errors.ts'

export interface RetryOptions {
  /** Calls in all, the first included. */
  attempts: number
  /** Pause after the first failure in milliseconds; doubles each time, give or take half. */
  baseMs: number
  signal?: AbortSignal | undefined
  /** Whether another attempt can help. */
  isTransient: (error: unknown) => boolean
}

/** Longest pause between two attempts. */
const MAX_PAUSE_MS = 10_000

/** Calls until it works, stops helping, or the attempts are used up; throws the last failure. */
export async function retry<T>(call: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { attempts, baseMs, signal, isTransient } = options
  for (let attempt = 1; ; attempt++) {
    throwIfAborted(signal)
    try {
      return await call()
    } catch (error) {
      if (attempt >= attempts || !isTransient(error)) throw error
    }
    // Jitter keeps the nodes of one operator from coming back in step.
    const pause = Math.min(MAX_PAUSE_MS, baseMs * 2 ** (attempt - 1)) * (0.5 + Math.random())
    await sleep(pause, undefined, signal ? { signal } : {}).catch(() => undefined)
  }
}

/** @throws {@link ChainError} `UNREACHABLE` once the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ChainError('UNREACHABLE', 'the call was cancelled', { cause: signal.reason })
}

/** Gives up waiting when the signal fires; the call itself ends at its own deadline. */
export async function untilAborted<T>(call: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return call
  throwIfAborted(signal)
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(new ChainError('UNREACHABLE', 'the call was cancelled', { cause: signal.reason }))
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([call, promise])
  } finally {
    signal.removeEventListener('abort', abort)
    call.catch(() => undefined)
  }
}
