import type { Timers } from '../ports.ts'

/** Resolves after a while, or at once when the signal is given: the caller looks at it next. */
export function pause(timers: Pick<Timers, 'after'>, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const cancel = timers.after(ms, () => end())
    const end = (): void => {
      cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })
}
