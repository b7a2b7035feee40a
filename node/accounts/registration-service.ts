import { toHex } from '../../protocol/bytes.ts'
import type { Clock, Crypto, Random, SigningKey } from '../../protocol/crypto/crypto.ts'
import {
  deviceKeyHash,
  encodeAttestation,
  signAttestation,
  subjectCommitment
} from '../../protocol/identity/attestation.ts'
import {
  decodeRegistration,
  verifyRegistration,
  type VerifiedRegistration
} from '../../protocol/identity/registration.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { NONCE_TTL_MS } from '../../protocol/limits.ts'
import type { NetworkId } from '../../protocol/network.ts'
import type { AppDatabase } from '../app-database.ts'
import type { KeyDirectory } from '../key-directory/key-directory.ts'
import { NodeError } from '../errors.ts'
import type { SignInService, SocialIdentity } from './sign-in/sign-in-service.ts'
import { OneTimeStore } from './sign-in/one-time-store.ts'
import type { RecordOutbox } from '../key-directory/record-outbox.ts'
import type { Logger, RelayPort } from '../ports.ts'
import { addressKey } from '../limits/address-key.ts'
import { RateLimiter } from '../limits/rate-limiter.ts'

const HOUR_MS = 60 * 60 * 1000
/** A client that lost our answer may ask again within this. */
const ANSWER_TTL_MS = 10 * 60 * 1000
const MAX_NONCES = 100_000
const MAX_NONCES_PER_ADDRESS = 2_000

/** What a client is told of its registration. */
export interface RegistrationAnswer {
  accountId: string
  deviceId: string
  /** Hex of the encoded attestation. */
  attestation: string
  /** Hex of the salt that hides the social id in it; the node keeps neither. */
  attestationSalt: string
  records: 'pending'
}

/** What the service talks to. */
export interface RegistrationComponents {
  crypto: Crypto
  clock: Clock
  random: Random
  logger: Logger
  nodeKey: SigningKey
  signIn: SignInService
  database: AppDatabase
  keyDirectory: KeyDirectory
  recordOutbox: RecordOutbox
  relay: Pick<RelayPort, 'putBundle'>
}

/** What the service is told. */
export interface RegistrationInit {
  network: NetworkId
  perAddressPerHour: number
  perIdentityPerDay: number
}

/**
 * Registers new accounts: a fresh nonce, a device that signs for it, a finished sign-in. It only ever makes new accounts:
 * no sign-in of any person changes the keys of an account that exists.
 */
export class RegistrationService {
  readonly #components: RegistrationComponents
  readonly #init: RegistrationInit
  readonly #log: Logger
  readonly #nonces: OneTimeStore<true>
  readonly #answers: OneTimeStore<RegistrationAnswer>
  readonly #perAddress: RateLimiter
  /** Identities and accounts whose registration is under way: two at once must not both pass the limit, or make one account. */
  readonly #underWay = new Set<string>()
  #registered = 0

  constructor(components: RegistrationComponents, init: RegistrationInit) {
    this.#components = components
    this.#init = init
    this.#log = components.logger.forComponent('volo:registration')
    const bounds = { maxEntries: MAX_NONCES, maxPerOwner: MAX_NONCES_PER_ADDRESS }
    this.#nonces = new OneTimeStore(components, { ttlMs: NONCE_TTL_MS, ...bounds })
    this.#answers = new OneTimeStore(components, { ttlMs: ANSWER_TTL_MS, ...bounds })
    this.#perAddress = new RateLimiter(components, { limit: init.perAddressPerHour, windowMs: HOUR_MS })
  }

  /** Accounts registered since the start. */
  get registered(): number {
    return this.#registered
  }

  /** A nonce for one registration. */
  challenge(address: string): { nonce: string; expiresAt: number } {
    const nonce = toHex(this.#components.random(32))
    return { nonce, expiresAt: this.#nonces.put(nonce, true, addressKey(address)) }
  }

  /**
   * Registers an account.
   *
   * @param body - an encoded `Registration`.
   * @throws ProtocolError for what is malformed or not rightly signed, NodeError for what this node does not accept: `bad-nonce`,
   * `bad-code`, `already-registered`, `rate-limited`, `busy`.
   */
  async register(body: Uint8Array, address: string): Promise<RegistrationAnswer> {
    const { crypto, nodeKey, clock, signIn } = this.#components
    const registration = decodeRegistration(body)
    // Taken before anything else is looked at: a nonce serves one attempt, good or bad.
    if (this.#nonces.redeem(toHex(registration.nonce)) === undefined) {
      throw new NodeError('bad-nonce', 'The nonce is unknown, used or older than a minute; ask for a new one.')
    }
    const { network } = this.#init
    const verified = await verifyRegistration(crypto, network, nodeKey.publicKey, registration, clock())
    const repeated = this.#answers.peek(toHex(verified.accountId))
    if (repeated) return repeated
    this.#requireNew(verified)
    const keys = verified.create.device
    const identity = signIn.check(registration.signInCode, keys)
    return this.#once(identity, verified.accountId, address, async () => {
      await this.#requireWithinLimits(identity)
      await this.#replicate(verified, registration.bundle)
      signIn.redeem(registration.signInCode, keys)
      await this.#components.database.addRegistration(identity.provider, identity.subject, clock())
      const { record, nameCommit } = registration
      await this.#components.recordOutbox.add(nameCommit ? [record, nameCommit] : [record])
      const answer = await this.#answer(verified, identity)
      this.#answers.put(answer.accountId, answer, addressKey(address))
      this.#registered++
      this.#log.info('registered an account', { account: answer.accountId, device: answer.deviceId })
      return answer
    })
  }

  #requireNew({ accountId, deviceId }: VerifiedRegistration): void {
    const { current } = this.#components.keyDirectory
    if (current.account(accountId) ?? current.device(deviceId)) {
      throw new NodeError('already-registered', 'This device has an account already.')
    }
  }

  /** Counts the address before anything is waited for: many at once must not all pass its limit. */
  async #once<T>(
    { provider, subject }: SocialIdentity,
    accountId: AccountId,
    address: string,
    work: () => Promise<T>
  ): Promise<T> {
    const keys = [`${provider}\0${subject}`, toHex(accountId)]
    if (keys.some(key => this.#underWay.has(key))) {
      throw new NodeError('rate-limited', 'Another registration of this sign-in or account is under way; try again.')
    }
    if (!this.#perAddress.spend(addressKey(address))) {
      throw new NodeError('rate-limited', 'Too many accounts were registered from this address; try again later.')
    }
    for (const key of keys) this.#underWay.add(key)
    try {
      return await work()
    } catch (error) {
      this.#perAddress.giveBack(addressKey(address))
      throw error
    } finally {
      for (const key of keys) this.#underWay.delete(key)
    }
  }

  async #requireWithinLimits({ provider, subject }: SocialIdentity): Promise<void> {
    const { database, clock } = this.#components
    const count = await database.registrationsOf(provider, subject, clock())
    if (count >= this.#init.perIdentityPerDay) {
      throw new NodeError('identity-limit', 'This sign-in has registered too many accounts; try again tomorrow.')
    }
  }

  /** Before the account exists, so that a person who finds it can also write to it. */
  async #replicate({ accountId }: VerifiedRegistration, bundle: Uint8Array): Promise<void> {
    try {
      await this.#components.relay.putBundle(accountId, bundle)
    } catch (cause) {
      this.#log.warn('a bundle could not be replicated', { error: cause })
      const message =
        'Not enough nodes can store the keys right now; your sign-in is still good, try again in a minute.'
      throw new NodeError('busy', message, { cause })
    }
  }

  async #answer(
    { accountId, deviceId, create }: VerifiedRegistration,
    identity: SocialIdentity
  ): Promise<RegistrationAnswer> {
    const { crypto, random, clock, nodeKey } = this.#components
    const { network } = this.#init
    const salt = random(32)
    const attestation = await signAttestation(network, nodeKey, {
      provider: identity.provider,
      subjectCommitment: subjectCommitment(crypto, network, salt, identity.provider, identity.subject),
      accountId,
      deviceKeyHash: deviceKeyHash(crypto, network, create.device),
      time: clock()
    })
    return {
      accountId: toHex(accountId),
      deviceId: toHex(deviceId),
      attestation: toHex(encodeAttestation(attestation)),
      attestationSalt: toHex(salt),
      records: 'pending'
    }
  }
}
