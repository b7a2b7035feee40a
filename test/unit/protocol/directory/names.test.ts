import { describe, expect, it } from 'vitest'
import { buildNameCommit, buildNameRelease, buildNameReveal } from '../../../../protocol/identity/build-record.ts'
import { nameCommitment } from '../../../../protocol/identity/name-commitment.ts'
import {
  MAX_NAMES_PER_ACCOUNT,
  MAX_OPEN_COMMITMENTS,
  NAME_REVEAL_MAX_BLOCKS,
  NAME_REVEAL_MIN_BLOCKS
} from '../../../../protocol/limits.ts'
import type { DirectoryRecord } from '../../../../protocol/identity/record.ts'
import { bytesOf, crypto, network } from '../../../support/directory/cast.ts'
import { ordered, TestAccount, TestChain } from '../../../support/directory/test-chain.ts'

const tagOf = (name: string): Uint8Array => bytesOf(`tag ${name}`)
const saltOf = (account: TestAccount, name: string): Uint8Array => bytesOf(`salt ${account.accountId.join()} ${name}`)

async function commitRecord(account: TestAccount, by: string, name: string): Promise<DirectoryRecord> {
  const commitment = nameCommitment(crypto, network, tagOf(name), account.accountId, saltOf(account, name))
  return buildNameCommit(network, await account.as(by), commitment)
}

async function revealRecord(account: TestAccount, by: string, name: string): Promise<DirectoryRecord> {
  return buildNameReveal(network, await account.as(by), tagOf(name), saltOf(account, name))
}

async function releaseRecord(account: TestAccount, by: string, name: string): Promise<DirectoryRecord> {
  return buildNameRelease(network, await account.as(by), tagOf(name))
}

async function pair(): Promise<{ chain: TestChain; ada: TestAccount; bob: TestAccount }> {
  const chain = new TestChain()
  return { chain, ada: await TestAccount.create(chain, 'ada'), bob: await TestAccount.create(chain, 'bob') }
}

async function claim(account: TestAccount, by: string, name: string): Promise<void> {
  await account.chain.accept(await commitRecord(account, by, name))
  account.chain.mine(NAME_REVEAL_MIN_BLOCKS)
  await account.chain.accept(await revealRecord(account, by, name))
}

describe('claiming a name', () => {
  it('takes a commitment and its reveal', async () => {
    const { chain, ada, bob } = await pair()
    await claim(ada, 'ada1', 'ada')
    expect(chain.directory.name(tagOf('ada'))!.accountId).toEqual(ada.accountId)
    expect(chain.directory.holdsName(ada.accountId, tagOf('ada'))).toBe(true)
    expect(chain.directory.holdsName(bob.accountId, tagOf('ada'))).toBe(false)
    expect(ada.state.commitments).toEqual([])
  })

  it('opens between 3 and 112 blocks after the commitment', async () => {
    for (const [blocks, expected] of [
      [NAME_REVEAL_MIN_BLOCKS - 1, 'REVEAL_TOO_EARLY'],
      [NAME_REVEAL_MIN_BLOCKS, 'accepted'],
      [NAME_REVEAL_MAX_BLOCKS, 'accepted'],
      [NAME_REVEAL_MAX_BLOCKS + 1, 'REVEAL_TOO_LATE']
    ] as const) {
      const { chain, ada } = await pair()
      await chain.accept(await commitRecord(ada, 'ada1', 'ada'))
      chain.mine(blocks)
      const verdict = await chain.put(await revealRecord(ada, 'ada1', 'ada'))
      expect(verdict.kind === 'rejected' ? verdict.code : 'accepted').toBe(expected)
    }
  })

  it('cannot be opened by the account that copied the commitment', async () => {
    const { chain, ada, bob } = await pair()
    const commit = (await commitRecord(ada, 'ada1', 'ada')) as { commitment: Uint8Array } & DirectoryRecord
    await chain.accept(await buildNameCommit(network, await bob.as('bob1'), commit.commitment))
    await chain.accept(commit)
    chain.mine(NAME_REVEAL_MIN_BLOCKS)
    const reveal = await buildNameReveal(network, await bob.as('bob1'), tagOf('ada'), saltOf(ada, 'ada'))
    expect(await chain.refuse(reveal)).toBe('COMMIT_UNKNOWN')
    await chain.accept(await revealRecord(ada, 'ada1', 'ada'))
    expect(chain.directory.holdsName(ada.accountId, tagOf('ada'))).toBe(true)
  })

  it('goes to the first commitment, even when the second is opened first', async () => {
    const { chain, ada, bob } = await pair()
    await chain.accept(await commitRecord(ada, 'ada1', 'name'))
    chain.mine()
    await chain.accept(await commitRecord(bob, 'bob1', 'name'))
    chain.mine(NAME_REVEAL_MIN_BLOCKS)
    await chain.accept(await revealRecord(bob, 'bob1', 'name'))
    expect(chain.directory.holdsName(bob.accountId, tagOf('name'))).toBe(true)
    const verdict = await chain.put(await revealRecord(ada, 'ada1', 'name'))
    expect(verdict).toMatchObject({ kind: 'accepted', effects: [{ kind: 'nameHeld', from: bob.accountId }] })
    expect(chain.directory.holdsName(ada.accountId, tagOf('name'))).toBe(true)
  })

  it('leaves the name where it is when an earlier commitment holds it', async () => {
    const { chain, ada, bob } = await pair()
    await claim(ada, 'ada1', 'name')
    await chain.accept(await commitRecord(bob, 'bob1', 'name'))
    chain.mine(NAME_REVEAL_MIN_BLOCKS)
    const verdict = await chain.put(await revealRecord(bob, 'bob1', 'name'))
    expect(verdict).toMatchObject({ kind: 'accepted', effects: [{ kind: 'nameTaken', holder: ada.accountId }] })
    expect(chain.directory.holdsName(ada.accountId, tagOf('name'))).toBe(true)
  })

  it('frees the name on release, and only the holder can do that', async () => {
    const { chain, ada, bob } = await pair()
    await claim(ada, 'ada1', 'name')
    expect(await chain.refuse(await releaseRecord(bob, 'bob1', 'name'))).toBe('NAME_UNCLAIMED')
    await chain.accept(await releaseRecord(ada, 'ada1', 'name'))
    expect(chain.directory.name(tagOf('name'))).toBeUndefined()
    await claim(bob, 'bob1', 'name')
    expect(chain.directory.holdsName(bob.accountId, tagOf('name'))).toBe(true)
  })

  it('is not undone by the release of an account that lost the name', async () => {
    const { chain, ada, bob } = await pair()
    await claim(ada, 'ada1', 'name')
    await claim(bob, 'bob1', 'name')
    await chain.accept(await releaseRecord(bob, 'bob1', 'name'))
    expect(chain.directory.holdsName(ada.accountId, tagOf('name'))).toBe(true)
  })

  it('keeps its first place when the holder claims the name again', async () => {
    const { chain, ada } = await pair()
    await claim(ada, 'ada1', 'name')
    const before = chain.directory.name(tagOf('name'))
    await claim(ada, 'ada1', 'name')
    expect(chain.directory.name(tagOf('name'))).toEqual(before)
  })

  it('is found by the beginning of its tag, until it is released', async () => {
    const { chain, ada, bob } = await pair()
    await claim(ada, 'ada1', 'name')
    await claim(bob, 'bob1', 'other')
    const found = (bytes: number): unknown => [...chain.directory.namesBeginningWith(tagOf('name').subarray(0, bytes))]
    for (const bytes of [2, 3, 32]) expect(found(bytes)).toEqual([chain.directory.name(tagOf('name'))])
    expect([...chain.directory.namesBeginningWith(Uint8Array.of(...tagOf('name').subarray(0, 31), 1))]).toEqual([])
    const fork = chain.directory.fork()
    await fork.apply(ordered(await releaseRecord(ada, 'ada1', 'name'), null))
    expect([...fork.namesBeginningWith(tagOf('name').subarray(0, 2))]).toEqual([])
    expect(found(2)).toHaveLength(1)
  })

  it('takes a commitment once while it is open, and again after it lapsed', async () => {
    const { chain, ada } = await pair()
    await chain.accept(await commitRecord(ada, 'ada1', 'name'))
    expect(await chain.refuse(await commitRecord(ada, 'ada1', 'name'))).toBe('COMMIT_KNOWN')
    chain.mine(NAME_REVEAL_MAX_BLOCKS + 1)
    await claim(ada, 'ada1', 'name')
    expect(chain.directory.holdsName(ada.accountId, tagOf('name'))).toBe(true)
  })

  it('has few commitments open at a time, and lapsed ones make room', async () => {
    const { chain, ada } = await pair()
    for (let i = 0; i < MAX_OPEN_COMMITMENTS; i++) await chain.accept(await commitRecord(ada, 'ada1', `name${i}`))
    expect(await chain.refuse(await commitRecord(ada, 'ada1', 'more'))).toBe('COMMIT_LIMIT')
    chain.mine(NAME_REVEAL_MAX_BLOCKS + 1)
    await chain.accept(await commitRecord(ada, 'ada1', 'more'))
    expect(ada.state.commitments).toHaveLength(1)
  })

  it('has a bound on the names of one account', async () => {
    const { chain, ada } = await pair()
    for (let i = 0; i < MAX_NAMES_PER_ACCOUNT; i++) await claim(ada, 'ada1', `name${i}`)
    await chain.accept(await commitRecord(ada, 'ada1', 'more'))
    chain.mine(NAME_REVEAL_MIN_BLOCKS)
    expect(await chain.refuse(await revealRecord(ada, 'ada1', 'more'))).toBe('NAME_LIMIT')
    await chain.accept(await releaseRecord(ada, 'ada1', 'name0'))
    await chain.accept(await revealRecord(ada, 'ada1', 'more'))
  })

  it('shows a name as reserved while commitment and reveal are pending', async () => {
    const { chain, ada, bob } = await pair()
    const fork = chain.directory.fork()
    const state = (): typeof ada.state => fork.account(ada.accountId)!
    const commit = await commitRecord(ada, 'ada1', 'name')
    await fork.apply(ordered(commit, null))
    const reveal = await buildNameReveal(
      network,
      await ada.as('ada1', state().head),
      tagOf('name'),
      saltOf(ada, 'name')
    )
    await fork.apply(ordered(reveal, null))
    expect(fork.name(tagOf('name'))).toMatchObject({ accountId: ada.accountId, commitOrder: null, heldSince: null })
    // Anything on chain comes before what is pending.
    await claim(bob, 'bob1', 'name')
    const next = chain.directory.fork()
    await next.apply(ordered(commit, null))
    await next.apply(ordered(reveal, null))
    expect(next.holdsName(bob.accountId, tagOf('name'))).toBe(true)
  })
})
