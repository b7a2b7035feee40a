import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KeyValueStore } from '../../../peer/ports.ts'

/** A store that a suite opened, and how its place is removed. */
export interface OpenedStore {
  store: KeyValueStore
  /** Opens the same place again, after the store was closed. */
  reopen(): Promise<KeyValueStore>
  remove(): Promise<void>
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

/** What the peer expects of every key-value store; run it for each implementation of the port. */
export function describeKeyValueStore(name: string, open: () => Promise<OpenedStore>): void {
  describe(`${name} as a key-value store`, () => {
    let opened: OpenedStore
    let store: KeyValueStore

    const put = (...keys: string[]): Promise<void> =>
      store.batch(keys.map((key, index) => ({ key, value: bytes(index) })))
    const keysOf = async (options: { gte: string; lt: string; reverse?: boolean; limit?: number }): Promise<string[]> =>
      (await store.range(options)).map(([key]) => key)

    beforeEach(async () => {
      opened = await open()
      store = opened.store
    })
    afterEach(async () => {
      await store.close()
      await opened.remove()
    })

    it('returns what was written, byte for byte, and undefined for what was not', async () => {
      await store.batch([
        { key: 'a', value: bytes(0, 1, 255) },
        { key: 'empty', value: bytes() }
      ])
      expect([...(await store.get('a'))!]).toEqual([0, 1, 255])
      expect([...(await store.get('empty'))!]).toEqual([])
      expect(await store.get('b')).toBeUndefined()
    })

    it('takes the last of several changes of one key, in one batch and in later ones', async () => {
      await store.batch([
        { key: 'a', value: bytes(1) },
        { key: 'a', value: bytes(2) },
        { key: 'b', value: bytes(1) },
        { key: 'b', value: null }
      ])
      expect([...(await store.get('a'))!]).toEqual([2])
      expect(await store.get('b')).toBeUndefined()
      await store.batch([{ key: 'a', value: bytes(3) }])
      expect([...(await store.get('a'))!]).toEqual([3])
    })

    it('keeps batches in order when nobody waits for the earlier ones', async () => {
      await Promise.all(
        [1, 2, 3, 4, 5].map(value => store.batch([{ key: 'a', value: bytes(value) }], { durable: false }))
      )
      expect([...(await store.get('a'))!]).toEqual([5])
    })

    it('does not keep a buffer that its caller changes afterwards', async () => {
      const value = bytes(1, 2, 3)
      await store.batch([{ key: 'a', value }])
      value.fill(0)
      expect([...(await store.get('a'))!]).toEqual([1, 2, 3])
    })

    it('removes what is not there without complaint', async () => {
      await store.batch([{ key: 'a', value: null }])
      expect(await keysOf({ gte: '', lt: '~' })).toEqual([])
    })

    it('lists keys in order, from the first bound on and up to the second', async () => {
      await put('b/2', 'a/1', 'b/10', 'c', 'b/1')
      expect(await keysOf({ gte: 'b/', lt: 'b0' })).toEqual(['b/1', 'b/10', 'b/2'])
      expect(await keysOf({ gte: 'b/1', lt: 'b/2' })).toEqual(['b/1', 'b/10'])
      expect(await keysOf({ gte: 'd', lt: 'e' })).toEqual([])
    })

    it('lists from the end, and no more than asked for', async () => {
      await put('a', 'b', 'c', 'd')
      expect(await keysOf({ gte: 'a', lt: 'd', limit: 2 })).toEqual(['a', 'b'])
      expect(await keysOf({ gte: 'a', lt: 'd', reverse: true })).toEqual(['c', 'b', 'a'])
      expect(await keysOf({ gte: 'a', lt: 'z', reverse: true, limit: 1 })).toEqual(['d'])
    })

    it('still has everything after it was closed and opened again', async () => {
      await store.batch([{ key: 'mine/durable', value: bytes(1) }])
      await store.batch([{ key: 'mine/flushed', value: bytes(2) }], { durable: false })
      await store.flush()
      await store.close()
      store = await opened.reopen()
      expect([...(await store.get('mine/durable'))!]).toEqual([1])
      expect([...(await store.get('mine/flushed'))!]).toEqual([2])
    })
  })
}
