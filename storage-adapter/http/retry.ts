import { setTimeout as delay } from 'node:timers/promises'
import { StorageError } from '../errors.ts'

/** How often one call is tried, the first time included. */
export const ATTEMPTS = 3
/** Wait before the second attempt; twice as long before the next. */
export const RETRY_DELAY_MS = 500

/** Times of {@link withRetries}; tests give short ones. */
export interface RetryInit {
  attempts?: number | undefined
  retryDelayMs?: number | undefined
}

/**
 * Tries again what may succeed later. Only for calls that may run twice without harm.
 *
 * @param attempt - gets its number, from 0.
 * @throws the last failure, or at once one that no repetition mends.
 */
export async function withRetries<T>(
  attempt: (number: number) => Promise<T>,
  { attempts = ATTEMPTS, retryDelayMs = RETRY_DELAY_MS }: RetryInit,
  signal?: AbortSignal
): Promise<T> {
  for (let number = 0; ; number++) {
    try {
      return await attempt(number)
    } catch (error) {
      if (!(error instanceof StorageError) || !error.isRetryable || number + 1 >= attempts) throw error
      // Half of the wait is random: clients that failed together must not come back together.
      await delay(retryDelayMs * 2 ** number * (0.5 + Math.random() / 2), undefined, { signal })
    }
  }
}
