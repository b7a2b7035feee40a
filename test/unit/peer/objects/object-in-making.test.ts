import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FolderObjects } from '../../../../peer/objects/folder-objects.ts'
import { ObjectInMaking } from '../../../../peer/objects/object-in-making.ts'
import { temporaryFolder } from '../../../support/network/real-processes/node-process.ts'

const PIECE = 1000
const PIECES = 12
const content = Uint8Array.from(randomBytes(PIECE * PIECES))

let folder: string
let stored: ObjectInMaking
beforeEach(() => {
  folder = temporaryFolder()
  stored = new ObjectInMaking(new FolderObjects(folder), { localName: 'ab'.repeat(32), size: content.length })
})
afterEach(() => rm(folder, { recursive: true }))

const append = (index: number) => stored.append(content.subarray(index * PIECE, (index + 1) * PIECE))

describe('an object in the making', () => {
  it('is read in any part, old and new, while it grows', async () => {
    const ranges = [0, 1, 999, 1000, 2500, 7777, 11_000].map(start => ({ start, length: 1300 }))
    const buffers = ranges.map(() => new Uint8Array(2000))
    const reads = ranges.map(({ start, length }, i) => stored.read(start, length, buffers[i]))
    for (let index = 0; index < PIECES; index++) await append(index)
    const expected = ranges.map(({ start, length }) => content.slice(start, start + length))
    expect((await Promise.all(reads)).map(bytes => bytes.slice())).toEqual(expected)
    const again = await Promise.all(ranges.map(({ start, length }) => stored.read(start, length)))
    expect(again.map(bytes => bytes.slice())).toEqual(expected)
  })

  it('fails for readers that wait for what will not come, and keeps the reason for who asks later', async () => {
    await append(0)
    const waiting = stored.read(PIECE, 10)
    stored.fail(new Error('the file changed'))
    await expect(waiting).rejects.toThrow('the file changed')
    await expect(stored.hash).rejects.toThrow('the file changed')
    await expect(stored.read(PIECE, 10)).rejects.toThrow('the file changed')
    expect(await stored.read(0, 3)).toEqual(content.subarray(0, 3))
  })
})
