import { randomBytes, webcrypto } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { webCipher } from '../../../../peer/store/browser/web-cipher.ts'
import { MIN_PASSPHRASE_LENGTH, passphraseWrapping, PASSPHRASE_COST } from '../../../../peer/store/passphrase-wrap.ts'
import { SECRET_KEY_AGE_MS } from '../../../../peer/store/secret-renewal.ts'
import type { SealedStore } from '../../../../peer/store/sealed-store.ts'
import { utf8 } from '../../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import { BrowserProfile, type OpenProfile } from '../../../support/peer/browser-profile.ts'

const crypto = createNodeCrypto()
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const subtle = webcrypto.subtle as unknown as SubtleCrypto
const PASSPHRASE = 'correct horse battery'
const OTHER = 'staple of another kind'

const MESSAGES = Array.from({ length: 90 }, (_, i) => ({ space: 'message', id: 'chat', order: i.toString(16) }))
const SECRETS = Array.from({ length: 70 }, (_, i) => ({ space: 'inbound', id: 'chat', order: `session ${i}` }))
const ALL = [...MESSAGES, ...SECRETS]

async function fill(store: SealedStore): Promise<void> {
  await store.batch(ALL.map((name, i) => ({ ...name, value: utf8(`value ${i}`) })))
}

async function expectAll(store: SealedStore): Promise<void> {
  for (const [i, name] of ALL.entries()) expect(await store.get(name)).toEqual(utf8(`value ${i}`))
}

/** Every key of the platform that lies in the table, as a thief of the profile finds them. */
const platformKeys = (profile: BrowserProfile): CryptoKey[] =>
  [...profile.keys.values()].flatMap(value => {
    const { key } = value as { key?: CryptoKey }
    return key ? [key] : (value as CryptoKey).type === 'secret' ? [value as CryptoKey] : []
  })

/** How many entries of a store open under one of some keys, whatever head their values have. */
async function openedBy(keys: CryptoKey[], entries: Map<string, Uint8Array>): Promise<number> {
  let count = 0
  for (const [name, sealed] of entries) {
    for (const key of keys) {
      for (const start of [0, 5]) {
        const value = await webCipher(subtle, key, random)
          .open(name, sealed.subarray(start))
          .catch(() => undefined)
        if (value) count++
      }
    }
  }
  return count
}

describe('the lock of a browser', () => {
  test('keeps a thief of the whole profile out, who reads everything without it', async () => {
    const profile = new BrowserProfile()
    const { store, lock } = await profile.open()
    await fill(store)
    const before = platformKeys(profile)
    expect(await openedBy(before, profile.level.entries)).toBeGreaterThanOrEqual(ALL.length)
    await lock.set(PASSPHRASE)
    expect(platformKeys(profile)).toEqual([])
    // Also with the keys of before: nothing is sealed under them any more.
    expect(await openedBy(before, profile.level.entries)).toBe(0)
    await expectAll(store)
    await store.close()
    await expect(profile.open()).rejects.toMatchObject({ facts: { fault: 'passphrase-needed' } })
    await expect(profile.open(OTHER)).rejects.toMatchObject({ facts: { fault: 'passphrase-wrong' } })
    const again = await profile.open(PASSPHRASE)
    await expectAll(again.store)
    expect(await again.lock.state()).toEqual({ isSet: true, coversDevice: true })
  })

  test('goes on with the renewal of secrets, whose keys never lie in clear', async () => {
    const profile = new BrowserProfile()
    const { store, lock } = await profile.open()
    await fill(store)
    await lock.set(PASSPHRASE)
    profile.now += SECRET_KEY_AGE_MS
    await store.renewSecrets(profile.now)
    expect(platformKeys(profile)).toEqual([])
    await store.close()
    await expectAll((await profile.open(PASSPHRASE)).store)
  })

  test('is changed, and the old passphrase opens nothing; is taken off, and none is needed', async () => {
    const profile = new BrowserProfile()
    let { store, lock } = await profile.open()
    await fill(store)
    await lock.set(PASSPHRASE)
    await lock.change(PASSPHRASE, OTHER)
    await store.close()
    await expect(profile.open(PASSPHRASE)).rejects.toMatchObject({ facts: { fault: 'passphrase-wrong' } })
    ;({ store, lock } = await profile.open(OTHER))
    await expectAll(store)
    await lock.remove(OTHER)
    await store.close()
    ;({ store, lock } = await profile.open())
    await expectAll(store)
    expect(await lock.state()).toMatchObject({ isSet: false })
  })

  test('stays as it is where the passphrase of today is wrong, or the new one too short', async () => {
    const profile = new BrowserProfile()
    const { store, lock } = await profile.open()
    await fill(store)
    await lock.set(PASSPHRASE)
    const [keys, entries] = [new Map(profile.keys), new Map(profile.level.entries)]
    await expect(lock.change(OTHER, OTHER)).rejects.toMatchObject({ facts: { fault: 'passphrase-wrong' } })
    await expect(lock.remove(OTHER)).rejects.toMatchObject({ facts: { fault: 'passphrase-wrong' } })
    const short = 'x'.repeat(MIN_PASSPHRASE_LENGTH - 1)
    await expect(lock.change(PASSPHRASE, short)).rejects.toMatchObject({
      code: 'passphrase',
      facts: { fault: 'short' }
    })
    // Nobody is asked for the old one: another call than `set` is for that.
    await expect(lock.set(OTHER)).rejects.toMatchObject({ facts: { fault: 'passphrase-needed' } })
    expect(profile.keys).toEqual(keys)
    expect(new Map(profile.level.entries)).toEqual(entries)
    await expectAll(store)
  })

  test('loses no write that is made meanwhile', async () => {
    const profile = new BrowserProfile()
    const { store, lock } = await profile.open()
    await fill(store)
    const set = lock.set(PASSPHRASE)
    const writes = ALL.map((name, i) => store.batch([{ ...name, value: i % 3 === 0 ? null : utf8(`new ${i}`) }]))
    await Promise.all([set, ...writes])
    await store.close()
    const again = await profile.open(PASSPHRASE)
    for (const [i, name] of ALL.entries())
      expect(await again.store.get(name)).toEqual(i % 3 === 0 ? undefined : utf8(`new ${i}`))
  })

  test('can be set over the key of the first version', async () => {
    const profile = new BrowserProfile()
    const key = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
    profile.keys.set('seal', key)
    const { store, lock } = await profile.open()
    await fill(store)
    expect(await openedBy([key], profile.level.entries)).toBeGreaterThanOrEqual(MESSAGES.length)
    await lock.set(PASSPHRASE)
    expect(await openedBy([key], profile.level.entries)).toBe(0)
    await store.close()
    await expectAll((await profile.open(PASSPHRASE)).store)
  })
})

describe('a process that ends while the lock', () => {
  const steps: [string, string | undefined, string | undefined, (profile: OpenProfile) => Promise<void>][] = [
    ['is set', undefined, PASSPHRASE, ({ lock }) => lock.set(PASSPHRASE)],
    ['is changed', PASSPHRASE, OTHER, ({ lock }) => lock.change(PASSPHRASE, OTHER)],
    ['is taken off', PASSPHRASE, undefined, ({ lock }) => lock.remove(PASSPHRASE)]
  ]

  test.each(steps)('%s leaves a store that opens, wherever it ends', async (_what, before, after, step) => {
    let ends = 0
    for (let writes = 0; ; writes++) {
      const profile = new BrowserProfile()
      let open = await profile.open()
      await fill(open.store)
      if (before !== undefined) await open.lock.set(before)
      let left = writes
      profile.beforeWrite = () => {
        if (left-- <= 0) throw new Error('the process ends')
      }
      const done = await step(open).then(
        () => true,
        () => false
      )
      profile.beforeWrite = undefined
      if (done) break
      ends++
      // Exactly one of the two opens it, from one write on.
      open = await profile.open(before).catch(() => profile.open(after))
      await expectAll(open.store)
      await open.store.renewSecrets(profile.now)
      await expectAll(open.store)
      expect(profile.keys.has('seal-older')).toBe(false)
      const { isSet } = await open.lock.state()
      if (isSet) expect(platformKeys(profile)).toEqual([])
    }
    expect(ends).toBeGreaterThanOrEqual(6)
  })
})

describe('the cost of a guess', () => {
  test('stands beside the wrapped key, and neither a lower nor a higher one opens it', async () => {
    const wrapping = passphraseWrapping(crypto, random)
    const key = random(32)
    const wrapped = await wrapping.wrap(key, 'cafe\u0301 au lait')
    expect(wrapped).toMatchObject(PASSPHRASE_COST)
    // However a keyboard composes a letter, it is the same passphrase.
    const typed = 'caf\u00e9 au lait'
    expect(await wrapping.unwrap('keys', wrapped, typed)).toEqual(key)
    const weak = { ...wrapped, memoryKib: PASSPHRASE_COST.memoryKib / 2 }
    await expect(wrapping.unwrap('keys', weak, typed)).rejects.toMatchObject({ facts: { fault: 'key-weak' } })
    const other = { ...wrapped, iterations: PASSPHRASE_COST.iterations + 1 }
    await expect(wrapping.unwrap('keys', other, typed)).rejects.toMatchObject({
      facts: { fault: 'passphrase-wrong' }
    })
  })
})

describe('a profile of which the browser deleted half', () => {
  test('says so where the keys are gone and the store is not, and makes no key over it', async () => {
    const profile = new BrowserProfile()
    const { store } = await profile.open()
    await fill(store)
    await store.close()
    profile.keys.clear()
    await expect(profile.open()).rejects.toMatchObject({ code: 'store', facts: { fault: 'key-missing' } })
    expect(profile.keys.size).toBe(0)
  })

  test('says so where the keys are those of another store', async () => {
    const profile = new BrowserProfile()
    const other = new BrowserProfile()
    for (const each of [profile, other]) {
      const { store } = await each.open()
      await fill(store)
      await store.close()
    }
    for (const [name, value] of other.keys) profile.keys.set(name, value)
    await expect(profile.open()).rejects.toMatchObject({ code: 'store', facts: { fault: 'key-damaged' } })
  })

  test('begins again where the store is gone and the keys are not', async () => {
    const profile = new BrowserProfile()
    const first = await profile.open()
    await fill(first.store)
    await first.store.close()
    profile.level.entries.clear()
    const { store } = await profile.open()
    expect(await store.get(MESSAGES[0]!)).toBeUndefined()
    await fill(store)
    await expectAll(store)
  })
})
