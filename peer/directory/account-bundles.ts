import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { decodeBundle, verifyBundle, type DeviceBundle } from '../../protocol/identity/bundle.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { AccountHex } from '../peer-api.ts'
import type { Timers } from '../ports.ts'
import type { NodeConnection } from '../network/node-connection.ts'
import type { devicesToSealTo } from './known-account.ts'
import type { NetworkInfo } from '../network/network-info.ts'
import type { OperatorCrossCheck } from './operator-cross-check.ts'

/** Another operator is asked for newer bundles of an account at most this often. */
const BUNDLES_ELSEWHERE_MS = 60_000
/** Accounts whose answer is remembered. */
const MAX_REMEMBERED = 500

export interface AccountBundlesComponents {
  crypto: Crypto
  timers: Timers
  network: () => NetworkInfo
  /** The connection in use. @throws PeerError `offline`. */
  connection: () => NodeConnection
  opinion: OperatorCrossCheck
  /** Devices that an account's records vouch for. */
  devicesOf: (accountId: AccountId) => Promise<ReturnType<typeof devicesToSealTo>>
}

/** The keys that devices have published to open sessions with. */
export class AccountBundles {
  readonly #components: AccountBundlesComponents
  readonly #bundlesAsked = new Map<AccountHex, { at: number; bundles: DeviceBundle[] | undefined }>()

  constructor(components: AccountBundlesComponents) {
    this.#components = components
  }

  /**
   * Current bundles of an account's devices; broken ones are left out. Each is verified when it is used. Where one is expired,
   * or missing for a live device, another operator is asked: a node must not choose the key that we seal to by keeping back
   * a newer one, nor keep a device from being written to.
   */
  async of(accountId: AccountId): Promise<DeviceBundle[]> {
    const bundles = await bundlesAt(this.#components.connection(), accountId)
    const now = this.#components.timers.now()
    const current = bundles.filter(({ weeklyExpiry }) => weeklyExpiry > now)
    const isWhole = current.length === bundles.length && (await this.#isComplete(accountId, current))
    if (isWhole || !this.#components.opinion.isThere) return bundles
    const elsewhere = await this.#bundlesElsewhere(accountId)
    if (!elsewhere) return current
    const newer = await this.#usable(elsewhere, accountId)
    const isListed = ({ deviceId }: DeviceBundle): boolean =>
      [...current, ...newer].some(other => equalBytes(other.deviceId, deviceId))
    return [...newer, ...current, ...bundles.filter(bundle => !isListed(bundle))]
  }

  async #isComplete(accountId: AccountId, bundles: DeviceBundle[]): Promise<boolean> {
    const devices = await this.#components.devicesOf(accountId)
    return devices.every(({ deviceId }) => bundles.some(bundle => equalBytes(bundle.deviceId, deviceId)))
  }

  /** @returns undefined if no other operator answers. */
  async #bundlesElsewhere(accountId: AccountId): Promise<DeviceBundle[] | undefined> {
    const key = toHex(accountId)
    const now = this.#components.timers.monotonic()
    const asked = this.#bundlesAsked.get(key)
    if (asked && now - asked.at < BUNDLES_ELSEWHERE_MS) return asked.bundles
    const bundles = await this.#components.opinion.ask(other => bundlesAt(other, accountId))
    if (this.#bundlesAsked.size >= MAX_REMEMBERED) this.#bundlesAsked.clear()
    this.#bundlesAsked.set(key, { at: now, bundles })
    return bundles
  }

  /** Those that verify, have not expired and are of a live device. */
  async #usable(bundles: DeviceBundle[], accountId: AccountId): Promise<DeviceBundle[]> {
    const { crypto, network, timers } = this.#components
    const devices = await this.#components.devicesOf(accountId)
    const checks = bundles.map(async bundle => {
      const device = devices.find(({ deviceId }) => equalBytes(deviceId, bundle.deviceId))
      if (!device) return []
      try {
        await verifyBundle(crypto, network().id, bundle, timers.now(), device.messagingKeyHash)
        return [bundle]
      } catch {
        return []
      }
    })
    return (await Promise.all(checks)).flat()
  }
}

async function bundlesAt(connection: NodeConnection, accountId: AccountId): Promise<DeviceBundle[]> {
  const { bundles } = await connection.request({ kind: 'bundles', accountId }, 'bundles')
  return bundles.flatMap(bytes => {
    try {
      return [decodeBundle(bytes)]
    } catch {
      return []
    }
  })
}
