/** One line of `volo-node doctor`. */
export interface Finding {
  /** Stable, for programs. */
  check: string
  result: 'ok' | 'warn' | 'fail'
  message: string
  /** What to change; on warnings and failures. */
  change?: string
}

export const ok = (check: string, message: string): Finding => ({ check, result: 'ok', message })
export const warn = (check: string, message: string, change: string): Finding => ({
  check,
  result: 'warn',
  message,
  change
})
export const fail = (check: string, message: string, change: string): Finding => ({
  check,
  result: 'fail',
  message,
  change
})

/** What a failed system call or request says, in a word or two. */
export function reasonOf(error: unknown): string {
  const { code, cause, message } = error as { code?: string | number; cause?: unknown; message?: string }
  if (typeof code === 'string') return code
  return cause === undefined ? (message ?? String(error)) : reasonOf(cause)
}
