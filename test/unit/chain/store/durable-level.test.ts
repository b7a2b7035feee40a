import { mkdirSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DurableLevel } from '../../../../chain/store/durable-level.ts'
import type { StoreChange } from '../../../../chain/store/migrate.ts'
import type { StoreError } from '../../../../chain/store/store-error.ts'
import { temporaryFolder } from '../../../support/network/real-processes/node-process.ts'

let parent: string
let folder: string
let open: DurableLevel[]

beforeEach(() => {
  parent = temporaryFolder()
  folder = join(parent, 'store')
  open = []
})
afterEach(async () => {
  await Promise.all(open.map(database => database.close()))
  await rm(parent, { recursive: true, force: true })
})

async function openStore(init: Parameters<typeof DurableLevel.open<string, string>>[1] = {}): Promise<DurableLevel> {
  const database = await DurableLevel.open(folder, init)
  open.push(database)
  return database
}

/** The raw LevelDB below, which fails from now on, as with a full disk, if it is told to. */
const hooks = ClassicLevel.prototype as unknown as { _batch(operations: unknown, options: object): Promise<void> }

/** What the LevelDB below was told of each batch while `work` ran. */
async function optionsOf(work: () => Promise<unknown>, failure?: Error): Promise<object[]> {
  const { _batch: original } = hooks
  const seen: object[] = []
  hooks._batch = function (operations, options) {
    seen.push(options)
    return failure ? Promise.reject(failure) : original.call(this, operations, options)
  }
  await work().finally(() => (hooks._batch = original))
  return seen
}

const put = (key: string): { type: 'put'; key: string; value: string }[] => [{ type: 'put', key, value: key }]

describe('a store', () => {
  it('is private to its user, whatever the umask and whoever made its folder', async () => {
    mkdirSync(folder, { mode: 0o777 })
    await openStore()
    expect(statSync(folder).mode & 0o077).toBe(0)
  })

  it('that another process has open is refused by that name', async () => {
    await openStore()
    await expect(openStore()).rejects.toMatchObject({ name: 'StoreError', code: 'in-use' })
  })

  it('syncs every write, through sublevels too, unless its caller says otherwise', async () => {
    const database = await openStore()
    const seen = await optionsOf(async () => {
      await database.batch(put('a'))
      await database.sublevel('part').batch(put('b'))
      await database.batch(put('c'), { sync: false })
    })
    expect(seen).toMatchObject([{ sync: true }, { sync: true }, { sync: false }])
  })

  it('cannot be written past its checks', async () => {
    const database = await openStore()
    expect(() => database.batch()).toThrow('chained batch')
  })

  it('takes nothing more once a write has failed, and says so once', async () => {
    const failures: StoreError[] = []
    const database = await openStore({ onFatal: error => failures.push(error) })
    const full = Object.assign(new Error('No space left on device'), { code: 'LEVEL_IO_ERROR' })
    const refused = { name: 'StoreError', code: 'write-failed' }
    await optionsOf(() => expect(database.batch(put('a'))).rejects.toMatchObject(refused), full)
    // The disk has room again; LevelDB would call these safe and lose them at the next start.
    await expect(database.batch(put('b'))).rejects.toMatchObject(refused)
    await expect(database.put('b', 'b')).rejects.toMatchObject(refused)
    await expect(database.del('b')).rejects.toMatchObject(refused)
    await expect(database.clear()).rejects.toMatchObject(refused)
    await expect(database.sublevel('part').put('b', 'b')).rejects.toMatchObject(refused)
    expect(failures).toEqual([database.failure])
    expect(failures[0]!.message).toContain('No space left on device')
  })
})

describe('the version of a store', () => {
  const addOne = async (database: DurableLevel): Promise<StoreChange[]> => [
    { type: 'put', key: 'count', value: String(Number((await database.get('count')) ?? 0) + 1) }
  ]
  const addTen = async (database: DurableLevel): Promise<StoreChange[]> => [
    { type: 'put', key: 'count', value: String(Number(await database.get('count')) + 10) }
  ]
  const count = async (steps: (typeof addOne)[]): Promise<string | undefined> => {
    const database = await openStore({ steps })
    const value = await database.get('count')
    await database.close()
    return value
  }

  it('makes each step run once, in order', async () => {
    expect(await count([addOne])).toBe('1')
    expect(await count([addOne])).toBe('1')
    expect(await count([addOne, addTen])).toBe('11')
    expect(await count([addOne, addTen])).toBe('11')
  })

  it('moves with the changes of a step, in one synced batch', async () => {
    const seen = await optionsOf(() => openStore({ steps: [addOne] }))
    expect(seen).toMatchObject([{ sync: true }])
  })

  it('stays where it was if a step fails', async () => {
    await count([addOne])
    const failing = () => Promise.reject(new Error('cannot read the old entries'))
    await expect(openStore({ steps: [addOne, failing] })).rejects.toThrow('cannot read the old entries')
    expect(await count([addOne, addTen])).toBe('11')
  })

  it('that is newer than the program, or is no version, is refused, and nothing is changed', async () => {
    await count([addOne, addTen])
    await expect(openStore({ steps: [addOne] })).rejects.toMatchObject({ code: 'newer' })
    expect(await count([addOne, addTen])).toBe('11')
    const raw = new ClassicLevel(folder)
    await raw.put('store-version', 'eleven')
    await raw.close()
    await expect(openStore({ steps: [addOne, addTen] })).rejects.toMatchObject({ code: 'newer' })
  })
})
