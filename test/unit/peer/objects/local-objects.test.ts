import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { FolderObjects } from '../../../../peer/objects/folder-objects.ts'
import { LevelObjects } from '../../../../peer/objects/level-objects.ts'
import type { LocalObjects } from '../../../../peer/ports.ts'
import { MemoryStore } from '../../../support/peer/memory-store.ts'

const folder = await mkdtemp(join(tmpdir(), 'volo-local-objects-'))
afterAll(() => rm(folder, { recursive: true }))

const NAME = '00112233'
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

describe.each([
  ['a folder', async () => new FolderObjects(await mkdtemp(join(folder, 'objects-')))],
  ['a key-value store', async () => new LevelObjects(new MemoryStore())]
] as [string, () => Promise<LocalObjects>][])('objects in %s', (_where, create) => {
  test('grow at their end and are read from anywhere', async () => {
    const objects = await create()
    await objects.append(NAME, bytes(1))
    await objects.append(NAME, bytes(2, 3, 4))
    await objects.append(NAME, bytes(5, 6))
    await objects.flush(NAME)
    expect(await objects.size(NAME)).toBe(6)
    expect(await objects.read(NAME, 0, 6)).toEqual(bytes(1, 2, 3, 4, 5, 6))
    expect(await objects.read(NAME, 2, 3)).toEqual(bytes(3, 4, 5))
    expect(await objects.read(NAME, 4, 100)).toEqual(bytes(5, 6))
    expect(await objects.read(NAME, 6, 1)).toEqual(bytes())
  })

  test('are cut where it is asked, inside a piece too, and grow from there', async () => {
    const objects = await create()
    await objects.append(NAME, bytes(1, 2, 3))
    await objects.append(NAME, bytes(4, 5))
    await objects.truncate(NAME, 2)
    await objects.append(NAME, bytes(9))
    expect(await objects.read(NAME, 0, 10)).toEqual(bytes(1, 2, 9))
    await objects.truncate(NAME, 0)
    expect(await objects.size(NAME)).toBe(0)
  })

  test('are listed and removed; one that is not there is empty', async () => {
    const objects = await create()
    for (const name of [NAME, '44556677']) await objects.append(name, bytes(1))
    expect((await objects.names()).sort()).toEqual([NAME, '44556677'])
    await objects.remove(NAME)
    await objects.remove(NAME)
    expect(await objects.names()).toEqual(['44556677'])
    expect(await objects.size(NAME)).toBe(0)
    expect(await objects.read(NAME, 0, 1)).toEqual(bytes())
    await objects.truncate(NAME, 0)
  })
})

test('a name that is none of ours leads nowhere', async () => {
  const objects = new FolderObjects(folder)
  await expect(objects.append('../outside', bytes(1))).rejects.toThrow()
})
