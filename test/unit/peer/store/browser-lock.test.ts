import { randomBytes, webcrypto } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { BrowserLock } from '../../../../peer/store/browser/browser-lock.ts'
import type { Opener } from '../../../../peer/store/browser/key-slots.ts'
import { webCipher } from '../../../../peer/store/browser/web-cipher.ts'
import { MIN_PASSPHRASE_LENGTH, passphraseWrapping, PASSPHRASE_COST } from '../../../../peer/store/passphrase-wrap.ts'
import { SECRET_KEY_AGE_MS } from '../../../../peer/store/secret-renewal.ts'
import type { SealedStore } from '../../../../peer/store/sealed-store.ts'
import { utf8 } from '../../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import { Secret } from '../../../../protocol/secret.ts'
import {
  BrowserProfile,
  passphraseOpener,
  TestPasskey,
  type OpenProfile
} from '../../../support/peer/browser-profile.ts'

const crypto = createNodeCrypto()
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const subtle = webcrypto.subtle as unknown as SubtleCrypto
const PASSPHRASE = 'correct horse battery'
const OTHER = 'staple of another kind'

const MESSAGES = Array.from({ length: 90 }, (_, i) => ({ space: 'message', id: 'chat', order: i.toString(16) }))
const SECRETS = Array.from({ length: 70 }, (_, i) => ({ space: 'inbound', id: 'chat', order: `session ${i}` }))
const ALL = [...MESSAGES, ...SECRETS]
const NO_WAYS = { passphrase: false, passkey: null }

const setLock = (lock: BrowserLock, passphrase = PASSPHRASE): Promise<void> =>
  lock.replace([passphraseOpener(passphrase)], null)

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
    await setLock(lock)
    expect(platformKeys(profile)).toEqual([])
    // Also with the keys of before: nothing is sealed under them any more.
    expect(await openedBy(before, profile.level.entries)).toBe(0)
    await expectAll(store)
    await store.close()
    await expect(profile.open()).rejects.toMatchObject({ facts: { fault: 'locked' } })
    await expect(profile.open(OTHER)).rejects.toMatchObject({ facts: { fault: 'passphrase-wrong' } })
    const again = await profile.open(PASSPHRASE)
    await expectAll(again.store)
    expect(await again.lock.state()).toEqual({ ways: { passphrase: true, passkey: null }, coversDevice: true })
  })

  test('goes on with the renewal of secrets, whose keys never lie in clear', async () => {
    const profile = new BrowserProfile()
    const { store, lock } = await profile.open()
    await fill(store)
    await setLock(lock)
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
    await setLock(lock)
    await lock.replace([passphraseOpener(OTHER)], passphraseOpener(PASSPHRASE))
    await store.close()
    await expect(profile.open(PASSPHRASE)).rejects.toMatchObject({ facts: { fault: 'passphrase-wrong' } })
    ;({ store, lock } = await profile.open(OTHER))
    await expectAll(store)
    await lock.replace([], passphraseOpener(OTHER))
    await store.close()
    ;({ store, lock } = await profile.open())
    await expectAll(store)
    expect(await lock.state()).toMatchObject({ ways: NO_WAYS })
  })

  test('stays as it is where the passphrase of today is wrong, or the new one too short', async () => {
    const profile = new BrowserProfile()
    const { store, lock } = await profile.open()
    await fill(store)
    await setLock(lock)
    const [keys, entries] = [new Map(profile.keys), new Map(profile.level.entries)]
    await expect(lock.replace([passphraseOpener(OTHER)], passphraseOpener(OTHER))).rejects.toMatchObject({
      facts: { fault: 'passphrase-wrong' }
    })
    await expect(lock.replace([], passphraseOpener(OTHER))).rejects.toMatchObject({
      facts: { fault: 'passphrase-wrong' }
    })
    const short = 'x'.repeat(MIN_PASSPHRASE_LENGTH - 1)
    await expect(lock.replace([passphraseOpener(short)], passphraseOpener(PASSPHRASE))).rejects.toMatchObject({
      code: 'passphrase',
      facts: { fault: 'short' }
    })
    await expect(lock.replace([passphraseOpener(OTHER)], null)).rejects.toMatchObject({ facts: { fault: 'locked' } })
    expect(profile.keys).toEqual(keys)
    expect(new Map(profile.level.entries)).toEqual(entries)
    await expectAll(store)
  })

  test('loses no write that is made meanwhile', async () => {
    const profile = new BrowserProfile()
    const { store, lock } = await profile.open()
    await fill(store)
    const set = setLock(lock)
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
    await setLock(lock)
    expect(await openedBy([key], profile.level.entries)).toBe(0)
    await store.close()
    await expectAll((await profile.open(PASSPHRASE)).store)
  })
})

describe('a process that ends while the lock', () => {
  const [passphrase, other] = [passphraseOpener(PASSPHRASE), passphraseOpener(OTHER)]
  const passkey = new TestPasskey().opener()
  /** What opens the store before and after, and the step in between. */
  const steps: [string, Opener[], Opener[], (profile: OpenProfile) => Promise<void>][] = [
    ['is set', [], [passphrase], ({ lock }) => lock.replace([passphrase], null)],
    ['is changed', [passphrase], [other], ({ lock }) => lock.replace([other], passphrase)],
    ['is taken off', [passphrase], [], ({ lock }) => lock.replace([], passphrase)],
    ['loses its passkey', [passkey, passphrase], [passphrase], ({ lock }) => lock.replace([passphrase], passphrase)]
  ]

  test.each(steps)('%s leaves a store that opens, wherever it ends', async (_what, before, after, step) => {
    let ends = 0
    for (let writes = 0; ; writes++) {
      const profile = new BrowserProfile()
      let open = await profile.open()
      await fill(open.store)
      if (before.length > 0) await open.lock.replace(before, null)
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
      open = await profile.open(before[0]).catch(() => profile.open(after[0]))
      await expectAll(open.store)
      await open.store.renewSecrets(profile.now)
      await expectAll(open.store)
      expect(profile.keys.has('seal-older')).toBe(false)
      const { ways } = await open.lock.state()
      if (ways.passphrase) expect(platformKeys(profile)).toEqual([])
    }
    expect(ends).toBeGreaterThanOrEqual(6)
  })

  test('gets another way leaves the one or both', async () => {
    const profile = new BrowserProfile()
    const { store, lock } = await profile.open()
    await fill(store)
    await lock.replace([passphrase], null)
    profile.beforeWrite = () => {
      throw new Error('the process ends')
    }
    await expect(lock.add(passkey, passphrase)).rejects.toThrow('the process ends')
    profile.beforeWrite = undefined
    await store.close()
    const again = await profile.open(passphrase)
    expect((await again.lock.state()).ways).toEqual({ passphrase: true, passkey: null })
    await expectAll(again.store)
  })
})

describe('the cost of a guess', () => {
  test('stands beside the wrapped key, and neither a lower nor a higher one opens it', async () => {
    const wrapping = passphraseWrapping(crypto, random)
    const key = new Secret(random(32))
    const wrapped = await wrapping.wrap(key, 'cafe\u0301 au lait')
    expect(wrapped).toMatchObject(PASSPHRASE_COST)
    // However a keyboard composes a letter, it is the same passphrase.
    const typed = 'caf\u00e9 au lait'
    expect((await wrapping.unwrap('keys', wrapped, typed)).equals(key)).toBe(true)
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

describe('a passkey beside, or instead of, the passphrase', () => {
  const passphrase = passphraseOpener(PASSPHRASE)
  const filled = async (...openers: Opener[]): Promise<{ profile: BrowserProfile } & OpenProfile> => {
    const profile = new BrowserProfile()
    const open = await profile.open()
    await fill(open.store)
    await open.lock.replace(openers, null)
    return { profile, ...open }
  }

  test('opens the store; another passkey, or another question, does not', async () => {
    const [passkey, other] = [new TestPasskey(), new TestPasskey()]
    const set = passkey.opener()
    const { profile, store, lock } = await filled(set)
    expect((await lock.state()).ways).toEqual({ passphrase: false, passkey: set.passkey })
    expect(platformKeys(profile)).toEqual([])
    await store.close()
    const forged: Opener = { ...other.opener(set.passkey.salt), passkey: set.passkey }
    for (const wrong of [other.opener(), other.opener(set.passkey.salt), forged])
      await expect(profile.open(wrong)).rejects.toMatchObject({ facts: { fault: 'passkey-wrong' } })
    await expect(profile.open(PASSPHRASE)).rejects.toMatchObject({ facts: { fault: 'passphrase-wrong' } })
    await expect(profile.open()).rejects.toMatchObject({ facts: { fault: 'locked' } })
    await expectAll((await profile.open(passkey.opener(set.passkey.salt))).store)
  })

  test('is added at once: either one opens the store, whose key stays', async () => {
    const { profile, store, lock } = await filled(passphrase)
    const passkey = new TestPasskey()
    const added = passkey.opener()
    const entries = new Map(profile.level.entries)
    await expect(lock.add(added, passphraseOpener(OTHER))).rejects.toMatchObject({
      facts: { fault: 'passphrase-wrong' }
    })
    await lock.add(added, passphrase)
    await expect(lock.add(new TestPasskey().opener(), passphrase)).rejects.toThrow(TypeError)
    expect(new Map(profile.level.entries)).toEqual(entries)
    await store.close()
    for (const opener of [passphrase, passkey.opener(added.passkey.salt)]) {
      const { store } = await profile.open(opener)
      await expectAll(store)
      await store.close()
    }
  })

  test('that is lost is taken away with the passphrase, and opens neither the store nor what an old copy has wrapped', async () => {
    const passkey = new TestPasskey()
    const added = passkey.opener()
    const { profile, store, lock } = await filled(passphrase, added)
    const old = structuredClone(profile.keys.get('seal')) as { slots: { passkey: unknown } }
    await lock.replace([passphrase], passphrase)
    await store.close()
    await expect(profile.open(passkey.opener(added.passkey.salt))).rejects.toMatchObject({
      facts: { fault: 'passkey-wrong' }
    })
    await expectAll((await profile.open(PASSPHRASE)).store)
    // A thief who puts the old slot back has the key of before, which seals nothing any more.
    const stolen = profile.keys.get('seal') as { slots: object }
    profile.keys.set('seal', { ...stolen, slots: { ...stolen.slots, passkey: old.slots.passkey } })
    await expect(profile.open(passkey.opener(added.passkey.salt))).rejects.toMatchObject({
      facts: { fault: 'key-damaged' }
    })
  })

  test('stays when the passphrase is changed or taken away, once it was shown', async () => {
    const passkey = new TestPasskey()
    const added = passkey.opener()
    const { profile, store, lock } = await filled(passphrase, added)
    await lock.replace([passphraseOpener(OTHER), added], added)
    await lock.replace([added], added)
    await store.close()
    await expect(profile.open(OTHER)).rejects.toMatchObject({ facts: { fault: 'passphrase-wrong' } })
    await expectAll((await profile.open(passkey.opener(added.passkey.salt))).store)
  })

  test('of one profile opens no other, and its slot is of no use there', async () => {
    const passkey = new TestPasskey()
    const [first, second] = [passkey.opener(), passkey.opener()]
    const one = await filled(first)
    const two = await filled(second)
    for (const each of [one, two]) await each.store.close()
    type Slots = { slots: { passkey: object } }
    const [mine, theirs] = [one, two].map(({ profile }) => profile.keys.get('seal') as Slots)
    const withSlot = (passkey: object): Slots => ({ ...mine!, slots: { passkey } })
    // As a whole it opens the key of another store; its parts open nothing.
    one.profile.keys.set('seal', withSlot(theirs!.slots.passkey))
    await expect(one.profile.open(passkey.opener(second.passkey.salt))).rejects.toMatchObject({
      facts: { fault: 'key-damaged' }
    })
    one.profile.keys.set('seal', withSlot({ ...theirs!.slots.passkey, ...first.passkey }))
    await expect(one.profile.open(passkey.opener(first.passkey.salt))).rejects.toMatchObject({
      facts: { fault: 'passkey-wrong' }
    })
    one.profile.keys.set('seal', mine!)
    await expectAll((await one.profile.open(passkey.opener(first.passkey.salt))).store)
  })

  test('cannot be replaced by less: a lock without a way, or a way of another form, is refused', async () => {
    const added = new TestPasskey().opener()
    const { profile, store } = await filled(added)
    await store.close()
    const stored = profile.keys.get('seal') as { slots: { passkey: object } }
    const weaker = [
      { ...stored, slots: {} },
      { ...stored, slots: { passkey: { ...stored.slots.passkey, salt: '' } } },
      { ...stored, slots: { passkey: { ...stored.slots.passkey, wrapped: 'ff' } } },
      { ...stored, slots: { passphrase: { memoryKib: -1 } } },
      null,
      'seal'
    ]
    for (const value of weaker) {
      profile.keys.set('seal', value)
      await expect(profile.open(added)).rejects.toMatchObject({ facts: { fault: 'key-damaged' } })
    }
  })

  test('is not lost where it is added while the key is replaced', async () => {
    const { profile, store, lock } = await filled(passphrase)
    const passkey = new TestPasskey()
    const added = passkey.opener()
    const other = passphraseOpener(OTHER)
    await Promise.all([lock.replace([other], passphrase), lock.add(added, other)])
    await store.close()
    for (const opener of [other, passkey.opener(added.passkey.salt)]) {
      const { store } = await profile.open(opener)
      await expectAll(store)
      await store.close()
    }
  })
})
