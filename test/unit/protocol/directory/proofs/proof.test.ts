import { beforeAll, describe, expect, it } from 'vitest'
import { accountDigest } from '../../../../../protocol/directory/digest.ts'
import {
  assembleProof,
  checkProof,
  compareProofs,
  decodeProof,
  encodeProof,
  type AccountProof,
  type CheckedProof,
  type ProofTransaction
} from '../../../../../protocol/directory/proofs/proof.ts'
import { buildRotate } from '../../../../../protocol/identity/build-record.ts'
import type { DirectoryRecord } from '../../../../../protocol/identity/record.ts'
import { bytesOf, crypto, genesis, network } from '../../../../support/directory/cast.ts'
import { blockHashOf, proofOf, publish } from '../../../../support/directory/published.ts'
import { createRecord, TestAccount, TestChain, timeOf } from '../../../../support/directory/test-chain.ts'

let ada: TestAccount
let bob: TestAccount
let create: DirectoryRecord
let add: DirectoryRecord
let revoke: DirectoryRecord
let pending: DirectoryRecord
let bobs: DirectoryRecord
let transactions: ProofTransaction[]
let honest: AccountProof

beforeAll(async () => {
  const chain = new TestChain()
  create = await createRecord('ada')
  bobs = await createRecord('bob')
  ada = await TestAccount.create(chain, 'ada')
  bob = await TestAccount.create(chain, 'bob')
  add = await ada.addRecord('ada1', 'ada2')
  await chain.accept(add)
  revoke = await ada.revokeRecord('ada1', 'ada2')
  await chain.accept(revoke)
  pending = await buildRotate(network, await ada.as('ada1'), bytesOf('fresh'))
  transactions = [publish([bobs, create], 10, 2, [1]), publish([add], 20), publish([revoke], 20, 4)]
  honest = proofOf(ada.accountId, transactions, 100, [pending])
})

const check = (proof: AccountProof, account = ada): Promise<CheckedProof> =>
  checkProof(crypto, network, genesis.metadataLabel, account.accountId, proof)

const without = (index: number): ProofTransaction[] => transactions.filter((_, i) => i !== index)
const changed = (index: number, change: Partial<ProofTransaction>): ProofTransaction[] =>
  transactions.map((transaction, i) => (i === index ? { ...transaction, ...change } : transaction))

describe('a proof of an account', () => {
  it('shows its devices, the place of every record, and what is pending', async () => {
    const checked = await check(honest)
    expect(await ada.live('ada1', 'ada2')).toEqual(['ada1'])
    expect(checked.account.devices.map(({ revocation }) => revocation?.order)).toEqual([
      undefined,
      { blockHeight: 20, txIndex: 4, recordIndex: 0 }
    ])
    expect(checked.places.map(({ order }) => order?.blockHeight)).toEqual([10, 20, 20, undefined])
    expect(checked.pendingCount).toBe(1)
    expect(checked.confirmations).toBe(81)
    expect(checked.account.devices[0]!.messagingKeyHash).toEqual(bytesOf('fresh'))
  })

  it('survives its encoding', async () => {
    const decoded = decodeProof(encodeProof(honest))
    expect(decoded).toEqual(honest)
    expect(accountDigest(crypto, network, (await check(decoded)).account)).toEqual(
      accountDigest(crypto, network, (await check(honest)).account)
    )
  })

  it('may hold nothing but a first record that is pending', async () => {
    const checked = await check(proofOf(ada.accountId, [], 5, [create]))
    expect(checked).toMatchObject({ pendingCount: 1, confirmations: 0 })
  })

  it('is put together from the account and the stored transactions', async () => {
    const fold = (await check(honest)).account
    const stored = new Map(transactions.map(kept => [`${kept.blockHeight}/${kept.txIndex}`, kept]))
    const at = ({ blockHeight, txIndex }: { blockHeight: number; txIndex: number }): ProofTransaction | undefined =>
      stored.get(`${blockHeight}/${txIndex}`)
    expect(assembleProof(fold, at, honest.pending, honest.tip)).toEqual(honest)
    expect(() => assembleProof(fold, () => undefined, [], honest.tip)).toThrow('is not kept')
  })

  it("holds one transaction once, however many of its records are the account's", async () => {
    const both = proofOf(ada.accountId, [publish([bobs, create, add], 10, 2, [1, 2])])
    const { account } = await check(both)
    expect(assembleProof(account, () => both.transactions[0], [], both.tip)).toEqual(both)
  })

  it('names pending records that the account would not accept', async () => {
    const checked = await check(proofOf(ada.accountId, transactions, 100, [add, pending]))
    expect(checked.rejectedPending.map(({ code }) => code)).toEqual(['DUPLICATE'])
    expect(checked.pendingCount).toBe(1)
  })

  it('is for the account that was asked for', async () => {
    await expect(check(honest, bob)).rejects.toMatchObject({ code: 'NOT_FOR_US' })
    await expect(check({ ...honest, accountId: bob.accountId }, bob)).rejects.toMatchObject({ code: 'INVALID' })
  })
})

describe('a lying node', () => {
  const flip = (transaction: Uint8Array): Uint8Array => {
    const copy = Uint8Array.from(transaction)
    copy[copy.length - 1]! ^= 1
    return copy
  }
  const lies: [string, () => Partial<AccountProof>][] = [
    ['withholds the first record', () => ({ transactions: without(0) })],
    ['withholds a record in the middle', () => ({ transactions: without(1) })],
    [
      'changes a byte of a record',
      () => ({ transactions: changed(1, { transaction: flip(transactions[1]!.transaction) }) })
    ],
    ['adds a record of another account', () => ({ transactions: changed(0, { recordIndexes: [0, 1] }) })],
    ['shows a record that is not there', () => ({ transactions: changed(1, { recordIndexes: [0, 1] }) })],
    ['shows a record twice', () => ({ transactions: changed(1, { recordIndexes: [0, 0] }) })],
    [
      'shows a transaction in two places',
      () => ({ transactions: [...transactions, { ...transactions[2]!, txIndex: 5 }] })
    ],
    ['exchanges two transactions', () => ({ transactions: [transactions[0]!, transactions[2]!, transactions[1]!] })],
    ['puts a record above the tip', () => ({ tip: { height: 15, hash: blockHashOf(15), time: timeOf(15) } })],
    ['gives the tip another hash', () => ({ tip: { height: 20, hash: bytesOf('fork'), time: timeOf(20) } })],
    ['gives one block two hashes', () => ({ transactions: changed(2, { blockHash: bytesOf('fork') }) })],
    ['gives two blocks one hash', () => ({ transactions: changed(0, { blockHash: blockHashOf(20) }) })],
    ['gives one block two times', () => ({ transactions: changed(2, { blockTime: timeOf(21) }) })],
    ['lets time go back', () => ({ transactions: changed(0, { blockTime: timeOf(30) }) })],
    [
      'invents a transaction without records',
      () => ({
        transactions: [...transactions, { ...publish([], 30), recordIndexes: [0] }]
      })
    ],
    ['splices in the transaction of another account', () => ({ transactions: [publish([bobs], 10), ...without(0)] })],
    ['shows a record that the account refused', () => ({ transactions: [...transactions, publish([add], 30)] })]
  ]
  it.each(lies)('is caught when it %s', async (_, lie) => {
    await expect(check({ ...honest, ...lie() })).rejects.toMatchObject({ code: 'INVALID' })
  })

  it('is caught by a bit flipped anywhere in the transactions, or changes nothing', async () => {
    const expected = accountDigest(crypto, network, (await check(proofOf(ada.accountId, transactions))).account)
    const original = transactions[1]!.transaction
    let refused = 0
    for (let bit = 0; bit < original.length * 8; bit++) {
      const transaction = Uint8Array.from(original)
      transaction[bit >> 3]! ^= 1 << (bit & 7)
      const proof = proofOf(ada.accountId, changed(1, { transaction }))
      try {
        // Fields that no record depends on may change: the transaction then has another id.
        expect(accountDigest(crypto, network, (await check(proof)).account)).toEqual(expected)
      } catch (error) {
        expect(error).toHaveProperty('code')
        refused++
      }
    }
    expect(refused).toBeGreaterThan(original.length * 4)
  })
})

describe('two sources', () => {
  it('agree on the same records in the same places', async () => {
    const [left, right] = [await check(honest), await check({ ...honest, pending: [] })]
    expect(compareProofs(left, right)).toBe('same')
  })

  it('show which of them is behind', async () => {
    const [all, fewer] = [await check(honest), await check(proofOf(ada.accountId, transactions.slice(0, 2)))]
    expect(compareProofs(fewer, all)).toBe('behind')
    expect(compareProofs(all, fewer)).toBe('ahead')
  })

  it('contradict each other about an invented transaction, another block or another record', async () => {
    const all = await check(honest)
    const elsewhere = publish([revoke], 20, 5)
    const moved = await check(proofOf(ada.accountId, [...without(2), elsewhere]))
    const forked = changed(1, { blockHash: bytesOf('fork') }).map(t =>
      t.blockHeight === 20 ? { ...t, blockHash: bytesOf('fork') } : t
    )
    expect(compareProofs(all, moved)).toBe('contradiction')
    expect(compareProofs(all, await check(proofOf(ada.accountId, forked)))).toBe('contradiction')
  })
})

describe('the time of a block', () => {
  it('is agreed on too: it decides which REVOKE can still be answered', async () => {
    const later = honest.transactions.map(item => ({ ...item, blockTime: item.blockTime + 1 }))
    const [left, right] = [await check(honest), await check({ ...honest, transactions: later })]
    expect(compareProofs(left, right)).toBe('contradiction')
  })
})

describe('the bytes of a proof', () => {
  it('are refused in another version, cut short, or too long', () => {
    const bytes = encodeProof(honest)
    const versioned = Uint8Array.from(bytes)
    versioned[1] = 2
    expect(() => decodeProof(versioned)).toThrow('version')
    expect(() => decodeProof(bytes.slice(0, -1))).toThrow('ends early')
    expect(() => decodeProof(new Uint8Array(17 * 1024 * 1024))).toThrow('at most')
  })
})
