import { describe, expect, it } from 'vitest'
import { CONTEST_COUNT, LinkContests } from '../../../../node/network/link-contests.ts'

describe('a link that is taken over while it works', () => {
  it('again and again within a minute is two processes with one key, and is forgotten a minute later', () => {
    const time = { now: 1_000 }
    const contests = new LinkContests(() => time.now)
    for (let i = 1; i < CONTEST_COUNT; i++) contests.note('ada')
    expect(contests.isContested('ada')).toBe(false)
    contests.note('ada')
    expect(contests.isContested('ada')).toBe(true)
    expect(contests.isContested('bob')).toBe(false)
    time.now += 60_000
    expect(contests.isContested('ada')).toBe(false)
  })

  it('now and then is a bad network', () => {
    const time = { now: 1_000 }
    const contests = new LinkContests(() => time.now)
    for (let i = 0; i < 10 * CONTEST_COUNT; i++) {
      contests.note('ada')
      time.now += 15_000
    }
    expect(contests.isContested('ada')).toBe(false)
  })
})
