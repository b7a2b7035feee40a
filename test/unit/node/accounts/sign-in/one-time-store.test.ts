import { describe, expect, it } from 'vitest'
import { OneTimeStore } from '../../../../../node/accounts/sign-in/one-time-store.ts'

function makeStore(init = {}) {
  const time = { now: 1_000 }
  const store = new OneTimeStore<string>(
    { clock: () => time.now },
    { ttlMs: 100, maxEntries: 5, maxPerOwner: 3, ...init }
  )
  return { store, time }
}

describe('one-time store', () => {
  it('gives an entry out once', () => {
    const { store } = makeStore()
    expect(store.put('a', 'value', 'ada')).toBe(1_100)
    expect(store.peek('a')).toBe('value')
    expect(store.redeem('a')).toBe('value')
    expect(store.redeem('a')).toBeUndefined()
  })

  it('forgets an entry when its time has passed', () => {
    const { store, time } = makeStore()
    store.put('a', 'value', 'ada')
    time.now = 1_100
    expect(store.peek('a')).toBeUndefined()
    expect(store.redeem('a')).toBeUndefined()
    store.put('b', 'value', 'ada')
    expect(store.size).toBe(1)
  })

  it('lets a flood of one owner push out only its own entries', () => {
    const { store } = makeStore()
    store.put('bob', 'value', 'bob')
    for (let i = 0; i < 50; i++) store.put(`mallory${i}`, 'value', 'mallory')
    expect(store.peek('bob')).toBe('value')
    expect(store.size).toBe(4)
  })

  it('holds no more than its bound, whoever fills it', () => {
    const { store } = makeStore()
    for (let i = 0; i < 50; i++) store.put(`key${i}`, 'value', `owner${i}`)
    expect(store.size).toBe(5)
    expect(store.peek('key49')).toBe('value')
  })
})
