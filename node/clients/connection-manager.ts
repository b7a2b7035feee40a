import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import { byteKey } from '../byte-key.ts'
import type { AuthenticatedDevice, NodeNetworkLimits } from '../ports.ts'
import { addressKey } from '../limits/rate-limiter.ts'
import { TokenBuckets } from '../limits/token-bucket.ts'

/** What a node allows unless its operator says otherwise. */
export const DEFAULT_NETWORK_LIMITS: NodeNetworkLimits = {
  maxClients: 4000,
  // A company or a mobile network can stand behind one address.
  maxClientsPerAddress: 500,
  connectionsPerSecond: 50,
  requestsPerSecond: 100,
  requestBurst: 500,
  diskLowWaterBytes: 256 * 1024 * 1024
}

/** Connections that may be between WebSocket and proven device at once; each may take seconds. */
const MAX_UNPROVEN = 1000
/** Envelopes to strangers that one account may hand in per day. */
export const REQUESTS_PER_DAY = 100
const DAY_SECONDS = 86_400
/** Of its requests, the part that a device may spend on envelopes: the rest is left for getting its own messages. */
const ENVELOPE_SHARE = 1 / 2
/** An envelope counts as one more for each so many recipients. */
const RECIPIENTS_PER_ENVELOPE = 32
/** All devices of an account together may send as much as so many. */
const DEVICES_PER_ACCOUNT = 4
/**
 * What one account may send to one mailbox: a quarter of its room at once (with the default limits), then as fast as
 * somebody writes. Who sends more is held back here, long before the mailbox pushes out what others sent.
 */
const MAILBOX_SHARE = 1 / 20
const MAILBOX_BURSTS = 5
/** Addresses, devices and accounts whose use is remembered. */
const MAX_REMEMBERED = 20_000

/** A client connection that was let in. */
export interface Admission {
  /** The device on it is proven: it no longer counts among the unproven. */
  proven(): void
  /** The connection is gone. Safe to call twice. */
  release(): void
}

/** Something that holds a device's stream and can be told to end it. */
export interface DeviceSession {
  /** Ends the stream because the device has a newer one. */
  supersede(): void
}

/**
 * Who is connected, and who may: connections per address and in all, requests per device, strangers' mail per account.
 * One flooding peer uses up its own allowance, not that of others.
 */
export class ConnectionManager {
  readonly #now: () => number
  readonly #limits: NodeNetworkLimits
  readonly #perAddress = new Map<string, number>()
  readonly #connecting: TokenBuckets
  readonly #requests: TokenBuckets
  readonly #strangers: TokenBuckets
  readonly #envelopes: TokenBuckets
  readonly #accountEnvelopes: TokenBuckets
  readonly #mailboxes: TokenBuckets
  readonly #sessions = new Map<string, DeviceSession>()
  #connections = 0
  #unproven = 0
  /** Connections refused, and requests refused. */
  refusedConnections = 0
  refusedRequests = 0
  /** Envelopes refused, and single recipients of others. */
  refusedEnvelopes = 0

  /** @param now - milliseconds of a clock that never goes back. */
  constructor(now: () => number, limits: NodeNetworkLimits) {
    this.#now = now
    this.#limits = limits
    const { connectionsPerSecond, requestsPerSecond, requestBurst } = limits
    this.#connecting = new TokenBuckets(connectionsPerSecond, 4 * connectionsPerSecond, MAX_REMEMBERED)
    this.#requests = new TokenBuckets(requestsPerSecond, requestBurst, MAX_REMEMBERED)
    this.#strangers = new TokenBuckets(REQUESTS_PER_DAY / DAY_SECONDS, REQUESTS_PER_DAY, MAX_REMEMBERED)
    const envelopes = requestsPerSecond * ENVELOPE_SHARE
    this.#envelopes = new TokenBuckets(envelopes, requestBurst, MAX_REMEMBERED)
    this.#accountEnvelopes = new TokenBuckets(
      DEVICES_PER_ACCOUNT * envelopes,
      DEVICES_PER_ACCOUNT * requestBurst,
      MAX_REMEMBERED
    )
    this.#mailboxes = new TokenBuckets(requestsPerSecond * MAILBOX_SHARE, MAILBOX_BURSTS * requestBurst, MAX_REMEMBERED)
  }

  /** Client connections, proven or not. */
  get connections(): number {
    return this.#connections
  }

  /** Devices with a proven stream. */
  get devices(): number {
    return this.#sessions.size
  }

  /** Lets a connection in, or not: undefined when a limit is reached. */
  admit(address: string): Admission | undefined {
    const key = addressKey(address)
    const used = this.#perAddress.get(key) ?? 0
    const full = this.#connections >= this.#limits.maxClients || this.#unproven >= MAX_UNPROVEN
    if (full || used >= this.#limits.maxClientsPerAddress || !this.#connecting.take(key, 1, this.#now())) {
      this.refusedConnections += 1
      return undefined
    }
    this.#perAddress.set(key, used + 1)
    this.#connections += 1
    this.#unproven += 1
    return this.#admission(key)
  }

  #admission(key: string): Admission {
    let unproven = true
    let open = true
    const proven = (): void => {
      if (unproven) this.#unproven -= 1
      unproven = false
    }
    const release = (): void => {
      if (!open) return
      open = false
      proven()
      this.#connections -= 1
      const left = this.#perAddress.get(key)! - 1
      if (left > 0) this.#perAddress.set(key, left)
      else this.#perAddress.delete(key)
    }
    return { proven, release }
  }

  /** Makes a session the device's only one; an older one is ended. */
  register(deviceId: DeviceId, session: DeviceSession): void {
    const key = byteKey(deviceId)
    this.#sessions.get(key)?.supersede()
    this.#sessions.set(key, session)
  }

  unregister(deviceId: DeviceId, session: DeviceSession): void {
    const key = byteKey(deviceId)
    if (this.#sessions.get(key) === session) this.#sessions.delete(key)
  }

  /** Whether a device may make a request of this weight now. */
  allowsRequest(deviceId: DeviceId, weight: number): boolean {
    const allowed = this.#requests.take(byteKey(deviceId), weight, this.#now())
    if (!allowed) this.refusedRequests += 1
    return allowed
  }

  /** Whether an account may write to strangers now. @param envelopes - recipients written to. */
  allowsStrangers(accountId: AccountId, envelopes: number): boolean {
    return this.#strangers.take(byteKey(accountId), envelopes, this.#now())
  }

  /**
   * Whether a device may hand in an envelope now. Its class does not matter: that is the sender's word.
   * @param recipients - of the envelope.
   */
  allowsEnvelope(
    { deviceId, accountId }: Pick<AuthenticatedDevice, 'deviceId' | 'accountId'>,
    recipients: number
  ): boolean {
    const weight = 1 + Math.floor(recipients / RECIPIENTS_PER_ENVELOPE)
    const now = this.#now()
    const allowed =
      this.#envelopes.take(byteKey(deviceId), weight, now) &&
      this.#accountEnvelopes.take(byteKey(accountId), weight, now)
    if (!allowed) this.refusedEnvelopes += 1
    return allowed
  }

  /** Whether an account may send to this mailbox now. */
  allowsMailbox(accountId: AccountId, mailbox: DeviceId): boolean {
    const allowed = this.#mailboxes.take(byteKey(accountId) + byteKey(mailbox), 1, this.#now())
    if (!allowed) this.refusedEnvelopes += 1
    return allowed
  }
}
