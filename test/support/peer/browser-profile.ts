/** A browser profile without a browser: a table of keys and a store in memory, either of which may end at any write. */
import { createHash, randomBytes, webcrypto } from 'node:crypto'
import { storeFailure } from '../../../peer/errors.ts'
import { createBrowserLock, type BrowserLock } from '../../../peer/store/browser/browser-lock.ts'
import type { Opener } from '../../../peer/store/browser/key-slots.ts'
import type { KeyTable } from '../../../peer/store/browser/key-table.ts'
import { openBrowserStore } from '../../../peer/store/browser/open-browser-store.ts'
import type { KeyWrapping } from '../../../peer/store/passphrase-wrap.ts'
import type { SealedStore } from '../../../peer/store/sealed-store.ts'
import { createSeedVault } from '../../../peer/store/seed-vault.ts'
import { createSigningVault } from '../../../peer/store/signing-vault.ts'
import { fromHex, toHex } from '../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../protocol/crypto/backends/node-crypto.ts'
import { Secret } from '../../../protocol/secret.ts'
import { MemoryStore } from './memory-store.ts'

const crypto = createNodeCrypto()
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const subtle = webcrypto.subtle as unknown as SubtleCrypto

/** Wraps as Argon2id does, but at no cost: for tests that wrap a hundred times. */
export const cheapWrapping: KeyWrapping = {
  async wrap(key, passphrase) {
    const nonce = random(12)
    const wrapped = await crypto.aesGcmSeal(cheapKey(passphrase), nonce, key.expose(), new Uint8Array())
    const head = { memoryKib: 0, iterations: 0, parallelism: 0, salt: '00'.repeat(16) }
    return { ...head, nonce: toHex(nonce), wrapped: toHex(wrapped) }
  },
  async unwrap(location, { nonce, wrapped }, passphrase) {
    try {
      const sealed = [fromHex(nonce), fromHex(wrapped)] as const
      return new Secret(await crypto.aesGcmOpen(cheapKey(passphrase), ...sealed, new Uint8Array()))
    } catch (error) {
      throw storeFailure('passphrase-wrong', location, error)
    }
  }
}
const cheapKey = (passphrase: string): Uint8Array => new Uint8Array(createHash('sha256').update(passphrase).digest())

export const passphraseOpener = (passphrase: string): Opener => ({ way: 'passphrase', passphrase })

/** A passkey as its authenticator has it: it answers each salt in its own way. */
export class TestPasskey {
  readonly #secret = random(32)
  readonly credentialId = toHex(random(16))

  /** As a person opens a lock with it. @param salt - hex; a new one if it is not given, as for a new lock. */
  opener(salt = toHex(random(32))): Opener & { way: 'passkey' } {
    const answer = createHash('sha256').update(this.#secret).update(salt).digest()
    const passkey = { credentialId: this.credentialId, salt }
    return { way: 'passkey', passkey, answer: new Secret(new Uint8Array(answer)) }
  }
}

/** An open profile. */
export interface OpenProfile {
  store: SealedStore
  lock: BrowserLock
}

export class BrowserProfile {
  readonly keys = new Map<string, unknown>()
  readonly level = new MemoryStore()
  readonly wrapping: KeyWrapping
  /** Called before each write of either; throwing in it is the end of the process at that point. */
  beforeWrite: (() => void) | undefined
  now = Date.parse('2026-01-01')

  constructor(wrapping = cheapWrapping) {
    this.wrapping = wrapping
    this.level.beforeBatch = () => this.beforeWrite?.()
    this.level.beforeFlush = async () => this.beforeWrite?.()
  }

  async open(by?: string | Opener): Promise<OpenProfile> {
    const process = { isGone: false }
    const { store, storeKey } = await openBrowserStore(
      {
        table: this.#table(),
        subtle,
        crypto,
        random,
        wrapping: this.wrapping,
        openLevel: async () => this.level.openedBy(process)
      },
      typeof by === 'string' ? passphraseOpener(by) : by,
      this.now
    )
    const vault = createSigningVault(store, {
      platform: { load: async () => undefined },
      seed: createSeedVault(crypto, store, random)
    })
    return { store, lock: createBrowserLock({ store, storeKey, vault, now: () => this.now }) }
  }

  #table(): KeyTable {
    return {
      location: 'keys',
      get: async name => structuredClone(this.keys.get(name)),
      all: async prefix =>
        [...this.keys]
          .filter(([name]) => name.startsWith(prefix))
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([, value]) => structuredClone(value)),
      write: async changes => {
        this.beforeWrite?.()
        for (const { name, value } of changes) {
          if (value === undefined) this.keys.delete(name)
          else this.keys.set(name, structuredClone(value))
        }
      },
      close: () => undefined
    }
  }
}
