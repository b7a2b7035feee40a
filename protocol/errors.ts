/**
 * Stable reasons a protocol operation fails; callers and tests match these, people read the message.
 *
 * - `MALFORMED` bytes or JSON that no encoder of ours produces
 * - `TOO_LARGE` a declared or actual size past its limit
 * - `UNSUPPORTED_VERSION` a well-formed thing of a version this build does not speak
 * - `BAD_SIGNATURE` a signature that does not verify under the strict rule
 * - `BAD_KEY` a key that is refused: wrong length, small order, hash not as recorded
 * - `DECRYPT_FAILED` an authenticated decryption that did not open
 * - `NOT_FOR_US` addressed to another device, network or conversation
 * - `REPLAYED` seen before
 * - `EXPIRED` its time is over
 * - `LIMIT_REACHED` a bound of the protocol (messages in a session, skipped keys, devices, records)
 * - `ROSTER_MISMATCH` the sender's view of members and devices is not ours
 * - `INVALID` parsed, but against a rule of the protocol
 */
export type ProtocolErrorCode =
  | 'MALFORMED'
  | 'TOO_LARGE'
  | 'UNSUPPORTED_VERSION'
  | 'BAD_SIGNATURE'
  | 'BAD_KEY'
  | 'DECRYPT_FAILED'
  | 'NOT_FOR_US'
  | 'REPLAYED'
  | 'EXPIRED'
  | 'LIMIT_REACHED'
  | 'ROSTER_MISMATCH'
  | 'INVALID'

/** Thrown for malformed or forged input addressed to us. "Not there" and "not mine" are results, not errors. */
export class ProtocolError extends Error {
  override name = 'ProtocolError'
  readonly code: ProtocolErrorCode

  constructor(code: ProtocolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
