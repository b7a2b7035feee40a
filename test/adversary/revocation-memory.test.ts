import { expect, it } from 'vitest'
import { devicesToSealTo, knowAccount, storedAccount, type KnownAccount } from '../../peer/directory/known-account.ts'
import type { NetworkInfo } from '../../peer/network/network-info.ts'
import { toHex } from '../../protocol/bytes.ts'
import { encodeProof } from '../../protocol/directory/proofs/proof.ts'
import type { DirectoryRecord } from '../../protocol/identity/record.ts'
import { castDevice, crypto, genesis, network } from '../support/directory/cast.ts'
import { proofOf, publish } from '../support/directory/published.ts'
import { TestAccount, TestChain, createRecord } from '../support/directory/test-chain.ts'

const info: NetworkInfo = {
  id: network,
  genesis,
  epoch: { number: 0, seed: new Uint8Array(32), nodes: [], nodeSeeds: [] },
  label: 'test',
  emulated: false,
  entry: 'https://node.example'
}

const sealedTo = (account: KnownAccount): string[] => devicesToSealTo(account).map(({ deviceId }) => toHex(deviceId))

it('a device that once came back and was revoked again stays revoked for a node that leaves the last REVOKE out', async () => {
  const chain = new TestChain()
  const account = await TestAccount.create(chain, 'ada')
  const records: DirectoryRecord[] = [await createRecord('ada')]
  const put = async (record: DirectoryRecord): Promise<void> => {
    await chain.accept(record)
    records.push(record)
  }
  await put(await account.addRecord('ada1', 'ada2'))
  await put(await account.revokeRecord('ada2', 'ada1'))
  await put(await account.revokeRecord('ada1', 'ada2'))
  await put(await account.addRecord('ada1', 'ada3'))
  await put(await account.revokeRecord('ada3', 'ada1'))
  const transactions = records.map((record, i) => publish([record], 10 + i))
  const full = proofOf(account.accountId, transactions, 100)
  const known = await knowAccount(crypto, info, storedAccount(full, encodeProof(full), 1))
  const { deviceId } = await castDevice('ada1')
  expect(sealedTo(known)).not.toContain(toHex(deviceId))

  const cut = proofOf(account.accountId, transactions.slice(0, -1), 101)
  const again = await knowAccount(crypto, info, {
    ...storedAccount(cut, encodeProof(cut), 2),
    revoked: known.revoked
  })
  expect(sealedTo(again)).not.toContain(toHex(deviceId))
  expect(again.view.revokedAt(deviceId)).toBe(known.view.revokedAt(deviceId))
})

it('a device whose REVOKE was cancelled by a counter-revoke is sealed to again', async () => {
  const chain = new TestChain()
  const account = await TestAccount.create(chain, 'ada')
  const records: DirectoryRecord[] = [await createRecord('ada')]
  for (const make of [
    () => account.addRecord('ada1', 'ada2'),
    () => account.revokeRecord('ada2', 'ada1'),
    () => account.revokeRecord('ada1', 'ada2')
  ]) {
    const record = await make()
    await chain.accept(record)
    records.push(record)
  }
  const transactions = records.map((record, i) => publish([record], 10 + i))
  const before = proofOf(account.accountId, transactions.slice(0, 3), 100)
  const revoked = await knowAccount(crypto, info, storedAccount(before, encodeProof(before), 1))
  const after = proofOf(account.accountId, transactions, 101)
  const back = await knowAccount(crypto, info, {
    ...storedAccount(after, encodeProof(after), 2),
    revoked: revoked.revoked
  })
  const { deviceId } = await castDevice('ada1')
  expect(sealedTo(revoked)).not.toContain(toHex(deviceId))
  expect(sealedTo(back)).toContain(toHex(deviceId))
})
