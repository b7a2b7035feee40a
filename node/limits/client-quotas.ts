import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import { byteKey } from '../byte-key.ts'
import type { AuthenticatedDevice, RelayLimits } from '../ports.ts'
import { TokenBuckets } from './token-bucket.ts'

const DAY_SECONDS = 86_400
/** Of its requests, the part that a device may spend on envelopes: the rest is left for getting its own messages. */
const ENVELOPE_SHARE = 1 / 2
/** An envelope counts as one more for each so many recipients. */
const RECIPIENTS_PER_ENVELOPE = 32
/** All devices of an account together may send as much as so many. */
const DEVICES_PER_ACCOUNT = 4
/**
 * What one account may send to one mailbox: a quarter of its room at once (with the default limits), then as fast
 * as a person writes. An account that sends more is held back here, long before the mailbox pushes out what others sent.
 */
const MAILBOX_SHARE = 1 / 20
const MAILBOX_BURSTS = 5
/** Bytes that an account may have stored at each replica a second, for each request that a device may make in it … */
const STORED_BYTES_PER_REQUEST = 20 * 1024
/** … and at once, for each request of a burst. */
const STORED_BYTES_PER_BURST = 128 * 1024
/** Devices and accounts whose use is remembered. */
const MAX_REMEMBERED = 20_000

/**
 * What a connected device may do: requests per device, envelopes per device and account, mail to strangers per account.
 * One flooding peer uses up its own allowance, not that of others.
 */
export class ClientQuotas {
  readonly #now: () => number
  readonly #requests: TokenBuckets
  readonly #strangers: TokenBuckets
  readonly #envelopes: TokenBuckets
  readonly #accountEnvelopes: TokenBuckets
  readonly #mailboxes: TokenBuckets
  readonly #storedBytes: TokenBuckets
  /** Requests refused. */
  refusedRequests = 0
  /** Envelopes refused, and single recipients of others. */
  refusedEnvelopes = 0

  /** @param now - milliseconds of a clock that never goes back. */
  constructor(now: () => number, { requestsPerSecond, requestBurst, strangersPerDay }: RelayLimits) {
    this.#now = now
    this.#requests = new TokenBuckets(requestsPerSecond, requestBurst, MAX_REMEMBERED)
    this.#strangers = new TokenBuckets(strangersPerDay / DAY_SECONDS, strangersPerDay, MAX_REMEMBERED)
    const envelopes = requestsPerSecond * ENVELOPE_SHARE
    this.#envelopes = new TokenBuckets(envelopes, requestBurst, MAX_REMEMBERED)
    this.#accountEnvelopes = new TokenBuckets(
      DEVICES_PER_ACCOUNT * envelopes,
      DEVICES_PER_ACCOUNT * requestBurst,
      MAX_REMEMBERED
    )
    this.#mailboxes = new TokenBuckets(requestsPerSecond * MAILBOX_SHARE, MAILBOX_BURSTS * requestBurst, MAX_REMEMBERED)
    this.#storedBytes = new TokenBuckets(
      requestsPerSecond * STORED_BYTES_PER_REQUEST,
      requestBurst * STORED_BYTES_PER_BURST,
      MAX_REMEMBERED
    )
  }

  /** Whether a device may make a request of this weight now. */
  allowsRequest(deviceId: DeviceId, weight: number): boolean {
    const allowed = this.#requests.spend(byteKey(deviceId), weight, this.#now())
    if (!allowed) this.refusedRequests += 1
    return allowed
  }

  /** Whether an account may write to strangers now. @param envelopes - recipients written to. */
  allowsStrangers(accountId: AccountId, envelopes: number): boolean {
    return this.#strangers.spend(byteKey(accountId), envelopes, this.#now())
  }

  /**
   * Whether a device may hand in an envelope now. Its class does not matter: that is the sender's word.
   * @param recipients - of the envelope.
   * @param storedBytes - what each replica has to keep of it: the payload counts once for each recipient.
   */
  allowsEnvelope(
    { deviceId, accountId }: Pick<AuthenticatedDevice, 'deviceId' | 'accountId'>,
    recipients: number,
    storedBytes: number
  ): boolean {
    const weight = 1 + Math.floor(recipients / RECIPIENTS_PER_ENVELOPE)
    const now = this.#now()
    const allowed =
      this.#envelopes.spend(byteKey(deviceId), weight, now) &&
      this.#accountEnvelopes.spend(byteKey(accountId), weight, now) &&
      this.#storedBytes.spend(byteKey(accountId), storedBytes, now)
    if (!allowed) this.refusedEnvelopes += 1
    return allowed
  }

  /** Whether an account may send to this mailbox now. */
  allowsMailbox(accountId: AccountId, mailbox: DeviceId): boolean {
    const allowed = this.#mailboxes.spend(byteKey(accountId) + byteKey(mailbox), 1, this.#now())
    if (!allowed) this.refusedEnvelopes += 1
    return allowed
  }
}
