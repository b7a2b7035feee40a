import { toHex } from '../../protocol/bytes.ts'
import type { Clock, Crypto } from '../../protocol/crypto/crypto.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import {
  parseStorageAuthorization,
  STORAGE_REQUEST_LIFE_MS,
  verifyStorageRequest,
  type StorageRequest
} from '../../protocol/identity/storage-request.ts'
import type { DevicePublicKeys } from '../../protocol/identity/device.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { OneTimeStore } from '../accounts/sign-in/one-time-store.ts'
import { NodeError } from '../errors.ts'
import type { DirectoryPort } from '../key-directory/directory-port.ts'
import { RateLimiter } from '../limits/rate-limiter.ts'

/** Requests of one account in a minute, parts included. */
export const STORAGE_REQUESTS_PER_MINUTE = 1_200
const MINUTE_MS = 60_000
const MAX_NONCES = 500_000

export interface DeviceAuthorizationComponents {
  crypto: Crypto
  clock: Clock
  directory: Pick<DirectoryPort, 'device'>
}

/** Finds out which account a signed HTTP request is of. A request counts once, and only at the node that it names. */
export class DeviceAuthorization {
  readonly #components: DeviceAuthorizationComponents
  readonly #init: { network: NetworkId; nodeKey: Uint8Array }
  readonly #seen: OneTimeStore<true>
  readonly #rate: RateLimiter

  constructor(components: DeviceAuthorizationComponents, init: { network: NetworkId; nodeKey: Uint8Array }) {
    this.#components = components
    this.#init = init
    const bounds = { maxEntries: MAX_NONCES, maxPerOwner: MAX_NONCES }
    // A nonce is remembered as long as its request could count: from the earliest to the latest time.
    this.#seen = new OneTimeStore(components, { ttlMs: 2 * STORAGE_REQUEST_LIFE_MS, ...bounds })
    this.#rate = new RateLimiter(components, { limit: STORAGE_REQUESTS_PER_MINUTE, windowMs: MINUTE_MS })
  }

  /**
   * @param header - the `Authorization` header.
   * @returns lower-case hex of the account id.
   * @throws NodeError `bad-authorization` for a request that is not signed by a device that lives, or was seen before;
   * `rate-limited`. ProtocolError `EXPIRED` for one that is too old, or whose device's clock is wrong.
   */
  async accountOf(header: string | undefined, request: Omit<StorageRequest, 'nodeKey'>): Promise<string> {
    return (await this.deviceOf(header, request)).account
  }

  /** The account and the keys of the device that signed a request. @throws as {@link accountOf}. */
  async deviceOf(
    header: string | undefined,
    request: Omit<StorageRequest, 'nodeKey'>
  ): Promise<{ account: string; keys: DevicePublicKeys }> {
    const { crypto, clock, directory } = this.#components
    const { network, nodeKey } = this.#init
    try {
      const authorization = parseStorageAuthorization(header ?? '')
      const device = await directory.device(authorization.deviceId)
      if (device === undefined || device.state === 'revoked') {
        throw new NodeError('bad-authorization', 'The device is unknown here, or was removed from its account.')
      }
      const { signingKey } = device.keys
      await verifyStorageRequest(crypto, network, signingKey, { ...request, nodeKey }, authorization, clock())
      this.#requireUnseen(toHex(authorization.deviceId), toHex(authorization.nonce))
      const account = toHex(device.accountId)
      if (!this.#rate.spend(account)) throw new NodeError('rate-limited', 'Too many requests; try again in a minute.')
      return { account, keys: device.keys }
    } catch (error) {
      // Said by its own code: the device is asked to look at its clock.
      if (!(error instanceof ProtocolError) || error.code === 'EXPIRED') throw error
      throw new NodeError('bad-authorization', `The request is not authorized: ${error.message}.`, { cause: error })
    }
  }

  /** Only after the signature was checked, so that strangers cannot fill the memory. */
  #requireUnseen(device: string, nonce: string): void {
    const key = `${device}/${nonce}`
    if (this.#seen.peek(key)) throw new NodeError('bad-authorization', 'This request was made before.')
    this.#seen.put(key, true, device)
  }
}
