import { describe, expect, it } from 'vitest'
import { KeyDirectory } from '../../../../node/key-directory/key-directory.ts'
import { MAX_POOL_RECORDS_PER_ACCOUNT, POOL_TTL_MS } from '../../../../node/key-directory/record-pool.ts'
import { isLive } from '../../../../protocol/directory/account.ts'
import {
  buildAdd,
  buildRevoke,
  buildNameCommit,
  buildNameReveal,
  buildRotate
} from '../../../../protocol/identity/build-record.ts'
import { nameCommitment } from '../../../../protocol/identity/name-commitment.ts'
import { encodeRecord, type DirectoryRecord } from '../../../../protocol/identity/record.ts'
import type { AccountId, RecordId } from '../../../../protocol/identity/device.ts'
import { bytesOf, castDevice, crypto, genesis, network, signer } from '../../../support/directory/cast.ts'
import { createRecord, idOf, timeOf } from '../../../support/directory/test-chain.ts'
import { changeOf, followed } from '../../../support/chain/followed.ts'

const tag = bytesOf('name tag')
const salt = bytesOf('salt')

function makeDirectory() {
  const time = { now: timeOf(100) }
  return { time, keyDirectory: new KeyDirectory({ crypto, clock: () => time.now }, { network, genesis }) }
}

const create = await createRecord('ada')
const accountId = idOf(create) as Uint8Array as AccountId
const device = await castDevice('ada1')

async function rotate(prev: Uint8Array, name: string): Promise<DirectoryRecord> {
  return buildRotate(network, signer(device, prev), bytesOf(name))
}

/** CREATE, NAME commit and reveal of one account. */
async function nameRecords(): Promise<[DirectoryRecord, DirectoryRecord]> {
  const commitment = nameCommitment(crypto, network, tag, accountId, salt)
  const commit = await buildNameCommit(network, signer(device, accountId), commitment)
  return [commit, await buildNameReveal(network, signer(device, idOf(commit)), tag, salt)]
}

const pend = (keyDirectory: KeyDirectory, record: DirectoryRecord, own = false) =>
  keyDirectory.addPending(encodeRecord(record), own)
const headOf = (keyDirectory: KeyDirectory): RecordId | undefined => keyDirectory.current.account(accountId)?.head

describe('directory view', () => {
  it('shows a record at once, and as recorded once a block has it', async () => {
    const { keyDirectory } = makeDirectory()
    expect(await pend(keyDirectory, create)).toMatchObject({ kind: 'added', accountId })
    expect(keyDirectory.current.account(accountId)!.history.order).toBeNull()
    expect(keyDirectory.recorded.account(accountId)).toBeUndefined()
    await keyDirectory.applyChange(changeOf(7, [followed([create], 7)]))
    expect(keyDirectory.current.account(accountId)!.history.order).toMatchObject({ blockHeight: 7 })
    expect(keyDirectory.confirmations(keyDirectory.current.account(accountId)!.history.order)).toBe(1)
    expect(await pend(keyDirectory, create)).toMatchObject({ kind: 'known' })
  })

  it('undoes a rollback by itself, and lets what it took away wait again', async () => {
    const { keyDirectory } = makeDirectory()
    const transaction = followed([create], 7)
    await keyDirectory.applyChange(changeOf(7, [transaction]))
    await keyDirectory.applyChange(changeOf(6, [], { rolledBack: [transaction] }))
    expect(keyDirectory.recorded.account(accountId)).toBeUndefined()
    expect(keyDirectory.current.account(accountId)!.history.order).toBeNull()
  })

  it('moves what is final to the lowest layer, told once or twice', async () => {
    const { keyDirectory } = makeDirectory()
    const transaction = followed([create], 7)
    const change = changeOf(3000, [], { final: [transaction] })
    await keyDirectory.applyChange(change)
    await keyDirectory.applyChange(change)
    expect(keyDirectory.recorded.rejectedCounts().size).toBe(0)
    expect(keyDirectory.transactionAt({ blockHeight: 7, txIndex: 0, recordIndex: 0 })).toMatchObject({
      id: transaction.id,
      bytes: undefined
    })
  })

  it('keeps a record whose predecessor comes later, in any order of arrival', async () => {
    const { keyDirectory } = makeDirectory()
    const second = await rotate(accountId, 'second')
    const third = await rotate(idOf(second), 'third')
    expect(await pend(keyDirectory, third)).toEqual({ kind: 'orphan' })
    expect(await pend(keyDirectory, second)).toEqual({ kind: 'orphan' })
    expect(await pend(keyDirectory, create)).toMatchObject({ kind: 'added' })
    expect(headOf(keyDirectory)).toEqual(idOf(third))
    await keyDirectory.applyChange(changeOf(8, [followed([create], 8)]))
    expect(headOf(keyDirectory)).toEqual(idOf(third))
  })

  it('takes what waits from the chain where the chain has decided otherwise', async () => {
    const { keyDirectory } = makeDirectory()
    await pend(keyDirectory, create)
    const mine = await rotate(accountId, 'mine')
    const other = await rotate(accountId, 'other')
    await pend(keyDirectory, mine, true)
    await keyDirectory.applyChange(changeOf(8, [followed([create, other], 8)]))
    expect(headOf(keyDirectory)).toEqual(idOf(other))
    expect(keyDirectory.takeRefused()).toEqual([idOf(mine)])
    expect(keyDirectory.pool.has(idOf(mine))).toBe(false)
  })

  it('refuses records that are malformed, forged or against the rules, with the reason', async () => {
    const { keyDirectory } = makeDirectory()
    await pend(keyDirectory, create)
    expect(await keyDirectory.addPending(new Uint8Array(10), false)).toEqual({ kind: 'refused', code: 'MALFORMED' })
    const forged = { ...(await rotate(accountId, 'x')), deviceSignature: new Uint8Array(64) } as DirectoryRecord
    expect(await pend(keyDirectory, forged)).toEqual({ kind: 'refused', code: 'BAD_SIGNATURE' })
    await pend(keyDirectory, await rotate(accountId, 'first'))
    expect(await pend(keyDirectory, await rotate(accountId, 'stale'))).toEqual({ kind: 'refused', code: 'STALE' })
  })

  it('bounds what one account may have waiting', async () => {
    const { keyDirectory } = makeDirectory()
    await pend(keyDirectory, create)
    let prev: Uint8Array = accountId
    for (let i = 1; i < MAX_POOL_RECORDS_PER_ACCOUNT; i++) {
      const record = await rotate(prev, `key ${i}`)
      expect(await pend(keyDirectory, record)).toMatchObject({ kind: 'added' })
      prev = idOf(record)
    }
    expect(await pend(keyDirectory, await rotate(prev, 'one more'))).toEqual({ kind: 'refused', code: 'POOL_FULL' })
  })

  it("forgets others' records in time, and own ones never", async () => {
    const { keyDirectory, time } = makeDirectory()
    const bob = await createRecord('bob')
    await pend(keyDirectory, create, true)
    await pend(keyDirectory, bob)
    time.now += POOL_TTL_MS + 1
    await keyDirectory.applyChange(changeOf(9, []))
    expect(keyDirectory.current.account(accountId)).toBeDefined()
    expect(keyDirectory.current.account(idOf(bob))).toBeUndefined()
  })

  it('keeps a revocation in force that a rollback took off the chain', async () => {
    const { keyDirectory } = makeDirectory()
    const second = await castDevice('ada2')
    const add = await buildAdd(network, signer(device, accountId), second.key, second.keys.messagingKeyHash)
    const revoke = await buildRevoke(network, signer(device, idOf(add)), second.deviceId, 'stolen')
    const below = followed([create, add], 7)
    const above = followed([revoke], 8)
    await keyDirectory.applyChange(changeOf(8, [below, above]))
    await keyDirectory.applyChange(changeOf(7, [below], { rolledBack: [above] }))
    expect(isLive(keyDirectory.current.device(second.deviceId)!.device)).toBe(false)
    expect(isLive(keyDirectory.recorded.device(second.deviceId)!.device)).toBe(true)
  })

  it('finds names by how their tag begins, in every layer', async () => {
    const { keyDirectory } = makeDirectory()
    const names = (prefix: Uint8Array) => [...keyDirectory.names(prefix)]
    const [commit, reveal] = await nameRecords()
    for (const record of [create, commit]) await pend(keyDirectory, record)
    expect(names(tag.slice(0, 2))).toEqual([])
    await pend(keyDirectory, reveal)
    expect(names(tag.slice(0, 2))).toMatchObject([{ nameTag: tag, accountId, heldSince: null }])
    expect(names(bytesOf('other').slice(0, 2))).toEqual([])
    const blocks = [followed([create, commit], 7), followed([reveal], 10)]
    await keyDirectory.applyChange(changeOf(10, blocks))
    expect(names(tag)).toMatchObject([{ heldSince: { blockHeight: 10 } }])
    await keyDirectory.applyChange(changeOf(4000, [], { final: blocks }))
    expect(names(tag.slice(0, 5))).toMatchObject([{ heldSince: { blockHeight: 10 } }])
  })

  it('skips junk in a block', async () => {
    const { keyDirectory } = makeDirectory()
    await keyDirectory.applyChange(changeOf(7, [followed([new Uint8Array([0xf6]), create], 7)]))
    expect(keyDirectory.current.account(accountId)!.history.order).toMatchObject({ recordIndex: 1 })
  })
})
