import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { LevelObjects } from '../../../../peer/objects/level-objects.ts'
import { PeerEngine } from '../../../../peer/peer-engine.ts'
import { platformTimers, SILENT_LOG, type KeyValueStore, type Transport } from '../../../../peer/ports.ts'
import { createAesAtRestCipher } from '../../../../peer/store/aes-at-rest-cipher.ts'
import { openLevelStore } from '../../../../peer/store/level-store.ts'
import type { MigrationStep } from '../../../../peer/store/migration-steps.ts'
import { migrate, openPeerStore, STORE_VERSION } from '../../../../peer/store/migrations.ts'
import { foldedWords } from '../../../../peer/search/folded-words.ts'
import { SearchIndex } from '../../../../peer/search/search-index.ts'
import { SealedStore } from '../../../../peer/store/sealed-store.ts'
import { createSeedVault } from '../../../../peer/store/seed-vault.ts'
import { conversationEntry, messageEntry } from '../../../../peer/store/conversation-entries.ts'
import { unheardEntry } from '../../../../peer/store/store-layout.ts'
import { NO_MARKS, PersonMarksBook } from '../../../../peer/people/person-marks.ts'
import { StateStore } from '../../../../peer/store/state-store.ts'
import { fromHex, toHex } from '../../../../protocol/bytes.ts'
import { outboundState } from '../../../../protocol/session/outbound.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import { Secret } from '../../../../protocol/secret.ts'
import { memorySecretKeys, type StoredSecretKey } from '../../../support/peer/memory-secret-keys.ts'
import { MemoryStore } from '../../../support/peer/memory-store.ts'

const crypto = createNodeCrypto()
const secrets = (stored: StoredSecretKey[] = []) => ({ keys: memorySecretKeys(stored), now: Date.now() })
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'volo-migrate-'))
const stores = new URL('../../../fixtures/peer-stores/', import.meta.url)

interface StoreFile {
  key: string
  /** Stores of before version 7 have none. */
  secretKeys?: { number: number; since: number; key: string }[]
  entries: [string, string][]
}

interface StoreCopy {
  store: KeyValueStore
  key: Uint8Array
  secretKeys: StoredSecretKey[]
}

/** A copy of a store as a program of a version left it. */
async function copyOf(version: number, into: KeyValueStore): Promise<StoreCopy> {
  const text = await readFile(new URL(`version-${version}.json`, stores), 'utf8')
  const { key, secretKeys = [], entries } = JSON.parse(text) as StoreFile
  await into.batch(entries.map(([name, value]) => ({ key: name, value: fromHex(value) })))
  return {
    store: into,
    key: fromHex(key),
    secretKeys: secretKeys.map(secret => ({ ...secret, key: fromHex(secret.key) }))
  }
}

const unversioned = async (store = new MemoryStore()) => ({
  store,
  sealed: await SealedStore.open(
    store,
    createAesAtRestCipher(crypto, new Secret(new Uint8Array(32)), random),
    crypto,
    random
  )
})
const put = (value: number) => [{ space: 's', id: 'a', value: Uint8Array.of(value) }]
const valueIn = async (store: SealedStore) => (await store.get({ space: 's', id: 'a' }))?.[0]

describe('the steps of a store', () => {
  const step =
    (ran: number[], value: number): MigrationStep =>
    async store => {
      ran.push((await valueIn(store)) ?? 0)
      return put(value)
    }

  test('run in order from the version that the store has, each on what the one before it left', async () => {
    const { sealed } = await unversioned()
    const ran: number[] = []
    await migrate(sealed, [step(ran, 2)])
    await migrate(sealed, [step(ran, 99), step(ran, 3), step(ran, 4)])
    expect(ran).toEqual([0, 2, 3])
    expect(await valueIn(sealed)).toBe(4)
  })

  test('do not run again', async () => {
    const { sealed } = await unversioned()
    const ran: number[] = []
    const steps = [step(ran, 2), step(ran, 3)]
    await migrate(sealed, steps)
    await migrate(sealed, steps)
    expect(ran).toHaveLength(2)
  })

  test('are taken up where a process ended between two of them, and none is half done', async () => {
    const { store, sealed } = await unversioned()
    const ran: number[] = []
    const steps = [step(ran, 2), step(ran, 3)]
    let batches = 0
    store.beforeBatch = () => {
      if (++batches === 2) throw new Error('the process ends')
    }
    await expect(migrate(sealed, steps)).rejects.toThrow('the process ends')
    store.beforeBatch = undefined
    expect(await valueIn(sealed)).toBe(2)
    await migrate(sealed, steps)
    expect(ran).toEqual([0, 2, 2])
    expect(await valueIn(sealed)).toBe(3)
  })

  test('refuse what a newer version of the program wrote, and change nothing of it', async () => {
    const { store, sealed } = await unversioned()
    const noStep: MigrationStep = async () => []
    await migrate(sealed, [noStep, noStep])
    const before = new Map(store.entries)
    const refusal = migrate(sealed, [noStep])
    await expect(refusal).rejects.toMatchObject({ code: 'store' })
    await expect(refusal).rejects.toMatchObject({ facts: { fault: 'newer' } })
    expect(new Map(store.entries)).toEqual(before)
  })
})

test('a new store has the version of this program', async () => {
  const store = new MemoryStore()
  const sealed = await openPeerStore(
    store,
    createAesAtRestCipher(crypto, new Secret(new Uint8Array(32)), random),
    crypto,
    random,
    secrets()
  )
  const steps = Array.from({ length: STORE_VERSION - 1 }, (): MigrationStep => () => Promise.reject(new Error('ran')))
  await migrate(sealed, steps)
})

describe.each([
  ['memory', async () => new MemoryStore() as KeyValueStore],
  ['level', async () => openLevelStore(join(await folder(), 'store'))]
])('a store of version 1 over %s', (_name, make) => {
  test('keeps its conversations and messages', async () => {
    const { store, key } = await copyOf(1, await make())
    const sealed = await openPeerStore(
      store,
      createAesAtRestCipher(crypto, new Secret(key), random),
      crypto,
      random,
      secrets()
    )
    const conversations = (await sealed.all('conversation')).map(entry => conversationEntry.decode(entry))
    expect(conversations.map(({ kind, draft }) => [kind, draft]).sort()).toEqual([
      ['direct', 'half a sentence'],
      ['notes', '']
    ])
    const messages = (await sealed.all('message')).map(entry => messageEntry.decode(entry))
    expect(messages.map(({ text, state, problem }) => [text, state, problem]).sort()).toEqual([
      ['a note', 'delivered', null],
      ['hello Ada', null, null],
      ['hello Bob', 'delivered', null],
      ['kept by too few', 'waiting', null],
      ['refused by the network', 'failed', 'not-accepted']
    ])
    await sealed.close()
  })

  test('keeps its place among the messages sent, and opens a new session before the next', async () => {
    const { store, key } = await copyOf(1, await make())
    const sealed = await openPeerStore(
      store,
      createAesAtRestCipher(crypto, new Secret(key), random),
      crypto,
      random,
      secrets()
    )
    const outbounds = (await sealed.all('outbound')).map(entry => outboundState.decode(entry))
    expect(outbounds.map(({ session }) => session)).toEqual([null])
    expect(outbounds[0]!.nextSequence).toBeGreaterThan(0)
    for (const space of ['open-delivery', 'resend-request', 'due']) expect(await sealed.all(space)).toEqual([])
    await sealed.close()
  })
})

test('a store of version 8 has a code with facts where it had a sentence about missing messages', async () => {
  const { store, key, secretKeys } = await copyOf(8, new MemoryStore())
  const cipher = createAesAtRestCipher(crypto, new Secret(key), random)
  const sealed = await openPeerStore(store, cipher, crypto, random, secrets(secretKeys))
  const messages = (await sealed.all('message')).map(entry => messageEntry.decode(entry))
  const gaps = messages.filter(({ kind }) => kind === 'gap')
  expect(gaps.map(({ text, line }) => [text, line])).toEqual([['', { kind: 'missing', missing: 1, gone: 0 }]])
  expect(messages.filter(({ kind }) => kind === 'text').every(({ text, line }) => text !== '' && line === null)).toBe(
    true
  )
  await sealed.close()
})

test('in a store of version 9 everybody with whom there is a conversation is accepted', async () => {
  const { store, key, secretKeys } = await copyOf(9, new MemoryStore())
  const cipher = createAesAtRestCipher(crypto, new Secret(key), random)
  const sealed = await openPeerStore(store, cipher, crypto, random, secrets(secretKeys))
  const marks = new PersonMarksBook(new StateStore(sealed), () => 0)
  await marks.load()
  const conversations = (await sealed.all('conversation')).map(entry => conversationEntry.decode(entry))
  const { accountId } = conversations.find(({ kind }) => kind === 'direct')!
  expect(marks.all()).toEqual([accountId])
  expect(marks.of(accountId)).toEqual({ ...NO_MARKS, answer: 'accepted' })
  await sealed.close()
})

test('the messages of a store of version 9, which had no search index, are found', async () => {
  const { store, key, secretKeys } = await copyOf(9, new MemoryStore())
  const cipher = createAesAtRestCipher(crypto, new Secret(key), random)
  const states = new StateStore(await openPeerStore(store, cipher, crypto, random, secrets(secretKeys)))
  const messages = (await states.all('message', messageEntry)).filter(({ kind }) => kind === 'text')
  expect(messages.length).toBeGreaterThan(0)
  const index = new SearchIndex({ states, timers: { after: () => () => undefined }, log: SILENT_LOG })
  for (const { text, conversationId } of messages) {
    const found = await index.find(foldedWords(text).split(' '), 10)
    expect(found.map(({ conversation }) => conversation)).toContain(toHex(conversationId))
  }
})

test('in a store of version 12 nothing was said about messages, and they stay', async () => {
  const { store, key, secretKeys } = await copyOf(12, new MemoryStore())
  const cipher = createAesAtRestCipher(crypto, new Secret(key), random)
  const sealed = await openPeerStore(store, cipher, crypto, random, secrets(secretKeys))
  const conversations = (await sealed.all('conversation')).map(entry => conversationEntry.decode(entry))
  expect(conversations.map(({ timer }) => timer)).toEqual([null, null])
  const messages = (await sealed.all('message')).map(entry => messageEntry.decode(entry))
  const said = { replyTo: null, isForwarded: false, poll: null, expiresAfter: null, expiresAt: null, amendments: null }
  expect(messages.length).toBeGreaterThan(4)
  for (const message of messages) expect(message).toMatchObject(said)
  const heard = (await sealed.range('unheard', undefined)).map(({ value }) => unheardEntry.decode(value))
  expect(heard.length).toBeGreaterThan(0)
  expect(heard.every(({ event }) => event === null)).toBe(true)
  await sealed.close()
})

test('a peer starts from a store of version 1, and shows what was in it', async () => {
  const { store: copy, key } = await copyOf(1, new MemoryStore())
  const store = await openPeerStore(
    copy,
    createAesAtRestCipher(crypto, new Secret(key), random),
    crypto,
    random,
    secrets()
  )
  const transport: Transport = { dial: () => Promise.reject(new Error('no network')), stop: async () => undefined }
  const engine = new PeerEngine(
    {
      crypto,
      random,
      timers: platformTimers,
      store,
      vault: createSeedVault(crypto, store, random),
      transport,
      fetch: () => Promise.reject(new Error('no network')),
      objects: new LevelObjects(new MemoryStore()),
      log: SILENT_LOG
    },
    { entry: undefined }
  )
  await engine.start()
  const { stage, conversations } = await engine.snapshot()
  expect(stage).toBe('ready')
  expect(conversations.map(({ kind, draft }) => [kind, draft]).sort()).toEqual([
    ['direct', 'half a sentence'],
    ['notes-to-self', '']
  ])
  await engine.stop()
})
