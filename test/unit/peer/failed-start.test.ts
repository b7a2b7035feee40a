import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { LevelObjects } from '../../../peer/objects/level-objects.ts'
import { MemoryStore } from '../../support/peer/memory-store.ts'
import { PeerEngine } from '../../../peer/peer-engine.ts'
import { platformTimers, SILENT_LOG } from '../../../peer/ports.ts'
import { createSeedVault } from '../../../peer/store/seed-vault.ts'
import { createNodeCrypto } from '../../../protocol/crypto/backends/node-crypto.ts'
import { FakeNetwork } from '../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../support/peer/test-peer.ts'
import { eventually } from '../../support/wait-for.ts'

test('a start that fails leaves nothing running beside the next one', async () => {
  const network = await FakeNetwork.create(1)
  const ada = new TestPeer(network)
  await ada.register('ada')
  await ada.engine.stop()
  const crypto = createNodeCrypto()
  const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
  const store = await ada.openStore()
  const all = store.all.bind(store)
  // Read last, when the connection is being made already.
  store.all = async space => {
    if (space === 'device-removal') throw new Error('the database server was lost')
    return all(space)
  }
  let closed = 0
  const close = store.close.bind(store)
  store.close = async () => {
    closed++
    return close()
  }
  const objects = new LevelObjects(new MemoryStore())
  const components = { crypto, random, timers: platformTimers, store, fetch: network.fetch, objects, log: SILENT_LOG }
  const engine = new PeerEngine(
    { ...components, vault: createSeedVault(crypto, store, random), transport: network.transport() },
    { entry: network.url(0) }
  )
  await expect(engine.start()).rejects.toThrow('the database server was lost')
  expect(closed).toBe(1)
  expect((await engine.snapshot()).status.connection).not.toBe('online')
  await ada.start()
  await eventually(async () => (await ada.engine.snapshot()).status.connection === 'online', 'the next one is online')
  expect((await engine.snapshot()).status.connection).not.toBe('online')
  await ada.engine.stop()
})
