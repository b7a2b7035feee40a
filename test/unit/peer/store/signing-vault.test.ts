import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { LevelObjects } from '../../../../peer/objects/level-objects.ts'
import { MemoryStore } from '../../../support/peer/memory-store.ts'
import { PeerEngine } from '../../../../peer/peer-engine.ts'
import { platformTimers, SILENT_LOG, type KeyVault } from '../../../../peer/ports.ts'
import type { SealedStore } from '../../../../peer/store/sealed-store.ts'
import { createSeedVault } from '../../../../peer/store/seed-vault.ts'
import { createSigningVault, type SigningVault } from '../../../../peer/store/signing-vault.ts'
import { utf8 } from '../../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import type { SigningKey } from '../../../../protocol/crypto/crypto.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'

const crypto = createNodeCrypto()
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

/** A key that an earlier version let the platform make, outside the store. */
function platformVault(): KeyVault {
  let key: SigningKey | undefined
  return {
    load: async () => key,
    create: async () => (key = await crypto.signingKeyFromSeed(random(32)))
  }
}

/** One browser profile over the store of a test peer. */
async function browser(network: FakeNetwork, profile: TestPeer) {
  const platform = platformVault()
  const vault = (store: SealedStore): SigningVault =>
    createSigningVault(store, { platform, seed: createSeedVault(crypto, store, random) })
  /** As an earlier version made keys where the platform could. */
  const oldVault = (store: SealedStore): KeyVault => ({
    load: platform.load,
    async create() {
      await store.batch([{ space: 'signing-vault', value: utf8('platform') }])
      return platform.create()
    }
  })
  const visit = async (vaultOf: (store: SealedStore) => KeyVault): Promise<PeerEngine> => {
    const store = await profile.openStore()
    const objects = new LevelObjects(new MemoryStore())
    const components = { crypto, random, timers: platformTimers, store, fetch: network.fetch, objects, log: SILENT_LOG }
    const engine = new PeerEngine(
      { ...components, vault: vaultOf(store), transport: network.transport() },
      { entry: network.url(0) }
    )
    await engine.start()
    return engine
  }
  return { vault, oldVault, visit }
}

async function signUp(engine: PeerEngine): Promise<string> {
  await engine.account.startSignIn('demo', 'http://127.0.0.1:9/')
  await engine.account.finishSignIn('code')
  return (await engine.account.register({ username: 'ada', displayName: 'Ada', deviceName: 'test' })).deviceId
}

describe.each([
  ['in the store', 'seed'],
  ['by the platform, in an earlier version', 'platform']
] as const)('a browser whose signing key was made %s', (_where, kind) => {
  test.each(['as it is', 'from before the vault was recorded'])('is the same device with a store %s', async age => {
    const network = await FakeNetwork.create(1)
    const profile = new TestPeer(network)
    const { vault, oldVault, visit } = await browser(network, profile)
    const first = await visit(kind === 'seed' ? vault : oldVault)
    const deviceId = await signUp(first)
    await first.stop()
    if (age !== 'as it is') {
      for (const key of profile.store.entries.keys()) {
        if (key.startsWith('signing-vault')) profile.store.entries.delete(key)
      }
    }
    let made: SigningVault | undefined
    const second = await visit(store => (made = vault(store)))
    expect((await second.snapshot()).me?.deviceId).toBe(deviceId)
    expect(await second.online(10_000)).toBe(true)
    // A lock covers the seed, and not what the platform keeps.
    expect(await made!.madeIn()).toBe(kind)
    await second.stop()
  })
})

test('a device whose signing key is gone says so, and makes no other key over it', async () => {
  const network = await FakeNetwork.create(1)
  const profile = new TestPeer(network)
  const { oldVault, visit } = await browser(network, profile)
  const first = await visit(oldVault)
  await signUp(first)
  await first.stop()
  const before = profile.store.entries.size
  const { vault } = await browser(network, profile)
  await expect(visit(vault)).rejects.toMatchObject({ code: 'store', facts: { fault: 'signing-key-unusable' } })
  expect(profile.store.entries.size).toBe(before)
})
