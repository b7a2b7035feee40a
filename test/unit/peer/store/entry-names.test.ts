import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { createAesAtRestCipher } from '../../../../peer/store/aes-at-rest-cipher.ts'
import { openPeerStore } from '../../../../peer/store/migrations.ts'
import { slots } from '../../../../peer/store/store-layout.ts'
import { fromHex, toHex } from '../../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import { Secret } from '../../../../protocol/secret.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { memorySecretKeys } from '../../../support/peer/memory-secret-keys.ts'
import { MemoryStore } from '../../../support/peer/memory-store.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const crypto = createNodeCrypto()
const secrets = () => ({ keys: memorySecretKeys(), now: Date.now() })
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

/** Parts of names on disk that are neither a kind, nor a keyed hash where one belongs, nor a number or its beginning (buckets of the search index). */
function clearParts(store: MemoryStore): string[] {
  const known = /^[a-z-]+(\/([0-9a-f]{32})?\/(![0-9a-f]{32}|[0-9a-f]{10,12}(\.[0-9a-f]{12})*)?)?$/
  return [...store.entries.keys()].filter(key => !known.test(key))
}

test('no name on the disk of a peer has an id of the device, session or person it talks to', async () => {
  const network = await FakeNetwork.create(1)
  const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
  await ada.register('ada')
  await bob.register('bob')
  await ada.send(bob, 'hello')
  await eventually(async () => (await bob.received(ada)).length === 1, 'it is there')
  await bob.send(ada, 'hello back')
  await eventually(async () => (await ada.received(bob)).length === 1, 'the answer is there')
  await eventually(
    () =>
      ['inbound/', 'peer-key/', 'accepted-pairing/', 'opened-pairing/'].every(space =>
        [...ada.store.entries.keys()].some(key => key.startsWith(space))
      ),
    'all kinds of session state are there'
  )
  expect(clearParts(ada.store)).toEqual([])
  const names = [...ada.store.entries.keys()].join('\n')
  for (const id of [bob.me.deviceId, bob.me.accountId, ada.me.deviceId]) expect(names).not.toContain(id)
  await ada.engine.stop()
  await bob.engine.stop()
})

/** The copy of a store that a program of version 1 left. */
async function oldStore(): Promise<{ memory: MemoryStore; key: Uint8Array; devices: string[] }> {
  const text = await readFile(new URL('../../../fixtures/peer-stores/version-1.json', import.meta.url), 'utf8')
  const { key, entries } = JSON.parse(text) as { key: string; entries: [string, string][] }
  const memory = new MemoryStore()
  await memory.batch(entries.map(([name, value]) => ({ key: name, value: fromHex(value) })))
  const devices = entries.flatMap(([name]) => (name.startsWith('peer-key/') ? [name.split('/')[2]!] : []))
  return { memory, key: fromHex(key), devices }
}

test('an old store gets new names, also where a process ended in the middle', async () => {
  const { memory, key, devices } = await oldStore()
  expect(clearParts(memory).length).toBeGreaterThan(0)
  const kept = secrets()
  const open = () => openPeerStore(memory, createAesAtRestCipher(crypto, new Secret(key), random), crypto, random, kept)
  // Every write fails once: the process ends there, and the next one goes on.
  let allowed = 0
  for (let isOpen = false; !isOpen; allowed++) {
    let left = allowed
    memory.beforeBatch = () => {
      if (left-- === 0) throw new Error('the process ends')
    }
    isOpen = await open().then(
      () => true,
      () => false
    )
  }
  memory.beforeBatch = undefined
  expect(allowed).toBeGreaterThan(1)
  expect(clearParts(memory)).toEqual([])
  const store = await open()
  const conversations = (await store.all('conversation')).map(entry => slots.conversation('').codec.decode(entry))
  const found: string[] = []
  for (const { conversationId } of conversations) {
    for (const { order, value } of await store.range('peer-key', toHex(conversationId))) {
      found.push(order)
      expect(toHex(slots.peerKey('', '').codec.decode(value).deviceId)).toBe(order)
      expect(await store.get({ space: 'peer-key', id: toHex(conversationId), order })).toEqual(value)
    }
  }
  expect(found).toEqual(devices)
})
