/** A command that was written wrongly; the message says how. */
export class UsageError extends Error {
  override name = 'UsageError'
}
