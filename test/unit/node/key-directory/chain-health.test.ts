import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { ChainErrorCode } from '../../../../chain/errors.ts'
import type { FollowerHealth } from '../../../../chain/follow/held.ts'
import { chainReasons, chainWarnings } from '../../../../node/key-directory/chain-health.ts'

const FINE: FollowerHealth = {
  reachable: true,
  caughtUp: true,
  tip: undefined,
  tipAgeMs: 1_000,
  reason: undefined,
  code: undefined,
  held: [],
  numbering: undefined
}

const failed = (code: ChainErrorCode | undefined, caughtUp = true): FollowerHealth => ({
  ...FINE,
  caughtUp,
  code,
  reason: 'this is why'
})

const held = (isDisputed: boolean) => ({ id: 'ab'.repeat(32) as never, why: 'it is odd', isDisputed })

describe('what /readyz says of the chain', () => {
  it.each<[string | undefined, FollowerHealth]>([
    [undefined, FINE],
    ['catching-up', { ...FINE, caughtUp: false }],
    ['chain-unreachable', { ...FINE, reachable: false }],
    ['chain-contradiction', failed('CONTRADICTION')],
    ['chain-contradiction', failed('CONTRADICTION', false)],
    ['chain-incomplete', failed('INCOMPLETE')],
    ['chain-refused', failed('WRONG_CHAIN')],
    // A node that had caught up was silent about these.
    ['chain-refused', failed('BAD_ANSWER')],
    ['chain-refused', failed('FORBIDDEN')],
    ['chain-refused', failed(undefined)],
    ['chain-refused', failed('TORN_READ', false)],
    [undefined, failed('TORN_READ')]
  ])('is %s', (code, health) => {
    const [reason] = chainReasons(health)
    expect(reason?.code).toBe(code)
    if (health.reason && code) expect(reason!.message).toContain('this is why')
  })

  it('names the way out of a contradiction', () => {
    expect(chainReasons(failed('CONTRADICTION'))[0]!.message).toContain('volo-node chain rebuild')
  })

  it('warns of what is held, by name, and of numbers that differ', () => {
    const warnings = chainWarnings({
      ...FINE,
      held: [held(true), held(false), held(false)],
      numbering: 'it counts from 1',
      tipAgeMs: 3_600_000
    })
    expect(warnings.map(({ code }) => code)).toEqual([
      'chain-disputed',
      'chain-unreadable',
      'chain-numbering',
      'chain-stale'
    ])
    expect(warnings[0]!.message).toContain('ab'.repeat(32))
    expect(warnings[1]!.message).toContain('1 more')
  })

  it('says only what docs/operating.md explains', () => {
    const docs = readFileSync(new URL('../../../../docs/operating.md', import.meta.url), 'utf8')
    for (const code of [
      'chain-contradiction',
      'chain-incomplete',
      'chain-disputed',
      'chain-unreadable',
      'chain-numbering'
    ]) {
      expect(docs).toContain(`\`${code}\``)
    }
  })
})
