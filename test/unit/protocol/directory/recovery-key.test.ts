import { describe, expect, it } from 'vitest'
import { recoveryAt } from '../../../../protocol/directory/account.ts'
import { buildRecover, buildSetRecovery } from '../../../../protocol/identity/build-record.ts'
import type { RecordId } from '../../../../protocol/identity/device.ts'
import type { RecordOf } from '../../../../protocol/identity/record.ts'
import { RECOVERY_DELAY_MS } from '../../../../protocol/limits.ts'
import { BLOCK_MS, castDevice, castKey, CHAIN_START, network } from '../../../support/directory/cast.ts'
import { TestAccount, TestChain, timeOf } from '../../../support/directory/test-chain.ts'

const DELAY_BLOCKS = Math.ceil(RECOVERY_DELAY_MS / BLOCK_MS)

async function setRecord(account: TestAccount, by: string, code: string | null): Promise<RecordOf<'setRecovery'>> {
  return buildSetRecovery(network, await account.as(by), code === null ? null : (await castKey(code)).publicKey)
}

async function recoverRecord(
  account: TestAccount,
  code: string,
  added: string,
  prev: RecordId = account.state.head
): Promise<RecordOf<'recover'>> {
  const { key, keys } = await castDevice(added)
  const { messagingKeyHash } = keys
  return buildRecover(network, await castKey(code), key, {
    prev,
    messagingKeyHash,
    recoveryKey: null,
    time: CHAIN_START
  })
}

async function anAccount(devices = 1): Promise<{ chain: TestChain; account: TestAccount }> {
  const chain = new TestChain()
  return { chain, account: await TestAccount.create(chain, 'ada', undefined, devices) }
}

describe('a recovery key that is set later', () => {
  it('counts at once when the oldest device sets the first one', async () => {
    const { chain, account } = await anAccount(2)
    await chain.accept(await setRecord(account, 'ada1', 'code'))
    await chain.accept(await recoverRecord(account, 'code', 'ada9'))
    expect(await account.live('ada1', 'ada2', 'ada9')).toEqual(['ada9'])
  })

  it('waits seven days when a younger device sets it', async () => {
    const { chain, account } = await anAccount(2)
    await chain.accept(await setRecord(account, 'ada2', 'code'))
    chain.mine(DELAY_BLOCKS - 1)
    expect(await chain.refuse(await recoverRecord(account, 'code', 'ada9'))).toBe('NO_RECOVERY_KEY')
    chain.mine()
    await chain.accept(await recoverRecord(account, 'code', 'ada9'))
    expect(await account.live('ada1', 'ada2', 'ada9')).toEqual(['ada9'])
  })

  it('can be refused by an older device, and not by a younger one', async () => {
    const { chain, account } = await anAccount(3)
    await chain.accept(await setRecord(account, 'ada2', 'code'))
    expect(await chain.refuse(await setRecord(account, 'ada3', null))).toBe('RECOVERY_WAITING')
    expect(await chain.refuse(await setRecord(account, 'ada3', 'other'))).toBe('RECOVERY_WAITING')
    await chain.accept(await setRecord(account, 'ada1', null))
    chain.mine(DELAY_BLOCKS)
    expect(await chain.refuse(await recoverRecord(account, 'code', 'ada9'))).toBe('NO_RECOVERY_KEY')
  })

  it('dies with the device that set it, unless it counts already', async () => {
    const { chain, account } = await anAccount(2)
    await chain.accept(await setRecord(account, 'ada2', 'thief'))
    await account.revoke('ada1', 'ada2')
    chain.mine(DELAY_BLOCKS)
    expect(await chain.refuse(await recoverRecord(account, 'thief', 'ada9'))).toBe('NO_RECOVERY_KEY')

    const later = await anAccount(2)
    await later.chain.accept(await setRecord(later.account, 'ada2', 'code'))
    later.chain.mine(DELAY_BLOCKS)
    await later.account.revoke('ada1', 'ada2')
    await later.chain.accept(await recoverRecord(later.account, 'code', 'ada9'))
  })

  it('replaces another one only after seven days: a thief of the oldest device cannot make a printed code worthless', async () => {
    const { chain, account } = await anAccount()
    await chain.accept(await setRecord(account, 'ada1', 'paper'))
    await chain.accept(await setRecord(account, 'ada1', 'thief'))
    expect(await chain.refuse(await recoverRecord(account, 'thief', 'ada9'))).toBe('BAD_SIGNATURE')
    await chain.accept(await recoverRecord(account, 'paper', 'ada9'))
    chain.mine(DELAY_BLOCKS)
    expect(await chain.refuse(await recoverRecord(account, 'thief', 'ada8'))).toBe('NO_RECOVERY_KEY')
  })

  it('makes the code before it worthless once it counts', async () => {
    const { chain, account } = await anAccount()
    await chain.accept(await setRecord(account, 'ada1', 'old'))
    await chain.accept(await setRecord(account, 'ada1', 'new'))
    chain.mine(DELAY_BLOCKS)
    expect(recoveryAt(account.state, timeOf(chain.height)).recoveryKey).toEqual((await castKey('new')).publicKey)
    expect(await chain.refuse(await recoverRecord(account, 'old', 'ada9'))).toBe('BAD_SIGNATURE')
    await chain.accept(await recoverRecord(account, 'new', 'ada9'))
  })

  it('is used once', async () => {
    const { chain, account } = await anAccount()
    await chain.accept(await setRecord(account, 'ada1', 'code'))
    await chain.accept(await recoverRecord(account, 'code', 'ada8'))
    expect(await chain.refuse(await recoverRecord(account, 'code', 'ada9'))).toBe('NO_RECOVERY_KEY')
    await chain.accept(await setRecord(account, 'ada8', 'next'))
    expect(await chain.refuse(await recoverRecord(account, 'code', 'ada9'))).toBe('BAD_SIGNATURE')
  })

  it('is not set by a revoked device, is not the same again, and is not taken away once it counts', async () => {
    const { chain, account } = await anAccount(2)
    await account.revoke('ada1', 'ada2')
    expect(await chain.refuse(await setRecord(account, 'ada2', 'code'))).toBe('SIGNER_REVOKED')
    expect(await chain.refuse(await setRecord(account, 'ada1', null))).toBe('NO_RECOVERY_KEY')
    await chain.accept(await setRecord(account, 'ada1', 'code'))
    expect(await chain.refuse(await setRecord(account, 'ada1', 'code'))).toBe('RECOVERY_KEY_REUSED')
    expect(await chain.refuse(await setRecord(account, 'ada1', null))).toBe('NO_RECOVERY_KEY')
  })
})
