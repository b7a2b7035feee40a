import { describe, expect, it } from 'vitest'
import { cacheKey, LruCache } from '../../../../protocol/crypto/backends/lru-cache.ts'

describe('the key cache', () => {
  it('drops the entry used longest ago, never more', () => {
    const cache = new LruCache<number>(2)
    cache.set('a', 1)
    cache.set('b', 2)
    expect(cache.get('a')).toBe(1)
    cache.set('c', 3)
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3])
    expect(cache.size).toBe(2)
  })

  it('stays bounded under a flood of keys', () => {
    const cache = new LruCache<number>(100)
    for (let i = 0; i < 10_000; i++) cache.set(`${i}`, i)
    expect(cache.size).toBe(100)
  })

  it('tells apart keys that differ in one bit', () => {
    const keys = Array.from({ length: 256 }, (_, i) => {
      const bytes = new Uint8Array(32)
      bytes[i >> 3]! ^= 1 << (i & 7)
      return cacheKey(bytes)
    })
    expect(new Set(keys).size).toBe(256)
  })
})
