/** The contract of every storage adapter, with the ways in which a storage fails. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StorageErrorCode } from '../../../storage-adapter/errors.ts'
import { makeReference } from '../../../storage-adapter/reference.ts'
import { openStorage, type StorageSettings } from '../../../storage-adapter/open-storage.ts'
import type { NewObject, StorageAdapter } from '../../../storage-adapter/storage-adapter.ts'
import type { FaultKind } from './fault-server.ts'
import { collect, inPieces, listed, randomObject } from './objects.ts'

/** A storage that the suite may spoil. */
export interface StorageUnderTest {
  settings: StorageSettings
  setFault(fault: FaultKind | undefined): void | Promise<void>
  stop(): Promise<void>
}

const MIB = 1024 * 1024

/** @param missing - faults that this storage cannot have, each with the reason. */
export function storageConformance(
  name: string,
  start: () => Promise<StorageUnderTest>,
  missing: Partial<Record<FaultKind, string>> = {}
): void {
  describe(`storage adapter ${name}`, () => {
    let storage: StorageUnderTest
    let adapter: StorageAdapter
    beforeEach(async () => {
      storage = await start()
      adapter = await openStorage(storage.settings)
    })
    afterEach(() => storage.stop())

    const codeOf = async (run: () => Promise<unknown>): Promise<StorageErrorCode | string> => {
      try {
        await run()
        return 'no error'
      } catch (error) {
        return (error as { code?: string }).code ?? String(error)
      }
    }
    const putAndFail = async (fault: FaultKind): Promise<string> => {
      await storage.setFault(fault)
      const code = await codeOf(() => adapter.put(randomObject('fails', 1000)))
      await storage.setFault(undefined)
      expect(await listed(adapter)).toEqual([])
      return code
    }
    const whenFaulty = (fault: FaultKind, title: string, run: () => Promise<void>): void => {
      const reason = missing[fault]
      if (reason === undefined) it(title, run)
      else it.skip(`${title}: not here, ${reason}`)
    }

    for (const size of [0, 1, 65_536, 3 * MIB + 17]) {
      it(`gives back ${size} bytes as they were stored`, async () => {
        const object = randomObject('whole', size)
        const { reference, size: stored } = await adapter.put(object)
        expect(stored).toBe(size)
        expect((await collect(await adapter.get(reference))).equals(object.bytes)).toBe(true)
      })
    }

    it('gives any range inside an object and refuses others', async () => {
      const object = randomObject('ranges', 200_000)
      const { reference } = await adapter.put(object)
      for (const [start, length] of [
        [0, 1],
        [65_535, 2],
        [70_000, 130_000],
        [199_999, 1],
        [0, 200_000]
      ] as const) {
        const bytes = await collect(await adapter.range(reference, start, length))
        expect(bytes.equals(object.bytes.subarray(start, start + length))).toBe(true)
      }
      for (const [start, length] of [
        [0, 0],
        [-1, 5],
        [0, 200_001],
        [200_000, 1],
        [0.5, 1]
      ] as const) {
        expect(await codeOf(() => adapter.range(reference, start, length))).toBe('invalid')
      }
    })

    it('lists complete objects by the beginning of their name', async () => {
      for (const objectName of ['a-1', 'a-2', 'a-3', 'a-4', 'b-1']) await adapter.put(randomObject(objectName, 10))
      expect((await listed(adapter, 'a-')).map(object => [object.name, object.size])).toEqual([
        ['a-1', 10],
        ['a-2', 10],
        ['a-3', 10],
        ['a-4', 10]
      ])
      const [first] = await listed(adapter, 'b-1')
      expect((await collect(await adapter.get(first!.reference))).length).toBe(10)
    })

    it('removes an object, and removes it again', async () => {
      const { reference } = await adapter.put(randomObject('gone', 10))
      await adapter.delete(reference)
      await adapter.delete(reference)
      expect(await codeOf(async () => collect(await adapter.get(reference)))).toBe('not-found')
      expect(await listed(adapter)).toEqual([])
    })

    it('stores a name once, and refuses another size under it', async () => {
      const object = randomObject('twice', 5000)
      const first = await adapter.put(object)
      expect(await adapter.put(object)).toEqual(first)
      expect(await codeOf(() => adapter.put(randomObject('twice', 6000)))).toBe('conflict')
      expect(await listed(adapter)).toEqual([first])
      expect((await collect(await adapter.get(first.reference))).equals(object.bytes)).toBe(true)
    })

    it('stores nothing of content that is not what was announced', async () => {
      const object = randomObject('liar', 100_000)
      const liars: NewObject[] = [
        { ...object, sha256: new Uint8Array(32) },
        { ...object, content: () => inPieces(object.bytes.subarray(1), 1000) },
        { ...object, content: () => inPieces(Buffer.concat([object.bytes, object.bytes]), 1000) }
      ]
      for (const liar of liars) expect(await codeOf(() => adapter.put(liar))).toBe('corrupt')
      expect(await listed(adapter)).toEqual([])
    })

    it('stores nothing when the content fails in the middle, and says why', async () => {
      const object = randomObject('half', 200_000)
      const failing = async function* () {
        yield object.bytes.subarray(0, 100_000)
        throw Object.assign(new Error('the reader failed'), { code: 'reader-failed' })
      }
      expect(await codeOf(() => adapter.put({ ...object, content: failing }))).toBe('reader-failed')
      expect(await listed(adapter)).toEqual([])
    })

    it('stores nothing when the caller cancels', async () => {
      const object = randomObject('cancelled', 200_000)
      const cancel = new AbortController()
      const content = async function* () {
        yield object.bytes.subarray(0, 100_000)
        cancel.abort()
        yield object.bytes.subarray(100_000)
      }
      await expect(adapter.put({ ...object, content }, { signal: cancel.signal })).rejects.toThrow(/abort/)
      expect(await listed(adapter)).toEqual([])
    })

    it('refuses an object that is larger than it takes before it reads one byte', async () => {
      const object = { ...randomObject('large', 10), size: adapter.maxObjectBytes + 1 }
      const content = () => expect.fail('was read')
      expect(await codeOf(() => adapter.put({ ...object, content }))).toBe('too-large')
    })

    it('refuses references that it did not make', async () => {
      for (const id of ['../../etc/passwd', 'a/b', '', 'a?b', 'a b', '%2e%2e']) {
        expect(await codeOf(() => adapter.get(makeReference(adapter.name, 10, id)))).toBe('invalid')
        expect(await codeOf(() => adapter.delete(makeReference(adapter.name, 10, id)))).toBe('invalid')
      }
      expect(await codeOf(() => adapter.get(makeReference('other', 10, 'a')))).toBe('invalid')
    })

    it('says that it is well', async () => {
      await expect(adapter.health()).resolves.toBeUndefined()
    })

    it('reads the content in pieces, and gives an object in pieces', async () => {
      const size = 32 * MIB
      if (size > adapter.maxObjectBytes) return
      const object = randomObject('stream', size)
      let pulled = 0
      const content = async function* () {
        for await (const bytes of inPieces(object.bytes, MIB)) yield ((pulled += bytes.length), bytes)
      }
      const { reference } = await adapter.put({ ...object, content })
      expect(pulled).toBe(size)
      for await (const bytes of await adapter.get(reference)) {
        expect(bytes.length).toBeLessThanOrEqual(MIB)
        break
      }
    })

    it('leaves nothing of a put whose process is killed in the middle', async () => {
      const kept = await adapter.put(randomObject('kept', 10))
      const program = join(import.meta.dirname, 'half-put.ts')
      const child = spawn(process.execPath, [program, JSON.stringify(storage.settings)], {
        stdio: ['ignore', 'pipe', 'inherit']
      })
      await once(child.stdout, 'data')
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
      adapter = await openStorage(storage.settings)
      expect(await listed(adapter)).toEqual([kept])
      await adapter.put(randomObject('killed', 4_000_000))
      expect(await listed(adapter, 'killed')).toHaveLength(1)
    })

    whenFaulty('one 500', 'one failure of the service is not seen by callers', async () => {
      const object = randomObject('retried', 100_000)
      await storage.setFault('one 500')
      const { reference } = await adapter.put(object)
      await storage.setFault('one 500')
      expect((await collect(await adapter.get(reference))).equals(object.bytes)).toBe(true)
      expect(await listed(adapter)).toHaveLength(1)
    })
    whenFaulty('always 500', 'a service that always fails is unavailable', async () => {
      expect(await putAndFail('always 500')).toBe('unavailable')
    })
    whenFaulty('slow', 'a service that does not answer is unavailable', async () => {
      adapter = await openStorage({ ...storage.settings, idleTimeoutMs: 200 } as StorageSettings)
      await storage.setFault('slow')
      expect(await codeOf(() => adapter.put(randomObject('slow', 1000)))).toBe('unavailable')
      expect(await codeOf(() => adapter.health())).toBe('unavailable')
    })
    for (const fault of ['broken off', 'short'] as const) {
      whenFaulty(fault, `an object that arrives ${fault} is an error, never a shorter object`, async () => {
        const { reference } = await adapter.put(randomObject('cut', 200_000))
        await storage.setFault(fault)
        const read = async () => collect(await adapter.get(reference))
        expect(['corrupt', 'unavailable']).toContain(await codeOf(read))
        const readRange = async () => collect(await adapter.range(reference, 100_000, 100_000))
        expect(['corrupt', 'unavailable']).toContain(await codeOf(readRange))
      })
    }
    whenFaulty('success that is none', 'a success that is none is a failure', async () => {
      expect(await putAndFail('success that is none')).toBe('unavailable')
    })
    whenFaulty('quota', 'a full storage says so', async () => {
      expect(await putAndFail('quota')).toBe('quota')
    })
    whenFaulty('revoked key', 'a revoked key says so, at once', async () => {
      const { reference } = await adapter.put(randomObject('mine', 10))
      await storage.setFault('revoked key')
      for (const call of [
        () => adapter.put(randomObject('new', 10)),
        () => adapter.get(reference),
        () => adapter.delete(reference),
        () => listed(adapter),
        () => adapter.health()
      ]) {
        expect(await codeOf(call)).toBe('unauthorised')
      }
    })
    whenFaulty('vanished object', 'an object that vanished is not found, and can be stored again', async () => {
      const object = randomObject('vanished', 10)
      const { reference } = await adapter.put(object)
      await storage.setFault('vanished object')
      expect(await codeOf(async () => collect(await adapter.get(reference)))).toBe('not-found')
      const again = await adapter.put(object)
      expect((await collect(await adapter.get(again.reference))).equals(object.bytes)).toBe(true)
    })
  })
}
