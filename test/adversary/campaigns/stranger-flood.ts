/**
 * Strangers flood a mailbox with forged Opens while a known person writes. Each is well-formed, sealed to the victim's key and
 * signed by keys of its own; it names an account that exists and has nothing to do with it, or the known person's own. An
 * honest message must not wait for them, and they must leave nothing behind.
 */
import { randomBytes } from 'node:crypto'
import { compareBytes, fromHex } from '../../../protocol/bytes.ts'
import { buildCreate } from '../../../protocol/identity/build-record.ts'
import { decodeBundle } from '../../../protocol/identity/bundle.ts'
import { deviceIdOf, messagingKeyHash, type AccountId, type DeviceId } from '../../../protocol/identity/device.ts'
import { encodeRecord, recordIdOf } from '../../../protocol/identity/record.ts'
import { directConversationId } from '../../../protocol/roster/roster.ts'
import { sessionIdOf } from '../../../protocol/session/context.ts'
import { conversationKeyId, type SealKeyId } from '../../../protocol/session/seal-key.ts'
import { bodyKey, commitmentOf } from '../../../protocol/session/key-schedule.ts'
import { encodeOpenBody, encodeOpenContent, type OpenContent } from '../../../protocol/session/open-body.ts'
import { encodePacket } from '../../../protocol/session/packet.ts'
import { padToMultiple } from '../../../protocol/session/padding.ts'
import { sealParts } from '../../../protocol/session/seal-parts.ts'
import { deliveryIdOf, envelopeIdOf, type Delivery } from '../../../protocol/wire/envelope.ts'
import { FakeNetwork } from '../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../support/peer/test-peer.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { eventually } from '../../support/wait-for.ts'

/** Forged Opens that arrive together, before an honest message. */
const WAVE = 5
/** Pause between two waves: about 150 a second, three times what a node takes from one device. */
const WAVE_PAUSE_MS = 25
const QUIET_MESSAGES = 20
/** Accounts that exist and are named without their doing. */
const NAMED_ACCOUNTS = 50
/** A tenth of the forged Opens claim to be from the known person. */
const POSING_SHARE = 10

export interface StrangerFloodInit {
  seed: number
  /** Forged Opens. */
  runs: number
  budgetMs: number
}

export interface StrangerFloodReport {
  forged: number
  /** Milliseconds from sending to showing: median without a flood, and with it. */
  quietMs: number
  floodedMs: number
  slowestMs: number
  /** Accounts, conversations and parked bytes that the flood left in the store. */
  accountsLeft: number
  conversationsLeft: number
  storeGrowthBytes: number
  /** Questions about accounts that the flood caused. */
  questions: number
  /** Honest messages that were sent and shown, during the flood. */
  honest: number
}

/** Runs the flood. @throws Error if an honest message does not arrive. */
export async function runStrangerFlood(init: StrangerFloodInit): Promise<StrangerFloodReport> {
  const flood = await StrangerFlood.start(init.seed)
  try {
    return await flood.run(init)
  } finally {
    await flood.stop()
  }
}

class StrangerFlood {
  readonly #network: FakeNetwork
  readonly #ada: TestPeer
  readonly #bob: TestPeer
  readonly #named: AccountId[]
  readonly #random: SeededRandom
  #questions = 0
  #sent = 0

  private constructor(network: FakeNetwork, ada: TestPeer, bob: TestPeer, named: AccountId[], random: SeededRandom) {
    this.#network = network
    this.#ada = ada
    this.#bob = bob
    this.#named = named
    this.#random = random
  }

  static async start(seed: number): Promise<StrangerFlood> {
    const network = await FakeNetwork.create(2)
    const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
    await ada.register('ada')
    await bob.register('bob')
    const random = new SeededRandom(seed)
    const named: AccountId[] = []
    for (let i = 0; i < NAMED_ACCOUNTS; i++) named.push(await createAccount(network, random))
    const flood = new StrangerFlood(network, ada, bob, named, random)
    network.answer = async frame => {
      if (frame.kind === 'account') flood.#questions++
      return undefined
    }
    return flood
  }

  stop(): Promise<unknown> {
    return Promise.all([this.#ada, this.#bob].map(peer => peer.engine.stop()))
  }

  async run({ runs, budgetMs }: StrangerFloodInit): Promise<StrangerFloodReport> {
    const deadline = performance.now() + budgetMs
    await this.#say()
    const quiet: number[] = []
    // Forging costs this process as much as the victim: without a flood it is done as well, and not delivered.
    for (let i = 0; i < QUIET_MESSAGES; i++) {
      await this.#wave(WAVE)
      quiet.push(await this.#say())
      await new Promise(resolve => setTimeout(resolve, WAVE_PAUSE_MS))
    }
    const before = this.#footprint()
    const asked = this.#questions
    const flooded: number[] = []
    let forged = 0
    while (forged < runs && performance.now() < deadline) {
      const wave = await this.#wave(Math.min(WAVE, runs - forged))
      for (const delivery of wave) this.#network.push(fromHex(this.#bob.me.deviceId) as DeviceId, delivery)
      forged += wave.length
      flooded.push(await this.#say())
      await new Promise(resolve => setTimeout(resolve, WAVE_PAUSE_MS))
    }
    // One may be asked for just now; it is forgotten right after.
    await eventually(() => this.#footprint().accounts === before.accounts, {
      what: 'no account is left',
      timeoutMs: 60_000
    })
    const { accounts, conversations, bytes } = this.#footprint()
    return {
      forged,
      quietMs: median(quiet),
      floodedMs: median(flooded),
      slowestMs: Math.round(Math.max(...flooded)),
      accountsLeft: accounts - before.accounts,
      conversationsLeft: conversations - before.conversations,
      storeGrowthBytes: bytes - before.bytes,
      questions: this.#questions - asked,
      honest: flooded.length
    }
  }

  #wave(count: number): Promise<Delivery[]> {
    return Promise.all(Array.from({ length: count }, () => this.#forge()))
  }

  /** One honest message. @returns milliseconds until it is shown. */
  async #say(): Promise<number> {
    const text = `word ${this.#sent++}`
    const shown = Promise.withResolvers<number>()
    const off = this.#bob.engine.on('message', message => {
      if (message.text === text) shown.resolve(performance.now())
    })
    const at = performance.now()
    await this.#ada.send(this.#bob, text)
    let isShown = false
    void shown.promise.then(() => (isShown = true))
    await eventually(() => isShown, { what: 'an honest message is shown', timeoutMs: 60_000 })
    off()
    return (await shown.promise) - at
  }

  #footprint(): { accounts: number; conversations: number; bytes: number } {
    const entries = [...this.#bob.store.entries]
    const count = (space: string): number => entries.filter(([key]) => key.startsWith(`${space}/`)).length
    const bytes = entries
      .filter(([key]) => key.startsWith('parked/') || key.startsWith('account/'))
      .reduce((sum, [, value]) => sum + value.length, 0)
    return { accounts: count('account'), conversations: count('conversation'), bytes }
  }

  async #forge(): Promise<Delivery> {
    const { crypto, id: network } = this.#network
    const env = { crypto, network, random: (length: number) => this.#random.bytes(length), now: Date.now }
    const isPosing = this.#random.below(POSING_SHARE) === 0
    const claimed = isPosing
      ? (fromHex(this.#ada.me.accountId) as AccountId)
      : this.#named[this.#random.below(this.#named.length)]!
    const signer = await crypto.signingKeyFromSeed(this.#random.bytes(32))
    const senderKeys = { signingKey: signer.publicKey, messagingKeyHash: this.#random.bytes(32) }
    const secret = this.#random.bytes(32)
    const commitment = commitmentOf(crypto, network, secret)
    const content = this.#content(claimed, senderKeys, commitment)
    const key = bodyKey(crypto, network, secret, commitment)
    const padded = padToMultiple(encodeOpenContent(content), 1024)
    const sealed = crypto.chachaSeal(key.key, key.nonce, padded, commitment)
    const openBody = encodeOpenBody({ suite: 1, commitment, sealed })
    const mailbox = fromHex(this.#bob.me.deviceId) as DeviceId
    const { weeklyKey, keys } = decodeBundle(this.#network.bundlesOf(this.#bob.me.deviceId)[0]!)
    const keyId = messagingKeyHash(crypto, network, weeklyKey) as SealKeyId
    const target = { device: { deviceId: mailbox, ...keys }, keyId, publicKey: weeklyKey }
    const source = {
      sessionId: content.context.sessionId,
      openBody,
      commitment,
      secret,
      pairingRoot: this.#random.bytes(32)
    }
    const { parts } = await sealParts(env, signer, source, [target])
    const payload = encodePacket({ kind: 'open', openBody, messages: [] })
    const shared = { version: 1 as const, expiry: Date.now() + 3_600_000, class: 'contact' as const, payload }
    const { part } = parts[0]!
    const envelopeId = envelopeIdOf(crypto, network, shared)
    const proof = new Uint8Array()
    const id = deliveryIdOf(crypto, network, envelopeId, { mailbox, part, proof })
    return { ...shared, id, part, proof, storedAt: Date.now() }
  }

  #content(claimed: AccountId, senderKeys: OpenContent['senderKeys'], commitment: Uint8Array): OpenContent {
    const { crypto, id: network } = this.#network
    const accounts = [fromHex(this.#bob.me.accountId) as AccountId, claimed].sort(compareBytes)
    const conversationId = directConversationId(crypto, network, accounts)
    const senderDevice = deviceIdOf(crypto, network, senderKeys)
    const sessionKey = this.#random.bytes(32)
    const conversationKey = this.#random.bytes(1216)
    const named = { conversationId, senderDevice, sessionKey, commitment }
    return {
      context: {
        suite: 1,
        sessionId: sessionIdOf(crypto, network, named),
        ...named,
        rosterEpoch: 0,
        rosterHash: this.#random.bytes(32),
        senderAccount: claimed,
        conversationKeyId: conversationKeyId(crypto, network, conversationKey),
        conversationKeyIndex: 0,
        firstSequence: 0,
        createdAt: Date.now(),
        maxMessages: 100,
        maxAgeMs: 1_000_000
      },
      senderKeys,
      conversationKey,
      group: null,
      members: accounts.map(accountId => ({ accountId, head: this.#random.bytes(32) as never })),
      joined: [0, 0]
    }
  }
}

async function createAccount({ crypto, id, ledger }: FakeNetwork, random: SeededRandom): Promise<AccountId> {
  const signer = await crypto.signingKeyFromSeed(new Uint8Array(randomBytes(32)))
  const keys = { messagingKeyHash: random.bytes(32), recoveryKey: null, time: Date.now() }
  const record = await buildCreate(id, signer, keys)
  const accountId = recordIdOf(crypto, id, record) as Uint8Array as AccountId
  ledger.addAccount(accountId, [encodeRecord(record)])
  return accountId
}

const median = (values: number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return Math.round(sorted[Math.floor(sorted.length / 2)]! * 100) / 100
}
