import { randomBytes } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AtRestCipher, KeyValueStore, SecretKeys } from '../../../../peer/ports.ts'
import { createAesAtRestCipher } from '../../../../peer/store/aes-at-rest-cipher.ts'
import { openLevelStore } from '../../../../peer/store/level-store.ts'
import { openPeerStore } from '../../../../peer/store/migrations.ts'
import { RotatingCipher } from '../../../../peer/store/rotating-cipher.ts'
import { SealedStore } from '../../../../peer/store/sealed-store.ts'
import { createSecretKeyFile, SECRET_KEY_FILE } from '../../../../peer/store/secret-key-file.ts'
import { MAX_ERASURES, SECRET_KEY_AGE_MS } from '../../../../peer/store/secret-renewal.ts'
import { utf8 } from '../../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import { Secret } from '../../../../protocol/secret.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { memorySecretKeys } from '../../../support/peer/memory-secret-keys.ts'
import { MemoryStore } from '../../../support/peer/memory-store.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const crypto = createNodeCrypto()
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const START = Date.parse('2026-01-01')
const NEXT_DAY = START + SECRET_KEY_AGE_MS
const SESSION = { space: 'inbound', id: 'a conversation', order: 'a session' }

/** A session state with its number and a message key; all have the same length. */
const state = (number: number): Uint8Array => utf8(`state ${String(number).padStart(4, '0')} `.padEnd(300, 'k'))
const numberOf = (value: Uint8Array): number => Number(new TextDecoder().decode(value).match(/state (\d+)/)![1])

describe('secrets that were erased', () => {
  let folder: string
  let storeCipher: AtRestCipher
  const keyFile = (): SecretKeys => createSecretKeyFile(crypto, storeCipher, random, join(folder, SECRET_KEY_FILE))
  const open = async (now: number): Promise<SealedStore> =>
    openPeerStore(await openLevelStore(join(folder, 'store')), storeCipher, crypto, random, { keys: keyFile(), now })

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'volo-secrets-'))
    storeCipher = createAesAtRestCipher(crypto, new Secret(random(32)), random)
  })
  afterEach(() => rm(folder, { recursive: true }))

  async function useSession(store: SealedStore, messages: number): Promise<void> {
    for (let i = 0; i <= messages; i++) await store.batch([{ ...SESSION, value: state(i) }], { durable: i % 10 === 0 })
  }

  /**
   * What a thief reads out of database files who has the store's key and all other files: numbers of the states of the session.
   * Tries each place in each file, under each key there is.
   */
  async function statesIn(database: string): Promise<number[]> {
    const keys = keyFile()
    const cipher = new RotatingCipher(keys, storeCipher, await keys.load())
    const copy = await mkdtemp(join(tmpdir(), 'volo-thief-'))
    await cp(database, copy, { recursive: true })
    const level = await openLevelStore(copy)
    const [[name, current]] = (await level.range({ gte: 'inbound/', lt: 'inbound/~' })) as [[string, Uint8Array]]
    await level.close()
    await rm(copy, { recursive: true })
    const found = new Set<number>()
    for (const file of (await readdir(database)).filter(each => /\.(log|ldb)$/.test(each))) {
      const content = new Uint8Array(await readFile(join(database, file)))
      for (let at = 0; at + current.length <= content.length; at++) {
        if (content[at] !== current[0]) continue
        const value = await cipher.open(name, content.slice(at, at + current.length)).catch(() => undefined)
        if (value) found.add(numberOf(value))
      }
    }
    return [...found].sort((a, b) => a - b)
  }

  test('cannot be read from what the database left on disk, and the rest of the store can', async () => {
    let store = await open(START)
    await store.batch([{ space: 'conversation', id: 'a conversation', value: utf8('kept') }])
    await useSession(store, 30)
    await store.close()
    const database = join(folder, 'store')
    // Blocks of a disk outlive the files they were in: the thief has these, too.
    const before = join(folder, 'copy')
    await cp(database, before, { recursive: true })
    expect((await statesIn(before)).length).toBeGreaterThan(10)

    store = await open(NEXT_DAY)
    await store.renewSecrets(NEXT_DAY)
    await store.close()
    expect(await statesIn(database)).toEqual([30])
    // The same copied files with the keys of today: not one.
    await expect(statesIn(before)).resolves.toEqual([])

    store = await open(NEXT_DAY)
    expect(await store.get(SESSION)).toEqual(state(30))
    expect((await store.range('inbound', 'a conversation')).map(({ order }) => order)).toEqual(['a session'])
    expect(await store.get({ space: 'conversation', id: 'a conversation' })).toEqual(utf8('kept'))
    await store.close()
  })

  test('have a key in a file that only its owner can read, and the old key is not in it any more', async () => {
    const store = await open(START)
    await useSession(store, 0)
    const path = join(folder, SECRET_KEY_FILE)
    const sealedKeys = async () => (JSON.parse(await readFile(path, 'utf8')) as { keys: { sealed: string }[] }).keys
    const [old] = await sealedKeys()
    await store.renewSecrets(NEXT_DAY)
    await store.close()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await sealedKeys()).toHaveLength(1)
    expect(await readFile(path, 'utf8')).not.toContain(old!.sealed)
    expect((await readdir(folder)).sort()).toEqual([SECRET_KEY_FILE, 'store'])
  })

  test('a store whose keys of secrets are gone is refused, and gets no others', async () => {
    const store = await open(START)
    await store.close()
    await rm(join(folder, SECRET_KEY_FILE))
    await expect(open(START)).rejects.toMatchObject({ code: 'store', facts: { fault: 'key-damaged' } })
    expect(await readdir(folder)).toEqual(['store'])
  })
})

test('a peer replaces the key of its secrets by itself, at a start and while it runs, and goes on talking', async () => {
  const network = await FakeNetwork.create(1)
  const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
  ada.speed = 60
  await ada.register('ada')
  await bob.register('bob')
  await ada.send(bob, 'first')
  await eventually(async () => (await bob.received(ada)).length === 1, 'it is there')
  const number = () => ada.secretKeys.stored.map(key => key.number)
  expect(number()).toEqual([1])
  await ada.engine.stop()
  ada.slept += SECRET_KEY_AGE_MS
  await ada.start()
  await eventually(() => number().join() === '2', 'the key is another')
  ada.slept += SECRET_KEY_AGE_MS
  await eventually(() => number().join() === '3', 'the key is another again')
  ada.slept = 0
  await ada.restart()
  await bob.send(ada, 'second')
  await eventually(async () => (await ada.received(bob)).includes('second'), 'it is there')
  await ada.engine.stop()
  await bob.engine.stop()
})

describe('the key of secrets', () => {
  const cipher = createAesAtRestCipher(crypto, new Secret(random(32)), random)
  const open = (memory: KeyValueStore, keys: SecretKeys, now = START): Promise<SealedStore> =>
    openPeerStore(memory, cipher, crypto, random, { keys, now })
  const numbers = (keys: ReturnType<typeof memorySecretKeys>): number[] => keys.stored.map(({ number }) => number)

  test('is replaced after a day, after many erasures, and when the clock was put back, and not before', async () => {
    const keys = memorySecretKeys()
    const store = await open(new MemoryStore(), keys)
    await store.renewSecrets(START)
    await store.renewSecrets(NEXT_DAY - 1)
    expect(numbers(keys)).toEqual([1])
    await store.renewSecrets(NEXT_DAY)
    expect(numbers(keys)).toEqual([2])
    for (let i = 0; i < MAX_ERASURES; i++) await store.batch([{ ...SESSION, value: state(1) }])
    await store.renewSecrets(NEXT_DAY)
    expect(numbers(keys)).toEqual([3])
    await store.renewSecrets(NEXT_DAY)
    expect(numbers(keys)).toEqual([3])
    await store.renewSecrets(START - 365 * SECRET_KEY_AGE_MS)
    expect(numbers(keys)).toEqual([4])
  })

  test('is replaced at once in a store from before there were such keys', async () => {
    const memory = new MemoryStore()
    const old = await SealedStore.open(memory, cipher, crypto, random)
    await old.batch([{ ...SESSION, value: state(7) }])
    const keys = memorySecretKeys()
    const store = await open(memory, keys)
    expect(await store.get(SESSION)).toEqual(state(7))
    await store.renewSecrets(START)
    expect(numbers(keys)).toEqual([2])
    expect(await store.get(SESSION)).toEqual(state(7))
    const [[name, sealed]] = (await memory.range({ gte: 'inbound/', lt: 'inbound/~' })) as [[string, Uint8Array]]
    await expect(cipher.open(name, sealed)).rejects.toThrow()
  })

  test('is replaced in the end wherever processes ended before, and nothing is lost', async () => {
    const memory = new MemoryStore()
    const keys = memorySecretKeys()
    const names = Array.from({ length: 200 }, (_, i) => ({ ...SESSION, order: `session ${i}` }))
    let store = await open(memory, keys)
    await store.batch(names.map((name, i) => ({ ...name, value: state(i) })))
    let now = START
    for (let writes = 0; writes < 5; writes++) {
      now += SECRET_KEY_AGE_MS
      let left = writes
      memory.beforeBatch = () => {
        if (left-- <= 0) throw new Error('the process ends')
      }
      const flush = memory.flush.bind(memory)
      memory.flush = async () => {
        memory.beforeBatch!([])
        return flush()
      }
      await expect(store.renewSecrets(now)).rejects.toThrow('the process ends')
      memory.beforeBatch = undefined
      memory.flush = flush
      store = await open(memory, keys, now)
      for (const [i, name] of names.entries()) expect(await store.get(name)).toEqual(state(i))
      await store.renewSecrets(now)
      expect(keys.stored).toHaveLength(1)
      for (const [i, name] of names.entries()) expect(await store.get(name)).toEqual(state(i))
    }
  })

  test('is replaced while others write, and no write is undone', async () => {
    const keys = memorySecretKeys()
    const store = await open(new MemoryStore(), keys)
    const names = Array.from({ length: 300 }, (_, i) => ({ ...SESSION, order: `session ${i}` }))
    await store.batch(names.map(name => ({ ...name, value: state(0) })))
    const renewal = store.renewSecrets(NEXT_DAY)
    const writes = names.map((name, i) => store.batch([{ ...name, value: i % 3 === 0 ? null : state(i) }]))
    await Promise.all([renewal, ...writes])
    expect(numbers(keys)).toEqual([2])
    for (const [i, name] of names.entries()) {
      expect(await store.get(name)).toEqual(i % 3 === 0 ? undefined : state(i))
    }
  })

  test('a store that is closed meanwhile goes on with it when it is opened again', async () => {
    const memory = new MemoryStore()
    const keys = memorySecretKeys()
    let store = await open(memory, keys)
    await store.batch([{ ...SESSION, value: state(3) }])
    const renewal = store.renewSecrets(NEXT_DAY)
    await store.close()
    await renewal
    store = await open(memory, keys, NEXT_DAY)
    await store.renewSecrets(NEXT_DAY)
    expect(keys.stored).toHaveLength(1)
    expect(await store.get(SESSION)).toEqual(state(3))
  })
})
