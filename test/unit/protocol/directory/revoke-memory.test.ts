import { describe, expect, it } from 'vitest'
import {
  decodeRevokeMemory,
  encodeRevokeMemory,
  rememberRevokes,
  withRevokeMemory
} from '../../../../protocol/directory/revoke-memory.ts'
import { liveNames, TestAccount, TestChain } from '../../../support/directory/test-chain.ts'

const NAMES = ['ada1', 'ada2', 'ada3']

describe('a client that saw a REVOKE', () => {
  it('holds the device as revoked after a rollback took the record away', async () => {
    const chain = new TestChain()
    const ada = await TestAccount.create(chain, 'ada', undefined, 3)
    const before = ada.state
    await ada.revoke('ada1', 'ada2')
    const memory = rememberRevokes(undefined, ada.state)
    expect(await liveNames(before, NAMES)).toEqual(NAMES)
    expect(await liveNames(withRevokeMemory(before, memory), NAMES)).toEqual(['ada1', 'ada3'])
    const { state } = ada
    expect(withRevokeMemory(state, memory)).toBe(state)
  })

  it('lifts it once the older device has revoked its revoker, on either branch', async () => {
    const chain = new TestChain()
    const ada = await TestAccount.create(chain, 'ada', undefined, 3)
    const revoke = await ada.revokeRecord('ada3', 'ada1')
    const answer = await ada.revokeRecord('ada1', 'ada3')
    const branch = new TestChain()
    const same = await TestAccount.create(branch, 'ada', undefined, 3)
    await chain.accept(revoke)
    const memory = rememberRevokes(undefined, ada.state)
    await branch.accept(answer)
    expect(await liveNames(withRevokeMemory(same.state, memory), NAMES)).toEqual(['ada1', 'ada2'])
    await chain.accept(answer)
    expect(await liveNames(withRevokeMemory(ada.state, memory), NAMES)).toEqual(['ada1', 'ada2'])
  })

  it('does not lift it because a younger thief revoked the revoker first on another branch', async () => {
    const chain = new TestChain()
    const ada = await TestAccount.create(chain, 'ada', undefined, 3)
    const revoke = await ada.revokeRecord('ada1', 'ada3')
    const answer = await ada.revokeRecord('ada3', 'ada1')
    const branch = new TestChain()
    const same = await TestAccount.create(branch, 'ada', undefined, 3)
    await chain.accept(revoke)
    const memory = rememberRevokes(undefined, ada.state)
    await branch.accept(answer)
    expect(await liveNames(withRevokeMemory(same.state, memory), NAMES)).toEqual(['ada2'])
    await branch.accept(revoke)
    expect(await liveNames(withRevokeMemory(same.state, memory), NAMES)).toEqual(['ada1', 'ada2'])
  })

  it('keeps it across a restart, and adds nothing twice', async () => {
    const chain = new TestChain()
    const ada = await TestAccount.create(chain, 'ada', undefined, 3)
    const before = ada.state
    await ada.revoke('ada1', 'ada2')
    const memory = rememberRevokes(undefined, ada.state)
    const restored = decodeRevokeMemory(encodeRevokeMemory(memory))
    expect(restored).toEqual(memory)
    expect(rememberRevokes(restored, ada.state)).toBe(restored)
    expect(await liveNames(withRevokeMemory(before, restored), NAMES)).toEqual(['ada1', 'ada3'])
  })
})
