import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
import { argon2id } from '../../../../protocol/crypto/argon2id.ts'
import { nameCommitment } from '../../../../protocol/identity/name-commitment.ts'
import {
  DEFAULT_NAME_TAG_COST,
  isUsername,
  nameTagOf,
  parseUsername,
  skeletonOf,
  type Username
} from '../../../../protocol/identity/username.ts'
import { labelled } from '../../../../protocol/labels.ts'
import { MAX_NAME_TAG_MEMORY_KIB, MAX_NAME_TAG_PASSES } from '../../../../protocol/limits.ts'
import type { AccountId } from '../../../../protocol/identity/device.ts'
import { bytesOf, crypto, genesis, network, otherNetwork } from '../../../support/directory/cast.ts'

const skeleton = (name: string): string => skeletonOf(parseUsername(name))

describe('a username', () => {
  it('has 3 to 24 small letters, digits or underscores, and is more than underscores', () => {
    for (const name of ['ada', 'a_1', '007', 'x'.repeat(24), '__a']) expect(isUsername(name), name).toBe(true)
    for (const name of ['', 'ad', 'x'.repeat(25), '___', 'Ada', 'äda', 'ada ', 'a-da', 'ada\n', 'аda']) {
      expect(isUsername(name), name).toBe(false)
    }
  })

  it('is forgiven its capitals and an @ in front', () => {
    expect(parseUsername('@Ada_L')).toBe('ada_l')
    expect(() => parseUsername('@@ada')).toThrow('3 to 24')
  })
})

describe('the skeleton of a username', () => {
  it('is the same for names that look alike', () => {
    for (const [a, b] of [
      ['ada_l', 'adal'],
      ['bob0', 'bobo'],
      ['w1ll', 'will'],
      ['five5', 'fives'],
      ['modern', 'rnodem'],
      ['wvvw', 'vvww'],
      ['co_r_n', 'com']
    ] as const) {
      expect(skeleton(a), `${a} ${b}`).toBe(skeleton(b))
    }
  })

  it('differs for names that do not', () => {
    const names = ['ada', 'bob', 'carol', 'dave', 'eve', 'mallory', 'trent', 'peggy', 'victor', 'walter']
    expect(new Set(names.map(skeleton)).size).toBe(names.length)
  })

  it('is never empty, and of digits and letters that are no look-alikes', () => {
    const username = fc.stringMatching(/^[a-z0-9_]{3,24}$/).filter(isUsername)
    fc.assert(
      fc.property(username, name => {
        expect(skeletonOf(name)).toMatch(/^[a-hj-z2-46-9]+$/)
      })
    )
  })
})

describe('a name tag', () => {
  const ada = 'ada' as Username

  it('is Argon2id of the labelled skeleton under salt and cost of the network', async () => {
    const tag = await nameTagOf(crypto, network, genesis, parseUsername('a_d_a'))
    const parameters = { memoryKib: genesis.nameTagCost.memoryKib, iterations: 1, parallelism: 1 }
    expect(tag).toEqual(await argon2id(labelled('name-tag', network, 'ada'), genesis.nameSalt, parameters, 32))
  })

  it('is another in another network, under another salt and at another cost', async () => {
    const tags = await Promise.all([
      nameTagOf(crypto, network, genesis, ada),
      nameTagOf(crypto, otherNetwork, genesis, ada),
      nameTagOf(crypto, network, { ...genesis, nameSalt: bytesOf('other').slice(0, 16) }, ada),
      nameTagOf(crypto, network, { ...genesis, nameTagCost: { memoryKib: 64, passes: 2 } }, ada)
    ])
    expect(new Set(tags.map(toHex)).size).toBe(4)
  })

  it('takes a fraction of a second at the default cost', async () => {
    const start = process.cpuUsage()
    expect(await nameTagOf(crypto, network, { ...genesis, nameTagCost: DEFAULT_NAME_TAG_COST }, ada)).toHaveLength(32)
    const { user, system } = process.cpuUsage(start)
    expect((user + system) / 1000).toBeLessThan(5_000)
  })
})

describe('a name commitment', () => {
  it('names the account and hides the name under a salt', () => {
    const [account, other] = [bytesOf('account') as AccountId, bytesOf('other') as AccountId]
    const commitments = [
      nameCommitment(crypto, network, bytesOf('tag'), account, bytesOf('salt')),
      nameCommitment(crypto, network, bytesOf('tag'), other, bytesOf('salt')),
      nameCommitment(crypto, network, bytesOf('tag'), account, bytesOf('salt 2')),
      nameCommitment(crypto, network, bytesOf('tag 2'), account, bytesOf('salt')),
      nameCommitment(crypto, otherNetwork, bytesOf('tag'), account, bytesOf('salt'))
    ]
    expect(new Set(commitments.map(toHex)).size).toBe(5)
  })
})

describe('the cost of a name tag', () => {
  it.each([
    { memoryKib: MAX_NAME_TAG_MEMORY_KIB + 1, passes: 1 },
    { memoryKib: 8, passes: MAX_NAME_TAG_PASSES + 1 }
  ])('is refused before any work where a node asks for too much: %o', async nameTagCost => {
    const tag = nameTagOf(crypto, network, { ...genesis, nameTagCost }, parseUsername('ada'))
    await expect(tag).rejects.toEqual(expect.objectContaining({ name: 'ProtocolError', code: 'INVALID' }))
  })
})
