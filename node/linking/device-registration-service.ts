import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { Clock, Crypto } from '../../protocol/crypto/crypto.ts'
import { deviceOf, isLive, type AccountState } from '../../protocol/directory/account.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { RecordOf } from '../../protocol/identity/record.ts'
import {
  addedDeviceOf,
  decodeDeviceRegistration,
  verifyDeviceRegistration
} from '../../protocol/linking/device-registration.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { NodeError } from '../errors.ts'
import type { KeyDirectory } from '../key-directory/key-directory.ts'
import type { RecordOutbox } from '../key-directory/record-outbox.ts'
import { RateLimiter } from '../limits/rate-limiter.ts'
import type { Logger, RelayPort } from '../ports.ts'

const HOUR_MS = 60 * 60 * 1000
/** Devices that one account may add within an hour. */
export const DEVICES_PER_ACCOUNT_PER_HOUR = 20

/** What a new device is told. */
export interface DeviceRegistrationAnswer {
  accountId: string
  deviceId: string
  records: 'pending'
}

/** What the service talks to. */
export interface DeviceRegistrationComponents {
  crypto: Crypto
  clock: Clock
  logger: Logger
  keyDirectory: Pick<KeyDirectory, 'current'>
  recordOutbox: Pick<RecordOutbox, 'add'>
  relay: Pick<RelayPort, 'putBundle'>
}

/**
 * Adds devices to accounts that exist: the last step of a linking. The device that adds vouches for the new one with a
 * token; both have signed the record.
 */
export class DeviceRegistrationService {
  readonly #components: DeviceRegistrationComponents
  readonly #network: NetworkId
  readonly #log: Logger
  readonly #perAccount: RateLimiter

  constructor(components: DeviceRegistrationComponents, init: { network: NetworkId }) {
    this.#components = components
    this.#network = init.network
    this.#log = components.logger.forComponent('volo:device-registration')
    this.#perAccount = new RateLimiter(components, { limit: DEVICES_PER_ACCOUNT_PER_HOUR, windowMs: HOUR_MS })
  }

  /**
   * Registers and publishes a device. The same registration twice does no harm: its answer may have been lost.
   *
   * @param body - an encoded `DeviceRegistration`.
   * @throws ProtocolError for what is malformed, not rightly signed or over, NodeError for what this node does not accept:
   * `not-found` if it does not know the record that this one follows (yet), `refused`, `already-registered`,
   * `rate-limited`, `busy`.
   */
  async register(body: Uint8Array): Promise<DeviceRegistrationAnswer> {
    const { crypto, clock, recordOutbox } = this.#components
    const registration = decodeDeviceRegistration(body)
    const { add, deviceId } = addedDeviceOf(crypto, this.#network, registration)
    const { account, signer } = this.#signerOf(add)
    if (!equalBytes(account.accountId, registration.token.accountId)) {
      throw new NodeError('refused', 'The token is for another account.')
    }
    await verifyDeviceRegistration(crypto, this.#network, { registration, signer, now: clock() })
    const answer = { accountId: toHex(account.accountId), deviceId: toHex(deviceId), records: 'pending' as const }
    if (this.#isThere(account, deviceId)) return answer
    if (!this.#perAccount.spend(answer.accountId)) {
      throw new NodeError('rate-limited', 'This account has added too many devices; try again in an hour.')
    }
    await this.#replicate(account, registration.bundle)
    await recordOutbox.add([registration.record])
    this.#log.info('added a device', { account: answer.accountId, device: answer.deviceId })
    return answer
  }

  #signerOf({ prev, by }: RecordOf<'add'>): { account: AccountState; signer: Uint8Array } {
    const account = this.#components.keyDirectory.current.accountOfRecord(prev)
    if (!account) throw new NodeError('not-found', 'This node does not know the record that this one follows.')
    const signer = deviceOf(account, by)
    if (!signer || !isLive(signer)) throw new NodeError('refused', 'The device that adds is not on the account.')
    return { account, signer: signer.keys.signingKey }
  }

  /** @throws NodeError `already-registered` if it is on another account, or was removed from this one. */
  #isThere(account: AccountState, deviceId: DeviceId): boolean {
    const found = this.#components.keyDirectory.current.device(deviceId)
    if (!found) return false
    if (equalBytes(found.account.accountId, account.accountId) && isLive(found.device)) return true
    throw new NodeError('already-registered', 'This device has or had an account already.')
  }

  /** Before the device exists, so that a sender who finds it can also write to it. */
  async #replicate({ accountId }: AccountState, bundle: Uint8Array): Promise<void> {
    try {
      await this.#components.relay.putBundle(accountId, bundle)
    } catch (cause) {
      this.#log.warn('a bundle could not be replicated', { error: cause })
      throw new NodeError('busy', 'Not enough nodes can store the keys right now; try again in a minute.', { cause })
    }
  }
}
