/**
 * Stable reasons something about the chain fails; callers and tests match these, people read the message.
 *
 * - `UNREACHABLE` no answer: refused, reset, timed out, or a server error that outlived the retries
 * - `BUSY` the source asks us to come back later: 425 (mempool full), 429, or a used-up quota (402, 418)
 * - `FORBIDDEN` the source refuses our project id (401, 403)
 * - `REJECTED` the ledger or the source refused what we sent (400)
 * - `BAD_ANSWER` an answer that is malformed, or bytes that do not hash to the id they were asked for
 * - `WRONG_CHAIN` the source or the store belongs to another chain than the one configured
 * - `TORN_READ` the chain changed its mind while it was being read; read again
 * - `INCOMPLETE` the source leaves out, repeats or reorders transactions, and nothing was taken from that reading
 * - `CONTRADICTION` what is final here is not what the source tells; only reading everything again helps
 * - `INSUFFICIENT_FUNDS` the wallet cannot pay for the transaction
 * - `FEE_TOO_HIGH` the transaction would cost more than the cap
 * - `TOO_LARGE` the transaction would be longer than the chain accepts
 * - `BAD_KEY_FILE` the wallet's key file is unreadable, malformed, or open to others
 * - `STOPPED` the part is not running
 * - `MALFORMED` input of ours that no part accepts
 */
export type ChainErrorCode =
  | 'UNREACHABLE'
  | 'BUSY'
  | 'FORBIDDEN'
  | 'REJECTED'
  | 'BAD_ANSWER'
  | 'WRONG_CHAIN'
  | 'TORN_READ'
  | 'INCOMPLETE'
  | 'CONTRADICTION'
  | 'INSUFFICIENT_FUNDS'
  | 'FEE_TOO_HIGH'
  | 'TOO_LARGE'
  | 'BAD_KEY_FILE'
  | 'STOPPED'
  | 'MALFORMED'

/** Thrown by everything in this folder. "Not on the chain" is a result (`undefined`), not an error. */
export class ChainError extends Error {
  override name = 'ChainError'
  readonly code: ChainErrorCode

  constructor(code: ChainErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
