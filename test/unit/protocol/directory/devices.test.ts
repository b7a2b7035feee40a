import { describe, expect, it } from 'vitest'
import { COUNTER_REVOKE_MS, MAX_DEVICES_PER_ACCOUNT, MAX_RECORDS_PER_ACCOUNT } from '../../../../protocol/limits.ts'
import { buildRecover, buildRotate, signRecord } from '../../../../protocol/identity/build-record.ts'
import { historyOf, liveDevices } from '../../../../protocol/directory/account.ts'
import { BLOCK_MS, bytesOf, castDevice, castKey, CHAIN_START, network } from '../../../support/directory/cast.ts'
import { createRecord, idOf, TestAccount, TestChain } from '../../../support/directory/test-chain.ts'
import type { RecordOf } from '../../../../protocol/identity/record.ts'

const COUNTER_BLOCKS = COUNTER_REVOKE_MS / BLOCK_MS

async function recoverRecord(
  account: TestAccount,
  recovery: string,
  added: string,
  next: string | null,
  prev: Uint8Array = account.state.head
): Promise<RecordOf<'recover'>> {
  const device = await castDevice(added)
  return buildRecover(network, await castKey(recovery), device.key, {
    prev: prev as RecordOf<'recover'>['prev'],
    messagingKeyHash: device.keys.messagingKeyHash,
    recoveryKey: next === null ? null : (await castKey(next)).publicKey,
    time: CHAIN_START
  })
}

describe('an account', () => {
  it('begins with its first device and is named by its first record', async () => {
    const chain = new TestChain()
    const record = await createRecord('ada')
    const account = await TestAccount.create(chain, 'ada')
    expect(account.accountId).toEqual(idOf(record))
    expect(account.state.head).toEqual(idOf(record))
    expect(liveDevices(account.state)).toHaveLength(1)
    expect(account.state.devices[0]!.added.order).toEqual({ blockHeight: 0, txIndex: 0, recordIndex: 0 })
  })

  it('is created once, however often its record is published', async () => {
    const chain = new TestChain()
    await TestAccount.create(chain, 'ada')
    expect(await chain.refuse(await createRecord('ada'))).toBe('DUPLICATE')
    expect(chain.directory.accountCount).toBe(1)
  })

  it('keeps its records in order with the place of each', async () => {
    const chain = new TestChain()
    const account = await TestAccount.create(chain, 'ada')
    chain.mine(5)
    await account.add('ada1', 'ada2')
    expect(historyOf(account.state).map(({ kind, order }) => [kind, order?.blockHeight])).toEqual([
      ['create', 0],
      ['add', 5]
    ])
  })
})

describe('adding a device', () => {
  it('takes the signatures of the new device and of a live one', async () => {
    const chain = new TestChain()
    const account = await TestAccount.create(chain, 'ada')
    const record = (await account.addRecord('ada1', 'ada2')) as RecordOf<'add'>
    const stranger = await castDevice('stranger')
    expect(await chain.refuse(await signRecord(network, record, 'newDeviceSignature', stranger.key))).toBe(
      'BAD_SIGNATURE'
    )
    expect(await chain.refuse(await signRecord(network, record, 'deviceSignature', stranger.key))).toBe('BAD_SIGNATURE')
    await chain.accept(record)
    expect(await account.live('ada1', 'ada2')).toEqual(['ada1', 'ada2'])
  })

  it('goes to the first in chain order when two follow the same record', async () => {
    const chain = new TestChain()
    const account = await TestAccount.create(chain, 'ada')
    const [first, second] = [await account.addRecord('ada1', 'ada2'), await account.addRecord('ada1', 'ada3')]
    await chain.accept(first)
    expect(await chain.refuse(second)).toBe('STALE')
    expect(await account.live('ada2', 'ada3')).toEqual(['ada2'])
  })

  it('stops at 32 live devices and goes on when one is gone', async () => {
    const chain = new TestChain()
    const account = await TestAccount.create(chain, 'many', undefined, MAX_DEVICES_PER_ACCOUNT)
    expect(await chain.refuse(await account.addRecord('many1', 'many33'))).toBe('DEVICE_LIMIT')
    await account.revoke('many1', 'many2')
    await account.add('many1', 'many33')
    expect(liveDevices(account.state)).toHaveLength(MAX_DEVICES_PER_ACCOUNT)
  })

  it('never takes back a device, nor its signing key under another messaging key', async () => {
    const chain = new TestChain()
    const account = await TestAccount.create(chain, 'ada', undefined, 2)
    await account.revoke('ada1', 'ada2')
    expect(await chain.refuse(await account.addRecord('ada1', 'ada2'))).toBe('DEVICE_KNOWN')
    const { key, keys } = await castDevice('ada2')
    const { draftAdd } = await import('../../../../protocol/identity/build-record.ts')
    const draft = draftAdd({ ...keys, messagingKeyHash: bytesOf('another') }, await account.as('ada1'))
    const half = await signRecord(network, draft, 'newDeviceSignature', key)
    const record = await signRecord(network, half, 'deviceSignature', (await castDevice('ada1')).key)
    expect(await chain.refuse(record)).toBe('DEVICE_KNOWN')
  })

  it('is refused to a revoked device and to a stranger', async () => {
    const chain = new TestChain()
    const account = await TestAccount.create(chain, 'ada', undefined, 2)
    await account.revoke('ada1', 'ada2')
    expect(await chain.refuse(await account.addRecord('ada2', 'ada3'))).toBe('SIGNER_REVOKED')
    expect(await chain.refuse(await account.addRecord('eve1', 'ada3'))).toBe('UNKNOWN_SIGNER')
  })
})

describe('rotating a messaging key', () => {
  it('changes the registered key and keeps the device', async () => {
    const chain = new TestChain()
    const account = await TestAccount.create(chain, 'ada')
    const before = account.state.devices[0]!
    await chain.accept(await buildRotate(network, await account.as('ada1'), bytesOf('fresh')))
    const after = account.state.devices[0]!
    expect(after.messagingKeyHash).toEqual(bytesOf('fresh'))
    expect(after.deviceId).toEqual(before.deviceId)
    expect(chain.directory.device(before.deviceId)!.device).toEqual(after)
  })
})

describe('revoking a device', () => {
  it('is not made stale by what a thief publishes meanwhile', async () => {
    const chain = new TestChain()
    const account = await TestAccount.create(chain, 'ada', undefined, 2)
    const prev = account.state.head
    const revoke = await account.revokeRecord('ada1', 'ada2', prev)
    for (let i = 0; i < 5; i++) {
      await chain.accept(await buildRotate(network, await account.as('ada2'), bytesOf(`thief ${i}`)))
    }
    await chain.accept(revoke)
    expect(await account.live('ada1', 'ada2')).toEqual(['ada1'])
  })

  it('needs no room below the record limit', async () => {
    const chain = new TestChain()
    const account = await TestAccount.create(chain, 'ada', 'code', 2)
    while (account.state.limitedCount < MAX_RECORDS_PER_ACCOUNT) {
      await chain.accept(await buildRotate(network, await account.as('ada2'), bytesOf(`${account.state.recordCount}`)))
    }
    expect(await chain.refuse(await buildRotate(network, await account.as('ada2'), bytesOf('last')))).toBe(
      'RECORD_LIMIT'
    )
    await account.revoke('ada1', 'ada2')
    await chain.accept(await recoverRecord(account, 'code', 'ada3', 'code 2'))
    expect(await account.live('ada1', 'ada2', 'ada3')).toEqual(['ada3'])
  })

  it('names a device of the account that lives', async () => {
    const chain = new TestChain()
    const account = await TestAccount.create(chain, 'ada', undefined, 2)
    expect(await chain.refuse(await account.revokeRecord('ada1', 'eve1'))).toBe('UNKNOWN_TARGET')
    expect(await chain.refuse(await account.revokeRecord('eve1', 'ada1'))).toBe('UNKNOWN_SIGNER')
    await account.revoke('ada1', 'ada2')
    expect(await chain.refuse(await account.revokeRecord('ada1', 'ada2', account.accountId))).toBe('TARGET_REVOKED')
  })

  it('may be of oneself, and ends the account with the last device', async () => {
    const chain = new TestChain()
    const account = await TestAccount.create(chain, 'ada')
    await account.revoke('ada1', 'ada1')
    expect(liveDevices(account.state)).toHaveLength(0)
    expect(await chain.refuse(await account.addRecord('ada1', 'ada2'))).toBe('SIGNER_REVOKED')
  })

  it('keeps the height and the signer with the device', async () => {
    const chain = new TestChain()
    const account = await TestAccount.create(chain, 'ada', undefined, 2)
    chain.mine(7)
    await account.revoke('ada1', 'ada2')
    const { revocation } = account.state.devices[1]!
    expect(revocation).toMatchObject({ order: { blockHeight: 7 }, reason: 'stolen', counterUntil: null })
    expect(revocation!.by).toEqual((await castDevice('ada1')).deviceId)
  })
})

describe('an older device that a younger one revoked', () => {
  async function evicted(chain: TestChain): Promise<TestAccount> {
    const account = await TestAccount.create(chain, 'ada', 'code', 3)
    await account.revoke('ada3', 'ada1')
    return account
  }

  it('is revoked at once, and returns by revoking its revoker within 24 hours', async () => {
    const chain = new TestChain()
    const account = await evicted(chain)
    expect(await account.live('ada1', 'ada2', 'ada3')).toEqual(['ada2', 'ada3'])
    chain.mine(COUNTER_BLOCKS)
    await account.revoke('ada1', 'ada3')
    expect(await account.live('ada1', 'ada2', 'ada3')).toEqual(['ada1', 'ada2'])
  })

  it('has lost that right a moment later', async () => {
    const chain = new TestChain()
    const account = await evicted(chain)
    chain.mine(COUNTER_BLOCKS + 1)
    expect(await chain.refuse(await account.revokeRecord('ada1', 'ada3'))).toBe('COUNTER_EXPIRED')
    expect(await account.live('ada1', 'ada2', 'ada3')).toEqual(['ada2', 'ada3'])
  })

  it('has no other right', async () => {
    const chain = new TestChain()
    const account = await evicted(chain)
    expect(await chain.refuse(await account.revokeRecord('ada1', 'ada2'))).toBe('SIGNER_REVOKED')
    expect(await chain.refuse(await account.addRecord('ada1', 'ada4'))).toBe('SIGNER_REVOKED')
  })

  it('returns even if the thief had its revoker revoked by an accomplice', async () => {
    const chain = new TestChain()
    const account = await evicted(chain)
    await account.add('ada3', 'ada4')
    await account.revoke('ada4', 'ada3')
    await account.revoke('ada1', 'ada3')
    expect(await account.live('ada1', 'ada2', 'ada3', 'ada4')).toEqual(['ada1', 'ada2', 'ada4'])
    // The accomplice's REVOKE gave ada3 a right of its own, which must be gone.
    expect(await chain.refuse(await account.revokeRecord('ada3', 'ada4'))).toBe('SIGNER_REVOKED')
  })

  it('cannot be answered in turn, and the first REVOKE cannot be replayed', async () => {
    const chain = new TestChain()
    const account = await TestAccount.create(chain, 'ada', undefined, 2)
    const first = await account.revokeRecord('ada2', 'ada1')
    await chain.accept(first)
    await account.revoke('ada1', 'ada2')
    expect(await chain.refuse(first)).toBe('DUPLICATE')
    expect(await chain.refuse(await account.revokeRecord('ada2', 'ada1'))).toBe('SIGNER_REVOKED')
    expect(await account.live('ada1', 'ada2')).toEqual(['ada1'])
  })

  it('loses the right when a device that is not younger revokes it too', async () => {
    const chain = new TestChain()
    const account = await TestAccount.create(chain, 'ada', undefined, 3)
    await account.revoke('ada3', 'ada2')
    await account.revoke('ada1', 'ada2')
    expect(await chain.refuse(await account.revokeRecord('ada2', 'ada3'))).toBe('SIGNER_REVOKED')
    expect(await account.live('ada1', 'ada2', 'ada3')).toEqual(['ada1', 'ada3'])
  })

  it('loses the right through a recovery', async () => {
    const chain = new TestChain()
    const account = await evicted(chain)
    await chain.accept(await recoverRecord(account, 'code', 'ada9', 'code 2'))
    expect(await chain.refuse(await account.revokeRecord('ada1', 'ada3'))).toBe('SIGNER_REVOKED')
    expect(await account.live('ada1', 'ada2', 'ada3', 'ada9')).toEqual(['ada9'])
  })

  it('is not younger than its revoker by the order of records, whatever the clocks say', async () => {
    const chain = new TestChain()
    const account = await TestAccount.create(chain, 'ada', undefined, 2)
    await account.revoke('ada1', 'ada2')
    expect(await chain.refuse(await account.revokeRecord('ada2', 'ada1'))).toBe('SIGNER_REVOKED')
  })
})

describe('recovering an account', () => {
  it('revokes every device, adds one, and replaces the recovery key', async () => {
    const chain = new TestChain()
    const account = await TestAccount.create(chain, 'ada', 'code', 3)
    await chain.accept(await recoverRecord(account, 'code', 'ada4', 'code 2'))
    expect(await account.live('ada1', 'ada2', 'ada3', 'ada4')).toEqual(['ada4'])
    expect(account.state.recoveryKey).toEqual((await castKey('code 2')).publicKey)
    expect(await chain.refuse(await recoverRecord(account, 'code', 'ada5', null))).toBe('BAD_SIGNATURE')
    await chain.accept(await recoverRecord(account, 'code 2', 'ada5', null))
    expect(await chain.refuse(await recoverRecord(account, 'code 2', 'ada6', null))).toBe('NO_RECOVERY_KEY')
  })

  it('is not made stale', async () => {
    const chain = new TestChain()
    const account = await TestAccount.create(chain, 'ada', 'code')
    const record = await recoverRecord(account, 'code', 'ada4', 'code 2')
    await account.add('ada1', 'thief')
    await chain.accept(record)
    expect(await account.live('ada1', 'thief', 'ada4')).toEqual(['ada4'])
  })

  it('must bring a new key, so that a withheld record dies with the old one', async () => {
    const chain = new TestChain()
    const account = await TestAccount.create(chain, 'ada', 'code')
    expect(await chain.refuse(await recoverRecord(account, 'code', 'ada4', 'code'))).toBe('RECOVERY_KEY_REUSED')
  })

  it('needs a recovery key and a fresh device', async () => {
    const chain = new TestChain()
    const [ada, bob] = [await TestAccount.create(chain, 'ada'), await TestAccount.create(chain, 'bob', 'code')]
    expect(await chain.refuse(await recoverRecord(ada, 'code', 'ada4', null))).toBe('NO_RECOVERY_KEY')
    expect(await chain.refuse(await recoverRecord(bob, 'code', 'bob1', null))).toBe('DEVICE_KNOWN')
    expect(await chain.refuse(await recoverRecord(bob, 'wrong', 'bob2', null))).toBe('BAD_SIGNATURE')
  })
})
