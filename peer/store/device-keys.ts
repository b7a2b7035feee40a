import { bytesBetween, decode, encode, nullable, struct, uint } from '../../protocol/codec.ts'
import {
  KEY_BYTES,
  type Crypto,
  type MessagingKey,
  type Random,
  type SigningKey
} from '../../protocol/crypto/crypto.ts'
import { signBundle, type DeviceBundle } from '../../protocol/identity/bundle.ts'
import { deviceIdOf, messagingKeyHash, type DeviceId, type DevicePublicKeys } from '../../protocol/identity/device.ts'
import type { NetworkId } from '../../protocol/network.ts'
import type { Environment } from '../../protocol/environment.ts'
import { Secret, secretBytes } from '../../protocol/secret.ts'
import { SerialQueue } from '../../protocol/serial-queue.ts'
import type { HeldKey, SealKeyId } from '../../protocol/session/seal-key.ts'
import {
  emptyWeeklyKeys,
  eraseWeeklyKeys,
  heldWeeklyKeys,
  isWeeklyKeyDue,
  renewWeeklyKey,
  weeklyKeysState,
  type WeeklyKeys
} from '../../protocol/session/weekly-keys.ts'
import { storeFailure } from '../errors.ts'
import type { KeyVault } from '../ports.ts'
import type { SealedStore } from './sealed-store.ts'

const MAX_WEEKLY_BYTES = 64 * 1024

const storedDeviceCodec = struct({
  /** 32-byte X-Wing seed of the registered messaging key. */
  registeredSeed: secretBytes(KEY_BYTES),
  weekly: bytesBetween(1, MAX_WEEKLY_BYTES),
  /** Index of the weekly key that the nodes have, null before the first. */
  published: nullable(uint())
})

const NAME = { space: 'device' }

/** This device's keys: who it is, and what first messages are sealed to. */
export class DeviceKeys {
  readonly signingKey: SigningKey
  readonly publicKeys: DevicePublicKeys
  readonly deviceId: DeviceId
  readonly #network: NetworkId
  readonly #registeredSeed: Secret
  readonly #registeredKey: MessagingKey
  readonly #store: SealedStore
  /** Every change reads, waits and writes: without turns one of two at once would undo the other. */
  readonly #turns = new SerialQueue()
  #weekly: WeeklyKeys
  #published: number | null

  private constructor(
    crypto: Crypto,
    network: NetworkId,
    store: SealedStore,
    signingKey: SigningKey,
    registeredKey: MessagingKey,
    stored: { registeredSeed: Secret; weekly: WeeklyKeys; published: number | null }
  ) {
    this.signingKey = signingKey
    this.publicKeys = {
      signingKey: signingKey.publicKey,
      messagingKeyHash: messagingKeyHash(crypto, network, registeredKey.publicKey)
    }
    this.deviceId = deviceIdOf(crypto, network, this.publicKeys)
    this.#network = network
    this.#store = store
    this.#registeredKey = registeredKey
    this.#registeredSeed = stored.registeredSeed
    this.#weekly = stored.weekly
    this.#published = stored.published
  }

  /**
   * @returns undefined while this device has no keys.
   * @throws PeerError `store` if it has keys and the vault does not give the signing key: the caller must not make others.
   */
  static async load(
    crypto: Crypto,
    network: NetworkId,
    store: SealedStore,
    vault: KeyVault
  ): Promise<DeviceKeys | undefined> {
    const [encoded, signingKey] = await Promise.all([store.get(NAME), vault.load()])
    if (!encoded) return undefined
    if (!signingKey) throw storeFailure('signing-key-unusable', NAME.space)
    const { registeredSeed, weekly, published } = decode(storedDeviceCodec, encoded, { maxBytes: 2 * MAX_WEEKLY_BYTES })
    const registeredKey = await crypto.messagingKeyFromSeed(registeredSeed.expose())
    const stored = { registeredSeed, weekly: weeklyKeysState.decode(weekly), published }
    return new DeviceKeys(crypto, network, store, signingKey, registeredKey, stored)
  }

  /** Makes the keys of a new device and stores them. */
  static async create(
    crypto: Crypto,
    network: NetworkId,
    store: SealedStore,
    vault: KeyVault,
    random: Random
  ): Promise<DeviceKeys> {
    const signingKey = (await vault.load()) ?? (await vault.create())
    const registeredSeed = new Secret(random(KEY_BYTES))
    const registeredKey = await crypto.messagingKeyFromSeed(registeredSeed.expose())
    const stored = { registeredSeed, weekly: emptyWeeklyKeys(), published: null }
    const keys = new DeviceKeys(crypto, network, store, signingKey, registeredKey, stored)
    await keys.#save(stored.weekly, null)
    return keys
  }

  /** Secrets that a first Open to this device may be sealed to. */
  heldKeys(): HeldKey[] {
    const registered = {
      keyId: this.publicKeys.messagingKeyHash as SealKeyId,
      seed: this.#registeredSeed,
      conversationId: null,
      index: null
    }
    return [...heldWeeklyKeys(this.#weekly), registered]
  }

  /** Whether the nodes have to be given a bundle: the newest one is due, or never arrived. */
  isBundleDue(now: number): boolean {
    return isWeeklyKeyDue(this.#weekly, now) || this.#published !== this.#weekly.nextIndex - 1
  }

  /** The current bundle, with a new weekly key if the last is due. It is stored before it is handed out. */
  bundle(env: Environment): Promise<DeviceBundle> {
    return this.#turns.run(() => this.#bundle(env))
  }

  async #bundle(env: Environment): Promise<DeviceBundle> {
    if (isWeeklyKeyDue(this.#weekly, env.now())) {
      const { weekly } = await renewWeeklyKey(env, this.#weekly)
      await this.#save(eraseWeeklyKeys(weekly, env.now()), this.#published)
    }
    const newest = this.#weekly.keys.at(-1)!
    const weeklyKey = await env.crypto.messagingKeyFromSeed(newest.seed.expose())
    return signBundle(this.#network, this.signingKey, {
      deviceId: this.deviceId,
      keys: this.publicKeys,
      registeredKey: this.#registeredKey.publicKey,
      weeklyIndex: newest.index,
      weeklyKey: weeklyKey.publicKey,
      weeklyExpiry: newest.expiry
    })
  }

  /** Notes that the nodes have this bundle. They keep the newest, so the note of an older one changes nothing. */
  notePublished({ weeklyIndex }: DeviceBundle): Promise<void> {
    return this.#turns.run(async () => {
      if (weeklyIndex > (this.#published ?? -1)) await this.#save(this.#weekly, weeklyIndex)
    })
  }

  async #save(weekly: WeeklyKeys, published: number | null): Promise<void> {
    const value = encode(storedDeviceCodec, {
      registeredSeed: this.#registeredSeed,
      weekly: weeklyKeysState.encode(weekly),
      published
    })
    await this.#store.batch([{ ...NAME, value }])
    this.#weekly = weekly
    this.#published = published
  }
}
