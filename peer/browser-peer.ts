/** The peer in a browser's worker. */
import { createWebCrypto } from '../protocol/crypto/backends/web-crypto.ts'
import { PeerEngine } from './peer-engine.ts'
import type { PeerApi } from './peer-api.ts'
import { platformTimers, SILENT_LOG } from './ports.ts'
import { openBrowserKeys } from './store/browser-keys.ts'
import { openLevelStore } from './store/level-store.ts'
import { openPeerStore } from './store/migrations.ts'
import { createSeedVault } from './store/seed-vault.ts'
import { createSigningVault } from './store/signing-vault.ts'
import { Libp2pTransport } from './network/libp2p-transport.ts'
import { isLoopback } from './network/node-address.ts'

export interface BrowserPeerOptions {
  /** Origin of the page: the node that served it. */
  origin: string
  /** The browser has closed the storage, as it does when somebody deletes the site's data: this peer has stopped. */
  onEnded: () => void
}

/** Longest piece that `getRandomValues` fills at once, in bytes. */
const MAX_RANDOM_BYTES = 65_536

function platformRandom(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i += MAX_RANDOM_BYTES) crypto.getRandomValues(bytes.subarray(i, i + MAX_RANDOM_BYTES))
  return bytes
}

/**
 * The peer of this browser profile and origin; `start()` it next. Exactly one may run at a time: the shared worker sees to
 * that, or a lock where there is none.
 *
 * @throws PeerError `store` if the browser's storage cannot be used, or a newer version of the app wrote it.
 */
export async function createBrowserPeer({
  origin,
  onEnded
}: BrowserPeerOptions): Promise<PeerApi & { start(): Promise<void>; stop(): Promise<void> }> {
  const { subtle } = globalThis.crypto
  const webCrypto = await createWebCrypto(subtle, platformRandom)
  const closed = Promise.withResolvers<void>()
  const keys = await openBrowserKeys('volo-keys', subtle, platformRandom, closed.resolve)
  const level = await openLevelStore('volo-store', closed.resolve)
  const store = await openPeerStore(level, keys.cipher, webCrypto, platformRandom, {
    keys: keys.secretKeys,
    now: platformTimers.now()
  })
  // Asks not to be cleaned up: what is here is nowhere else.
  void globalThis.navigator?.storage?.persist?.().catch(() => false)
  const engine: PeerEngine = new PeerEngine(
    {
      crypto: webCrypto,
      random: platformRandom,
      timers: platformTimers,
      store,
      vault: createSigningVault(store, {
        platform: keys.vault,
        seed: createSeedVault(webCrypto, store, platformRandom),
        preferred: keys.hasEd25519 ? 'platform' : 'seed'
      }),
      transport: new Libp2pTransport({ allowPlain: host => engine.isLocalDevnet && isLoopback(host) }),
      fetch: (url, init) => fetch(url, init),
      log: SILENT_LOG
    },
    { entry: origin }
  )
  globalThis.addEventListener?.('online', () => void engine.network.reconnect())
  void closed.promise
    .then(() => engine.stop())
    // There is nothing left to write to.
    .catch(() => undefined)
    .then(() => {
      keys.close()
      onEnded()
    })
  return engine
}
