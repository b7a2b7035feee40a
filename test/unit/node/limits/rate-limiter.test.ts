import { describe, expect, it } from 'vitest'
import { RateLimiter } from '../../../../node/limits/rate-limiter.ts'

describe('rate limiter', () => {
  it('allows a number of uses in a window, to each key on its own', () => {
    const time = { now: 0 }
    const limiter = new RateLimiter({ clock: () => time.now }, { limit: 2, windowMs: 1_000 })
    expect([limiter.spend('a'), limiter.spend('a'), limiter.spend('a')]).toEqual([true, true, false])
    expect(limiter.spend('b')).toBe(true)
    time.now = 1_000
    expect(limiter.spend('a')).toBe(true)
  })

  it('takes back a use that came to nothing, and no more than was used', () => {
    const limiter = new RateLimiter({ clock: () => 0 }, { limit: 1, windowMs: 1_000 })
    limiter.giveBack('a')
    expect([limiter.spend('a'), limiter.spend('a')]).toEqual([true, false])
    limiter.giveBack('a')
    limiter.giveBack('a')
    expect([limiter.spend('a'), limiter.spend('a')]).toEqual([true, false])
  })
})
