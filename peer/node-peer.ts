import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createNodeFetch } from './network/node-bulk-http.ts'
import { createNodeCrypto } from '../protocol/crypto/backends/node-crypto.ts'
import { terminalJson, terminalLine } from '../protocol/terminal-text.ts'
import { FolderObjects, OBJECT_FOLDER } from './objects/folder-objects.ts'
import { PeerEngine } from './peer-engine.ts'
import { platformTimers, SILENT_LOG, type HttpClient, type Log, type Transport } from './ports.ts'
import { createAesAtRestCipher } from './store/aes-at-rest-cipher.ts'
import { openLevelStore } from './store/level-store.ts'
import { openPeerStore } from './store/migrations.ts'
import { createSecretKeyFile, SECRET_KEY_FILE } from './store/secret-key-file.ts'
import { createSeedVault } from './store/seed-vault.ts'
import { loadStoreKey, STORE_FOLDER } from './store/store-key.ts'
import { LazyTransport } from './network/lazy-transport.ts'

export interface NodePeerOptions {
  /** Folder for keys and messages, made if missing. One process at a time. */
  dataDir: string
  /** Origin of the node to start from; undefined for the one used last. */
  nodeUrl?: string | undefined
  /** Protects the folder's key; undefined for a key file that only the owner can read. */
  passphrase?: string | undefined
  /** Report what goes on to stderr. */
  debug?: boolean
  /** HTTP to nodes; default: that of Node. A test lets it fail. */
  fetch?: HttpClient
}

/** A peer in Node: no screen, everything in one folder. */
export type NodePeer = PeerEngine

const STDERR_LOG: Log = {
  debug: (message, details) => process.stderr.write(`debug ${terminalLine(message)} ${terminalJson(details ?? {})}\n`),
  warn: (message, details) => process.stderr.write(`warn ${terminalLine(message)} ${terminalJson(details ?? {})}\n`)
}

async function loadTransport(): Promise<Transport> {
  const [{ Libp2pTransport }, { nodeNoiseCrypto }] = await Promise.all([
    import('./network/libp2p-transport.ts'),
    import('../protocol/crypto/backends/node-noise.ts')
  ])
  // The frames are encrypted and both ends authenticated whatever carries them.
  return new Libp2pTransport({ allowPlain: () => true, noiseCrypto: nodeNoiseCrypto })
}

/**
 * Opens a folder as a peer; `start()` it next, and `stop()` it at the end.
 * @throws PeerError `store` if the folder is in use, not writable, or written by a newer version, or its passphrase is wrong
 * or missing.
 */
export async function createNodePeer({
  dataDir,
  nodeUrl,
  passphrase,
  debug,
  fetch = createNodeFetch()
}: NodePeerOptions): Promise<NodePeer> {
  const crypto = createNodeCrypto()
  const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
  const key = await loadStoreKey(crypto, random, dataDir, passphrase)
  const level = await openLevelStore(join(dataDir, STORE_FOLDER))
  try {
    const cipher = createAesAtRestCipher(crypto, key, random)
    const keys = createSecretKeyFile(crypto, cipher, random, join(dataDir, SECRET_KEY_FILE))
    const store = await openPeerStore(level, cipher, crypto, random, { keys, now: platformTimers.now() })
    return new PeerEngine(
      {
        crypto,
        random,
        timers: platformTimers,
        store,
        vault: createSeedVault(crypto, store, random),
        transport: new LazyTransport(loadTransport),
        fetch,
        objects: new FolderObjects(join(dataDir, OBJECT_FOLDER)),
        log: debug ? STDERR_LOG : SILENT_LOG
      },
      { entry: nodeUrl, keepUnheard: true }
    )
  } catch (error) {
    await level.close()
    throw error
  }
}
