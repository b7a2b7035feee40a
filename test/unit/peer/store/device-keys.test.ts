import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { OwnIdentity } from '../../../../peer/account/own-identity.ts'
import { createAesAtRestCipher } from '../../../../peer/store/aes-at-rest-cipher.ts'
import { DeviceKeys } from '../../../../peer/store/device-keys.ts'
import { SealedStore } from '../../../../peer/store/sealed-store.ts'
import { createSeedVault } from '../../../../peer/store/seed-vault.ts'
import { toHex } from '../../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import type { Environment } from '../../../../protocol/environment.ts'
import { messagingKeyHash } from '../../../../protocol/identity/device.ts'
import type { NetworkId } from '../../../../protocol/network.ts'
import { Secret } from '../../../../protocol/secret.ts'
import { MemoryStore } from '../../../support/peer/memory-store.ts'

const crypto = createNodeCrypto()
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const network = random(32) as NetworkId
const WEEK_MS = 7 * 24 * 3_600_000

async function openStore() {
  const memory = new MemoryStore()
  const store = await SealedStore.open(
    memory,
    createAesAtRestCipher(crypto, new Secret(random(32)), random),
    crypto,
    random
  )
  return { memory, store, vault: createSeedVault(crypto, store, random) }
}

/** Writes wait until each `release` lets the next through. */
function holdWrites(memory: MemoryStore): { release: () => void } {
  const batch = memory.batch.bind(memory)
  const held: (() => void)[] = []
  memory.batch = async (changes, options) => {
    await new Promise<void>(resolve => held.push(resolve))
    await batch(changes, options)
  }
  return { release: () => held.pop()?.() }
}

describe('the keys of a device', () => {
  test('two bundles at once have the same weekly key, whose secret is kept', async () => {
    const { memory, store, vault } = await openStore()
    const keys = await DeviceKeys.create(crypto, network, store, vault, random)
    const env: Environment = { crypto, network, random, now: () => 0 }
    const writes = holdWrites(memory)
    const both = Promise.all([keys.bundle(env), keys.bundle(env)])
    let isDone = false
    void both.finally(() => (isDone = true))
    // Newest first: a slow disk may end two writes in either order.
    while (!isDone) {
      await new Promise(resolve => setImmediate(resolve))
      writes.release()
    }
    const reopened = (await DeviceKeys.load(crypto, network, store, vault))!
    for (const bundle of await both) {
      const id = toHex(messagingKeyHash(crypto, network, bundle.weeklyKey))
      for (const held of [keys, reopened]) expect(held.heldKeys().map(({ keyId }) => toHex(keyId))).toContain(id)
    }
  })

  test('the note of an older bundle does not make the newest one due again', async () => {
    const { store, vault } = await openStore()
    const keys = await DeviceKeys.create(crypto, network, store, vault, random)
    let now = 0
    const env: Environment = { crypto, network, random, now: () => now }
    const older = await keys.bundle(env)
    now = WEEK_MS
    const newer = await keys.bundle(env)
    expect(newer.weeklyIndex).toBeGreaterThan(older.weeklyIndex)
    await keys.notePublished(newer)
    await keys.notePublished(older)
    expect(keys.isBundleDue(now)).toBe(false)
  })

  test('two sign-ins that begin at once make one device', async () => {
    const { memory, store, vault } = await openStore()
    const identity = new OwnIdentity({ crypto, random, store, vault })
    const written: string[] = []
    memory.beforeBatch = spaces => void written.push(...spaces)
    await Promise.all([identity.makeDevice(network), identity.makeDevice(network)])
    expect(written.sort()).toEqual(['device', 'signing-seed'])
    const { deviceId } = identity.device
    expect((await DeviceKeys.load(crypto, network, store, vault))!.deviceId).toEqual(deviceId)
  })
})
