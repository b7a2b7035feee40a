import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { PeerEngine } from '../../../../peer/peer-engine.ts'
import { platformTimers, SILENT_LOG, type KeyVault } from '../../../../peer/ports.ts'
import type { SealedStore } from '../../../../peer/store/sealed-store.ts'
import { createSeedVault } from '../../../../peer/store/seed-vault.ts'
import { createSigningVault, type VaultKind } from '../../../../peer/store/signing-vault.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import type { SigningKey } from '../../../../protocol/crypto/crypto.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'

const crypto = createNodeCrypto()
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

/** Keys that a browser keeps outside the store. */
function platformVault(): KeyVault {
  let key: SigningKey | undefined
  return {
    load: async () => key,
    create: async () => (key = await crypto.signingKeyFromSeed(random(32)))
  }
}

/** One browser profile over the store of a test peer; `preferred` is what its platform has on this visit. */
async function browser(network: FakeNetwork, profile: TestPeer) {
  const platform = platformVault()
  const vault = (store: SealedStore, preferred: VaultKind): KeyVault =>
    createSigningVault(store, { platform, seed: createSeedVault(crypto, store, random), preferred })
  const visit = async (vaultOf: (store: SealedStore) => KeyVault): Promise<PeerEngine> => {
    const store = await profile.openStore()
    const components = { crypto, random, timers: platformTimers, store, fetch: network.fetch, log: SILENT_LOG }
    const engine = new PeerEngine(
      { ...components, vault: vaultOf(store), transport: network.transport() },
      { entry: network.url(0) }
    )
    await engine.start()
    return engine
  }
  return { vault, visit }
}

async function signUp(engine: PeerEngine): Promise<string> {
  await engine.account.startSignIn('demo', 'http://127.0.0.1:9/')
  await engine.account.finishSignIn('code')
  return (await engine.account.register({ username: 'ada', displayName: 'Ada', deviceName: 'test' })).deviceId
}

describe.each([
  ['gains', 'seed', 'platform'],
  ['loses', 'platform', 'seed']
] as const)('a browser that %s Ed25519 of its own', (_verb, before, after) => {
  test('is the same device as before', async () => {
    const network = await FakeNetwork.create(1)
    const { vault, visit } = await browser(network, new TestPeer(network))
    const first = await visit(store => vault(store, before))
    const deviceId = await signUp(first)
    await first.stop()
    const second = await visit(store => vault(store, after))
    expect((await second.snapshot()).me?.deviceId).toBe(deviceId)
    expect(await second.online(10_000)).toBe(true)
    await second.stop()
  })

  test('is the same device with a store from before the vault was recorded', async () => {
    const network = await FakeNetwork.create(1)
    const profile = new TestPeer(network)
    const { vault, visit } = await browser(network, profile)
    const first = await visit(store => vault(store, before))
    const deviceId = await signUp(first)
    await first.stop()
    for (const key of profile.store.entries.keys()) {
      if (key.startsWith('signing-vault')) profile.store.entries.delete(key)
    }
    const second = await visit(store => vault(store, after))
    expect((await second.snapshot()).me?.deviceId).toBe(deviceId)
    await second.stop()
  })
})

test('a device whose signing key is gone says so, and makes no other key over it', async () => {
  const network = await FakeNetwork.create(1)
  const profile = new TestPeer(network)
  const { vault, visit } = await browser(network, profile)
  const first = await visit(store => vault(store, 'platform'))
  await signUp(first)
  await first.stop()
  const before = profile.store.entries.size
  const emptied = (): KeyVault => platformVault()
  await expect(visit(emptied)).rejects.toMatchObject({ code: 'store', facts: { fault: 'signing-key-unusable' } })
  expect(profile.store.entries.size).toBe(before)
})
