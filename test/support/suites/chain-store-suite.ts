import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sortableNumber, SYNCED, type KeyRange, type ChainStore } from '../../../chain/chain-store.ts'

/** What publisher and follower expect of every store; run it for each implementation of the port. */
export function describeChainStore(
  name: string,
  open: () => Promise<{ store: ChainStore; close(): Promise<void> }>
): void {
  describe(`${name} as a store of the chain`, () => {
    let store: ChainStore
    let close: () => Promise<void>

    const put = (...keys: string[]): Promise<void> =>
      store.batch(
        keys.map(key => ({ type: 'put', key, value: `value of ${key}` })),
        SYNCED
      )
    const keysOf = async (range: KeyRange): Promise<string[]> => {
      const keys: string[] = []
      for await (const [key] of store.iterator(range)) keys.push(key)
      return keys
    }

    beforeEach(async () => {
      ;({ store, close } = await open())
    })
    afterEach(() => close())

    it('returns texts and bytes as they were written, and undefined for what was not', async () => {
      await store.put('text', 'ünï', SYNCED)
      await store.put('bytes', Uint8Array.of(0, 255, 1), { valueEncoding: 'view', ...SYNCED })
      expect(await store.get('text')).toBe('ünï')
      expect([...(await store.get('bytes', { valueEncoding: 'view' }))!]).toEqual([0, 255, 1])
      expect(await store.get('nothing')).toBeUndefined()
      expect(await store.get('nothing', { valueEncoding: 'view' })).toBeUndefined()
    })

    it('does the steps of a batch in order', async () => {
      await store.batch(
        [
          { type: 'put', key: 'a', value: '1' },
          { type: 'put', key: 'a', value: '2' },
          { type: 'put', key: 'b', value: '1' },
          { type: 'del', key: 'b' }
        ],
        SYNCED
      )
      expect([await store.get('a'), await store.get('b')]).toEqual(['2', undefined])
    })

    it('lists in byte order within bounds, from either end, and no more than asked for', async () => {
      await put('log/b', 'log/a', 'other', 'log/c')
      const log = { gte: 'log/', lt: 'log0' }
      expect(await keysOf(log)).toEqual(['log/a', 'log/b', 'log/c'])
      expect(await keysOf({ ...log, reverse: true })).toEqual(['log/c', 'log/b', 'log/a'])
      expect(await keysOf({ ...log, reverse: true, limit: 1 })).toEqual(['log/c'])
      expect(await keysOf({ ...log, lt: 'log/c' })).toEqual(['log/a', 'log/b'])
    })

    it('lists numbers in their order', async () => {
      const numbers = [9, 10, 0, 2 ** 53 - 1, 100]
      await put(...numbers.map(sortableNumber))
      expect((await keysOf({ gte: '0', lt: ':' })).map(Number)).toEqual([0, 9, 10, 100, 2 ** 53 - 1])
    })

    it('clears what is within bounds, and nothing else', async () => {
      await put('a', 'b', 'c')
      await store.clear({ gte: 'a', lt: 'c' })
      expect(await keysOf({ gte: '', lt: '~' })).toEqual(['c'])
    })
  })
}
