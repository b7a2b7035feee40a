/** Stores that older versions wrote, opened by this one. The copies are of the raw entries, in hex. */
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AppDatabase } from '../../../node/app-database.ts'
import { ConfigError } from '../../../node/config/config-error.ts'
import { KeyStore } from '../../../node/key-directory/key-store.ts'
import { decodeBundle } from '../../../protocol/identity/bundle.ts'
import type { AccountId } from '../../../protocol/identity/device.ts'
import { temporaryFolder } from '../../support/network/real-processes/node-process.ts'

const stores = new URL('../../fixtures/node-stores/', import.meta.url)
/** When the copies were made. */
const THEN = 1_700_000_000_000

let folder: string
beforeEach(() => (folder = temporaryFolder()))
afterEach(() => rm(folder, { recursive: true, force: true }))

async function raw<T>(name: string, work: (database: ClassicLevel) => Promise<T>): Promise<T> {
  const database = new ClassicLevel(join(folder, name), { keyEncoding: 'hex', valueEncoding: 'hex' })
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}

/** Puts a stored copy where a node's store is. */
async function restore(name: string, version: number): Promise<void> {
  const entries = JSON.parse(readFileSync(new URL(`${name}-version-${version}.json`, stores), 'utf8')) as {
    key: string
    value: string
  }[]
  await raw(name, database => database.batch(entries.map(({ key, value }) => ({ type: 'put', key, value }))))
}

const hexOf = (text: string): string => Buffer.from(text).toString('hex')
const versionOf = (name: string): Promise<string | undefined> =>
  raw(name, database => database.get('store-version', { keyEncoding: 'utf8', valueEncoding: 'utf8' }))

describe('an app database of version 1', () => {
  it('keeps records, counts of registrations and the stores of its parts', async () => {
    await restore('app', 1)
    await raw('app', store => store.put(hexOf('!epochs!in-force/00'), hexOf('{}')))
    const database = new AppDatabase(join(folder, 'app'))
    await database.open()
    expect(await database.ownRecords()).toEqual([
      { recordId: new Uint8Array(32).fill(7), bytes: Uint8Array.of(1, 2, 3), takenAt: THEN }
    ])
    // Found only under the identity key of then.
    expect(await database.registrationsOf('demo', 'ada', THEN + 1)).toBe(1)
    expect(await database.storeFor('publisher').get('record/07')).toBe('text')
    // Lists of nodes are made from the chain again.
    expect(await database.storeFor('epochs').get('in-force/00')).toBeUndefined()
    await database.close()
    expect(await versionOf('app')).toBe('3')
    expect(await raw('app', store => store.get(hexOf('!meta!version')))).toBeUndefined()
  })
})

describe('a key store of version 1', () => {
  it('keeps its bundles', async () => {
    await restore('keys', 1)
    const store = new KeyStore(join(folder, 'keys'))
    await store.open()
    const bundles = await store.get(new Uint8Array(32).fill(1) as AccountId)
    expect(bundles.map(bytes => decodeBundle(bytes).weeklyIndex)).toEqual([4])
    await store.close()
    expect(await versionOf('keys')).toBe('1')
  })
})

describe('a store that a newer version wrote', () => {
  it.each([
    ['app', () => new AppDatabase(join(folder, 'app'))],
    ['keys', () => new KeyStore(join(folder, 'keys'))]
  ])('is refused with a sentence for the operator: %s', async (name, make) => {
    await raw(name, database => database.put('store-version', '99', { keyEncoding: 'utf8', valueEncoding: 'utf8' }))
    const opening = make().open()
    await expect(opening).rejects.toBeInstanceOf(ConfigError)
    await expect(opening).rejects.toThrow(/has version 99 .* start the version of the program that wrote it\.$/)
    expect(await versionOf(name)).toBe('99')
  })
})
