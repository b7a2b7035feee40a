/**
 * Stable reasons why the tool stops or a source does not count; callers and tests match these, people read the message.
 *
 * - `USAGE` the command line cannot be understood
 * - `MALFORMED` a file that was given is not what it should be
 * - `UNREACHABLE` a source gives no usable answer
 * - `BAD_ANSWER` a source answers with something no honest one sends
 * - `MOVING` the chain changed while it was read, again and again
 */
export type VerifyErrorCode = 'USAGE' | 'MALFORMED' | 'UNREACHABLE' | 'BAD_ANSWER' | 'MOVING'

/** Thrown inside `volo-verify`. What a source says about a subject is a result, not an error. */
export class VerifyError extends Error {
  override name = 'VerifyError'
  readonly code: VerifyErrorCode

  constructor(code: VerifyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
