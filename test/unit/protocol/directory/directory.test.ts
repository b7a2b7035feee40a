import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_RECENT_REJECTED } from '../../../../protocol/directory/directory.ts'
import { accountDigest, directoryDigest } from '../../../../protocol/directory/digest.ts'
import { foldAccount } from '../../../../protocol/directory/fold-account.ts'
import { LayeredMap } from '../../../../protocol/directory/tables/layered-map.ts'
import { parseRecord } from '../../../../protocol/directory/parsed-record.ts'
import { encodeRecord } from '../../../../protocol/identity/record.ts'
import { crypto, network } from '../../../support/directory/cast.ts'
import { createRecord, ordered, TestAccount, TestChain } from '../../../support/directory/test-chain.ts'

describe('junk', () => {
  it('is counted by reason, remembered up to a bound, and changes nothing', async () => {
    const chain = new TestChain()
    await TestAccount.create(chain, 'ada')
    const before = directoryDigest(crypto, network, chain.directory)
    for (let i = 0; i < MAX_RECENT_REJECTED + 5; i++) await chain.refuse(Uint8Array.of(0xff, i & 0xff, i >> 8))
    expect(chain.directory.recentRejected()).toHaveLength(MAX_RECENT_REJECTED)
    expect(chain.directory.rejectedCounts().get('MALFORMED')).toBe(MAX_RECENT_REJECTED + 5)
    expect(directoryDigest(crypto, network, chain.directory)).toEqual(before)
  })
})

describe('a fork of the directory', () => {
  it('goes on by itself and leaves the directory as it was', async () => {
    const chain = new TestChain()
    const ada = await TestAccount.create(chain, 'ada')
    const before = directoryDigest(crypto, network, chain.directory)
    const fork = chain.directory.fork()
    const order = { blockHeight: 1, txIndex: 0, recordIndex: 0 }
    await fork.apply(ordered(await ada.addRecord('ada1', 'ada2'), order))
    await fork.apply(ordered(await createRecord('bob'), { ...order, txIndex: 1 }))
    expect(fork.accountCount).toBe(2)
    expect(fork.account(ada.accountId)!.devices).toHaveLength(2)
    expect(chain.directory.accountCount).toBe(1)
    expect(directoryDigest(crypto, network, chain.directory)).toEqual(before)
    expect(chain.directory.rejectedCounts().size).toBe(0)
  })

  it('gives the same state as going on directly', async () => {
    const [forked, direct] = [new TestChain(), new TestChain()]
    await TestAccount.create(forked, 'ada')
    const ada = await TestAccount.create(direct, 'ada')
    const entry = ordered(await ada.addRecord('ada1', 'ada2'), { blockHeight: 1, txIndex: 0, recordIndex: 0 })
    const fork = forked.directory.fork()
    await fork.apply(entry)
    await direct.directory.apply(entry)
    expect(directoryDigest(crypto, network, fork)).toEqual(directoryDigest(crypto, network, direct.directory))
  })

  it('refuses to be read once the directory below has moved', async () => {
    const chain = new TestChain()
    const ada = await TestAccount.create(chain, 'ada')
    const fork = chain.directory.fork()
    await ada.add('ada1', 'ada2')
    expect(() => fork.account(ada.accountId)).toThrow('fork again')
  })
})

describe('a record that is folded again', () => {
  it('has its signatures verified once', async () => {
    let count = 0
    const counting = {
      ...crypto,
      verify: (...args: Parameters<typeof crypto.verify>) => (count++, crypto.verify(...args))
    }
    const { Directory } = await import('../../../../protocol/directory/directory.ts')
    const base = Directory.create(counting, network, { releaseKey: null, admittedOperators: [] })
    const result = parseRecord(counting, network, encodeRecord(await createRecord('ada')))
    if (result.kind === 'rejected') throw new Error(result.code)
    const entry = { parsed: result.parsed, order: { blockHeight: 1, txIndex: 0, recordIndex: 0 }, blockTime: 0 }
    for (let i = 0; i < 3; i++) expect((await base.fork().applyParsed(entry)).kind).toBe('accepted')
    expect(count).toBe(1)
  })
})

describe('the fold of one account', () => {
  it('reaches the state that the whole directory has for it', async () => {
    const chain = new TestChain()
    const [ada, bob] = [await TestAccount.create(chain, 'ada', undefined, 2), await TestAccount.create(chain, 'bob')]
    await bob.add('bob1', 'bob2')
    await ada.revoke('ada2', 'ada1')
    chain.mine()
    await ada.revoke('ada1', 'ada2')
    const fold = await foldAccount(crypto, network, ada.accountId, chain.entries)
    expect(accountDigest(crypto, network, fold!.account)).toEqual(accountDigest(crypto, network, ada.state))
    expect(fold!.rejected.map(({ code }) => code)).toEqual(['OTHER_ACCOUNT', 'UNKNOWN_PREV'])
  })

  it('is nothing without the first record', async () => {
    const chain = new TestChain()
    const ada = await TestAccount.create(chain, 'ada', undefined, 2)
    expect(await foldAccount(crypto, network, ada.accountId, chain.entries.slice(1))).toBeUndefined()
  })

  it('takes records in chain order only, pending ones last', async () => {
    const chain = new TestChain()
    const ada = await TestAccount.create(chain, 'ada', undefined, 3)
    const [first, second, third] = chain.entries as [
      (typeof chain.entries)[0],
      (typeof chain.entries)[0],
      (typeof chain.entries)[0]
    ]
    for (const entries of [
      [second, first],
      [first, first],
      [{ ...first, order: null }, second]
    ]) {
      await expect(foldAccount(crypto, network, ada.accountId, entries)).rejects.toThrow('chain order')
    }
    const pending = [first, second, { ...third, order: null }]
    const fold = await foldAccount(crypto, network, ada.accountId, pending)
    expect(fold!.account.devices.map(({ added }) => added.order?.txIndex)).toEqual([0, 1, undefined])
  })
})

describe('a layered map', () => {
  it('reads like the map it stands for, however often it was forked', () => {
    const change = fc.oneof(
      fc.tuple(fc.constant('set' as const), fc.integer({ min: 0, max: 9 }), fc.nat(99)),
      fc.tuple(fc.constant('delete' as const), fc.integer({ min: 0, max: 9 }), fc.constant(0)),
      fc.tuple(fc.constant('fork' as const), fc.constant(0), fc.constant(0))
    )
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), changes => {
        let map = new LayeredMap<number>()
        const model = new Map<string, number>()
        for (const [kind, key, value] of changes) {
          if (kind === 'fork') map = map.fork()
          else if (kind === 'set') {
            map.set(`${key}`, value)
            model.set(`${key}`, value)
          } else {
            map.delete(`${key}`)
            model.delete(`${key}`)
          }
          expect(map.size).toBe(model.size)
        }
        const sorted = (entries: Iterable<[string, number]>): [string, number][] => [...entries].sort()
        expect(sorted(map.entries())).toEqual(sorted(model))
        for (let key = 0; key < 10; key++) expect(map.get(`${key}`)).toBe(model.get(`${key}`))
      })
    )
  })
})
