import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import { toHex, utf8 } from '../../../../protocol/bytes.ts'
import { Secret } from '../../../../protocol/secret.ts'
import { createAesAtRestCipher } from '../../../../peer/store/aes-at-rest-cipher.ts'
import { openLevelStore } from '../../../../peer/store/level-store.ts'
import { SealedStore } from '../../../../peer/store/sealed-store.ts'
import { KEY_FILE, loadStoreKey } from '../../../../peer/store/store-key.ts'
import type { AtRestCipher, KeyValueStore } from '../../../../peer/ports.ts'
import { MemoryStore } from '../../../support/peer/memory-store.ts'
import type { StoreFault } from '../../../../peer/errors.ts'

const crypto = createNodeCrypto()
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'volo-store-'))

const open = (store: KeyValueStore, key: Uint8Array): Promise<SealedStore> =>
  SealedStore.open(store, createAesAtRestCipher(crypto, new Secret(key), random), crypto, random)

describe.each([
  ['memory', async () => new MemoryStore() as KeyValueStore],
  ['level', async () => openLevelStore(join(await folder(), 'store'))]
])('a sealed store over %s', (_name, make) => {
  test('gives back what was written, in order, within one id', async () => {
    const store = await open(await make(), random(32))
    await store.batch([
      { space: 's', id: 'a', order: '02', value: Uint8Array.of(2) },
      { space: 's', id: 'a', order: '01', value: Uint8Array.of(1) },
      { space: 's', id: 'a', order: '01.5', value: Uint8Array.of(15) },
      { space: 's', id: 'b', order: '01', value: Uint8Array.of(9) }
    ])
    expect(await store.range('s', 'a')).toEqual([
      { order: '01', value: Uint8Array.of(1) },
      { order: '01.5', value: Uint8Array.of(15) },
      { order: '02', value: Uint8Array.of(2) }
    ])
    expect((await store.range('s', 'a', { after: '01' })).map(({ order }) => order)).toEqual(['01.5', '02'])
    expect((await store.range('s', 'a', { before: '02', reverse: true, limit: 1 })).map(({ order }) => order)).toEqual([
      '01.5'
    ])
    expect(await store.all('s')).toHaveLength(4)
    await store.close()
  })

  test('a batch is all or nothing, and null deletes', async () => {
    const store = await open(await make(), random(32))
    await store.batch([{ space: 's', id: 'a', value: Uint8Array.of(1) }])
    await store.batch([
      { space: 's', id: 'a', value: null },
      { space: 's', id: 'b', value: Uint8Array.of(2) }
    ])
    expect(await store.get({ space: 's', id: 'a' })).toBeUndefined()
    expect(await store.get({ space: 's', id: 'b' })).toEqual(Uint8Array.of(2))
    await store.close()
  })
})

const storeFault = (fault: StoreFault) => ({ code: 'store', facts: { fault } })

describe('what a copied disk tells', () => {
  test('neither values nor ids stand in clear', async () => {
    const memory = new MemoryStore()
    const store = await open(memory, random(32))
    await store.batch([{ space: 'conversation', id: 'ada-and-bob', value: utf8('a secret') }])
    const disk = [...memory.entries].map(([key, value]) => key + Buffer.from(value).toString('latin1')).join()
    expect(disk).not.toContain('ada-and-bob')
    expect(disk).not.toContain('secret')
  })

  test('another key opens nothing', async () => {
    const memory = new MemoryStore()
    await open(memory, random(32))
    await expect(open(memory, random(32))).rejects.toMatchObject({ code: 'DECRYPT_FAILED' })
  })

  test('values cannot be swapped or changed', async () => {
    const memory = new MemoryStore()
    const store = await open(memory, random(32))
    await store.batch([
      { space: 's', id: 'a', value: Uint8Array.of(1) },
      { space: 's', id: 'b', value: Uint8Array.of(2) }
    ])
    const [a, b] = [...memory.entries.keys()].filter(key => key.startsWith('s/'))
    const value = memory.entries.get(a!)!
    memory.entries.set(b!, value)
    const results = await Promise.allSettled([store.get({ space: 's', id: 'a' }), store.get({ space: 's', id: 'b' })])
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1)
    value[value.length - 1]! ^= 1
    expect((await Promise.allSettled([store.get({ space: 's', id: 'a' })]))[0]!.status).toBe('rejected')
  })
})

describe('the key of a data directory', () => {
  const load = (directory: string, passphrase?: string): Promise<Uint8Array> =>
    loadStoreKey(crypto, random, directory, passphrase).then(key => key.expose())

  test('is kept in a file that only its owner can read', async () => {
    const directory = await folder()
    const key = await load(directory)
    expect((await stat(join(directory, KEY_FILE))).mode & 0o777).toBe(0o600)
    expect(await load(directory)).toEqual(key)
  })

  test('is refused when others can read the file', async () => {
    const directory = await folder()
    await load(directory)
    await chmod(join(directory, KEY_FILE), 0o644)
    await expect(load(directory)).rejects.toMatchObject(storeFault('key-exposed'))
  })

  test('is never made beside a store that an older one sealed', async () => {
    const directory = await folder()
    await load(directory)
    await mkdir(join(directory, 'store'))
    await writeFile(join(directory, 'store', 'CURRENT'), '')
    await rm(join(directory, KEY_FILE))
    await expect(load(directory)).rejects.toMatchObject(storeFault('key-missing'))
    expect(await readdir(directory)).toEqual(['store'])
  })

  test('is refused in a folder where every user can write; an old store is made private', async () => {
    const directory = await folder()
    await load(directory)
    await mkdir(join(directory, 'store'))
    await chmod(join(directory, 'store'), 0o777)
    await load(directory)
    expect((await stat(join(directory, 'store'))).mode & 0o777).toBe(0o700)
    await chmod(directory, 0o777)
    await expect(load(directory)).rejects.toMatchObject(storeFault('folder-exposed'))
  })

  test('is printed, compared and copied by no accident', async () => {
    const key = await loadStoreKey(crypto, random, await folder(), undefined)
    expect(`${inspect({ key })} ${JSON.stringify({ key })} ${key}`).not.toContain(toHex(key.expose()).slice(0, 8))
    expect(structuredClone({ ...key })).toEqual({})
  })

  test('opens with its passphrase only', async () => {
    const directory = await folder()
    const key = await load(directory, 'correct horse')
    expect(await load(directory, 'correct horse')).toEqual(key)
    await expect(load(directory, 'wrong horse')).rejects.toMatchObject(storeFault('passphrase-wrong'))
    await expect(load(directory)).rejects.toMatchObject(storeFault('passphrase-needed'))
    expect(await readFile(join(directory, KEY_FILE), 'utf8')).not.toContain(Buffer.from(key).toString('hex'))
  })

  test('is not taken from a file that asks for a cheaper derivation', async () => {
    const directory = await folder()
    await load(directory, 'correct horse')
    const path = join(directory, KEY_FILE)
    const file = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
    await writeFile(path, JSON.stringify({ ...file, memoryKib: 8, iterations: 1 }))
    await expect(load(directory, 'correct horse')).rejects.toMatchObject(storeFault('key-weak'))
  })

  test('a damaged file says so, and is not taken for a wrong passphrase', async () => {
    const directory = await folder()
    const path = join(directory, KEY_FILE)
    await writeFile(path, 'not json', { mode: 0o600 })
    await expect(load(directory)).rejects.toMatchObject(storeFault('key-damaged'))
    const plain = { version: 1, kind: 'plain', key: '00' }
    const cost = { memoryKib: 65_536, iterations: 3, parallelism: 1 }
    const wrapped = { salt: '00'.repeat(16), nonce: '00'.repeat(12), wrapped: '00'.repeat(48) }
    const locked = { version: 1, kind: 'argon2id', ...cost, ...wrapped }
    const cut = [
      plain,
      { ...locked, salt: '' },
      { ...locked, memoryKib: '65536' },
      { ...locked, wrapped: 'ff' },
      null,
      []
    ]
    for (const file of cut) {
      await writeFile(path, JSON.stringify(file))
      await expect(load(directory, 'correct horse')).rejects.toMatchObject(storeFault('key-damaged'))
    }
  })

  test('a store that is open already is said to be in use', async () => {
    const location = join(await folder(), 'store')
    const first = await openLevelStore(location)
    await expect(openLevelStore(location)).rejects.toMatchObject(storeFault('in-use'))
    await first.close()
  })
})

describe('batches of one entry', () => {
  test('reach the disk in the order of the calls, however long each takes to seal', async () => {
    const disk = new MemoryStore()
    const first = Promise.withResolvers<void>()
    let isFirst = true
    const cipher: AtRestCipher = {
      seal: async (_name, plaintext) => {
        const mustWait = isFirst
        isFirst = false
        if (mustWait) await first.promise
        return plaintext
      },
      open: async (_name, sealed) => sealed
    }
    await disk.batch([{ key: 'blind-key', value: new Uint8Array(32) }])
    const store = await SealedStore.open(disk, cipher, crypto, length => new Uint8Array(length))
    const older = store.batch([{ space: 'a', value: Uint8Array.of(1) }])
    const newer = store.batch([{ space: 'a', value: Uint8Array.of(2) }])
    first.resolve()
    await Promise.all([older, newer])
    expect(await store.get({ space: 'a' })).toEqual(Uint8Array.of(2))
  })
})
