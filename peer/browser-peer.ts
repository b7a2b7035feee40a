/** The peer in a browser's worker. */
import type { AppRelease } from '../protocol/audit/seen.ts'
import { createWebCrypto } from '../protocol/crypto/backends/web-crypto.ts'
import { storeFailure } from './errors.ts'
import { LevelObjects } from './objects/level-objects.ts'
import { PeerEngine } from './peer-engine.ts'
import type { PeerApi } from './peer-api.ts'
import { platformTimers, SILENT_LOG } from './ports.ts'
import { createBrowserLock, type BrowserLock } from './store/browser/browser-lock.ts'
import { openKeyTable } from './store/browser/key-table.ts'
import { readLockWays } from './store/browser/browser-store-key.ts'
import type { LockWays, Opener } from './store/browser/key-slots.ts'
import { openBrowserStore } from './store/browser/open-browser-store.ts'
import { platformVault } from './store/browser/platform-vault.ts'
import { openLevelStore } from './store/level-store.ts'
import { passphraseWrapping } from './store/passphrase-wrap.ts'
import { createSeedVault } from './store/seed-vault.ts'
import { createSigningVault } from './store/signing-vault.ts'
import { Libp2pTransport } from './network/libp2p-transport.ts'
import { appRelease } from './network/app-release.ts'
import { isLoopback } from './network/node-address.ts'

export interface BrowserPeerOptions {
  /** Origin of the page: the node that served it. */
  origin: string
  /** Of the app whose code this is. */
  version: string
  /** What opens this browser's lock, undefined until a person was asked. */
  opener: Opener | undefined
  /** The browser has closed the storage, as it does when the user deletes the site's data: this peer has stopped. */
  onEnded: () => void
}

/** The peer of a browser profile with the lock of its store. */
export interface BrowserPeer {
  api: PeerApi
  lock: BrowserLock
  start(): Promise<void>
  stop(): Promise<void>
}

const KEYS_NAME = 'volo-keys'
const STORE_NAME = 'volo-store'
/** Of files, encrypted. */
const FILES_NAME = 'volo-files'
/** As `browser-level` names its databases. */
const DATABASES = [KEYS_NAME, ...[STORE_NAME, FILES_NAME].map(name => `level-js-${name}`)]

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
 * @throws PeerError `store` if the browser's storage cannot be used, a newer version of the app wrote it, half of it is gone
 * (`key-missing`), or it is locked (`locked`, `passphrase-wrong`, `passkey-wrong`).
 */
export async function createBrowserPeer({
  origin,
  version,
  opener,
  onEnded
}: BrowserPeerOptions): Promise<BrowserPeer> {
  const { subtle } = globalThis.crypto
  const webCrypto = await createWebCrypto(subtle, platformRandom)
  const closed = Promise.withResolvers<void>()
  const table = await openKeyTable(KEYS_NAME, closed.resolve)
  const { store, storeKey } = await openBrowserStore(
    {
      table,
      subtle,
      random: platformRandom,
      crypto: webCrypto,
      wrapping: passphraseWrapping(webCrypto, platformRandom),
      openLevel: () => openLevelStore(STORE_NAME, closed.resolve)
    },
    opener,
    platformTimers.now()
  ).catch((error: unknown) => {
    table.close()
    throw error
  })
  const files = await openLevelStore(FILES_NAME).catch(async (error: unknown) => {
    await store.close()
    table.close()
    throw error
  })
  // Asks not to be cleaned up: what is here is nowhere else.
  void globalThis.navigator?.storage?.persist?.().catch(() => false)
  const vault = createSigningVault(store, {
    platform: platformVault(table, subtle),
    seed: createSeedVault(webCrypto, store, platformRandom)
  })
  let release: AppRelease | null = null
  void appRelease((url, init) => fetch(url, init), webCrypto, origin, version).then(found => (release = found))
  const engine: PeerEngine = new PeerEngine(
    {
      crypto: webCrypto,
      random: platformRandom,
      timers: platformTimers,
      store,
      vault,
      transport: new Libp2pTransport({ allowPlain: host => engine.isLocalDevnet && isLoopback(host) }),
      fetch: (url, init) => fetch(url, init),
      objects: new LevelObjects(files),
      log: SILENT_LOG,
      release: () => release
    },
    { entry: origin }
  )
  const reconnect = (): void => void engine.network.reconnect()
  globalThis.addEventListener?.('online', reconnect)
  const stop = async (): Promise<void> => {
    globalThis.removeEventListener?.('online', reconnect)
    await engine.stop()
    table.close()
  }
  void closed.promise
    .then(stop)
    // There is nothing left to write to.
    .catch(() => table.close())
    .then(onEnded)
  const lock = createBrowserLock({ store, storeKey, vault, now: () => platformTimers.now() })
  const start = async (): Promise<void> => {
    try {
      await engine.start()
    } catch (error) {
      await stop()
      throw error
    }
  }
  return { api: engine, lock, start, stop }
}

/** Which ways open this browser profile, whether or not its peer is open. @throws PeerError `store` if its storage cannot be used. */
export async function browserLockWays(): Promise<LockWays> {
  const table = await openKeyTable(KEYS_NAME, () => undefined)
  try {
    return await readLockWays(table)
  } finally {
    table.close()
  }
}

/** Deletes everything that the peer of this browser profile keeps. The peer must have stopped. */
export async function forgetBrowserPeer(): Promise<void> {
  for (const name of DATABASES) await deleteDatabase(name)
}

function deleteDatabase(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name)
    request.onsuccess = () => resolve()
    request.onerror = () => reject(storeFailure('not-writable', name, request.error ?? undefined))
    request.onblocked = () => reject(storeFailure('in-use', name))
  })
}
