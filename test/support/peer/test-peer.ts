import { hkdfSync, randomBytes } from 'node:crypto'
import type { AppRelease } from '../../../protocol/audit/seen.ts'
import { requireKdf, type DeriveSecrets } from '../../../protocol/backup/backup-passphrase.ts'
import { createNodeCrypto } from '../../../protocol/crypto/backends/node-crypto.ts'
import { Secret } from '../../../protocol/secret.ts'
import { LevelObjects } from '../../../peer/objects/level-objects.ts'
import { PeerEngine } from '../../../peer/peer-engine.ts'
import type { ChatMessage, Me } from '../../../peer/peer-api.ts'
import { platformTimers, SILENT_LOG, type KeyVault, type Log, type Timers } from '../../../peer/ports.ts'
import { createAesAtRestCipher } from '../../../peer/store/aes-at-rest-cipher.ts'
import { openPeerStore } from '../../../peer/store/migrations.ts'
import type { SealedStore } from '../../../peer/store/sealed-store.ts'
import { createSeedVault } from '../../../peer/store/seed-vault.ts'
import type { FakeNetwork } from '../network/fake/fake-network.ts'
import { FastTimers } from '../clock/fast-timers.ts'
import { memorySecretKeys } from './memory-secret-keys.ts'
import { MemoryStore } from './memory-store.ts'

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

/** Argon2id takes half a second each time; it has tests and vectors of its own. What it refuses is refused here, too. */
const quickSecrets: DeriveSecrets = async (_environment, passphrase, kdf, salt) => {
  requireKdf(kdf)
  const derived = (info: string) => new Uint8Array(hkdfSync('sha256', passphrase, salt, info + kdf.iterations, 32))
  return { wrapKey: derived('wrap'), token: derived('token') }
}

/** What a test peer reaches the network through: a fake one, or real transport. */
export type PeerSurroundings = Pick<FakeNetwork, 'transport' | 'fetch' | 'url'>

/** A real peer over a fake network; restarts over the same store. */
export class TestPeer {
  readonly store = new MemoryStore()
  /** Its files, encrypted. */
  readonly objects = new MemoryStore()
  readonly #network: PeerSurroundings
  readonly #entry: number
  /** Seals the store; 32 bytes. */
  readonly storeKey = random(32)
  /** What a thief of the device would hold beside the store key. */
  readonly secretKeys = memorySecretKeys()
  #process = { isGone: false }
  readonly #nextRandom: Uint8Array[] = []
  readonly #accepted = new Map<TestPeer, Promise<unknown>>()
  /**
   * How much faster than the test's time this peer's passes; set before it starts. A test that waits for a pause of the
   * peer ends sooner; one that compares the peer's clock with that of a node needs 1.
   */
  speed = 10
  /** Takes the place of the machine's clock and timers. */
  clock: Timers | undefined
  /** Added to the user's clock alone, milliseconds. */
  clockOffset = 0
  /** Added to both clocks, milliseconds: time that passes without a timer. */
  slept = 0
  /** One clock for all its processes: it never goes back. */
  #fast: FastTimers | undefined
  engine!: PeerEngine
  me!: Me
  /** What a thief of the device would hold. */
  vault!: KeyVault
  log: Log = SILENT_LOG
  /** The build of the app that this peer believes to be. */
  release: AppRelease | null = null

  constructor(network: PeerSurroundings, entry = 0) {
    this.#network = network
    this.#entry = entry
  }

  /** The store, for a look or a change from outside the engine. */
  openStore(process = { isGone: false }): Promise<SealedStore> {
    const crypto = createNodeCrypto()
    const store = this.store.openedBy(process)
    return openPeerStore(store, createAesAtRestCipher(crypto, new Secret(this.storeKey), random), crypto, random, {
      keys: this.secretKeys,
      now: (this.clock?.now() ?? Date.now()) + this.slept + this.clockOffset
    })
  }

  async start(): Promise<void> {
    const crypto = createNodeCrypto()
    const store = await this.openStore((this.#process = { isGone: false }))
    this.vault = createSeedVault(crypto, store, random)
    const base = this.clock ?? (this.speed === 1 ? platformTimers : (this.#fast ??= new FastTimers(this.speed)))
    const timers: Timers = {
      now: () => base.now() + this.slept + this.clockOffset,
      monotonic: () => base.monotonic() + this.slept,
      after: (ms, run) => base.after(ms, run)
    }
    this.engine = new PeerEngine(
      {
        crypto,
        random: length => this.#nextRandom.shift() ?? random(length),
        timers,
        store,
        vault: this.vault,
        transport: this.#network.transport(),
        fetch: this.#network.fetch,
        objects: new LevelObjects(this.objects),
        log: this.log,
        release: () => this.release,
        deriveBackupSecrets: quickSecrets
      },
      { entry: this.#network.url(this.#entry), keepUnheard: true }
    )
    await this.engine.start()
  }

  async register(username: string): Promise<Me> {
    await this.start()
    await this.engine.account.startSignIn('demo', 'http://127.0.0.1:9/')
    await this.engine.account.finishSignIn('code')
    this.me = await this.engine.account.register({ username, displayName: username, deviceName: 'test' })
    await this.engine.online(5_000)
    return this.me
  }

  /** The process dies: it flushes nothing and reports nothing; only what is on disk is left. */
  async crash(): Promise<void> {
    this.#process.isGone = true
    this.store.beforeBatch = undefined
    await this.engine.stop()
    await this.start()
  }

  /** What is on disk, to put a peer back to it. */
  copyOfStore(): Map<string, Uint8Array> {
    return new Map(this.store.entries)
  }

  /** Puts an old copy of the disk back, as no honest program does: what was sent since is sent again, and may be another thing. */
  async rollBack(copy: Map<string, Uint8Array>): Promise<void> {
    this.#process.isGone = true
    await this.engine.stop()
    this.store.entries.clear()
    for (const [key, value] of copy) this.store.entries.set(key, value)
    await this.start()
  }

  /** The machine dies: what was not flushed is gone as well. */
  async powerCut(): Promise<void> {
    this.#process.isGone = true
    this.store.cutPower()
    this.store.beforeFlush = undefined
    await this.engine.stop()
    await this.start()
  }

  async restart(): Promise<void> {
    await this.engine.stop()
    await this.start()
  }

  /** Sends to another peer, who accepts this one first unless told otherwise. @returns once it is taken. */
  async send(to: TestPeer, text: string, { isStranger = false } = {}): Promise<ChatMessage> {
    if (to !== this && !isStranger) await to.accept(this)
    const { id } = await this.engine.conversations.open(to.me.accountId)
    return this.engine.messages.sendText(id, text)
  }

  /** Answers the request of another peer before it comes. */
  async accept(other: TestPeer): Promise<void> {
    const { accountId } = other.me
    if (!this.#accepted.has(other) && this.#process.isGone) return
    // One promise for all who wait, so that what is sent at once keeps its order.
    if (!this.#accepted.has(other))
      this.#accepted.set(other, this.engine.people.mark(accountId, { answer: 'accepted' }))
    await this.#accepted.get(other)
  }

  /** Sends with a message id of choice, as a hostile program might. */
  async sendAs(messageId: Uint8Array, to: TestPeer, text: string): Promise<ChatMessage> {
    if (to !== this) await to.accept(this)
    const { id } = await this.engine.conversations.open(to.me.accountId)
    // Taken by the call itself, before anything else is asked of the engine.
    this.#nextRandom.push(messageId)
    const taken = this.engine.messages.sendText(id, text)
    this.#nextRandom.length = 0
    return taken
  }

  /** All messages with another peer, oldest first. */
  async messages(other: TestPeer): Promise<ChatMessage[]> {
    const { id } = await this.engine.conversations.open(other.me.accountId)
    return this.engine.messages.page(id, { limit: 500 })
  }

  /** What the other peer wrote, as it is shown here. */
  async received(from: TestPeer): Promise<string[]> {
    return (await this.messages(from)).filter(({ mine, kind }) => !mine && kind === 'text').map(({ text }) => text)
  }
}
