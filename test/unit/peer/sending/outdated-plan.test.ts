/** Devices are asked for before a unit of work seals to them, and one may be seen revoked in between. */
import { expect, test } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
import { encodeProof } from '../../../../protocol/directory/proofs/proof.ts'
import { timeOf } from '../../../support/directory/test-chain.ts'
import { ScriptedDirectory } from '../../../support/peer/scripted-directory.ts'
import { PaperLedger } from '../../../support/verify/paper-ledger.ts'
import { Person } from '../../../support/verify/published-world.ts'

test('a plan made before a device was seen revoked is not sealed by', async () => {
  const ledger = new PaperLedger()
  const bob = await Person.create(ledger, 'bob', 2)
  const self = await Person.create(ledger, 'ada', 1)
  const answers = {
    names: async () => [],
    proof: async (accountId: Parameters<PaperLedger['proof']>[0]) => encodeProof(ledger.proof(accountId)!)
  }
  const init = { self: { accountId: self.accountId, deviceName: 'ada1' }, operators: [answers] }
  const peer = await ScriptedDirectory.create({ ...init, now: timeOf(ledger.chain.height) })
  const plan = await peer.plan(bob.accountId)
  expect(peer.isCurrent(plan)).toBe(true)
  await bob.publish(await bob.revokeRecord(2))
  await peer.directory.refresh(bob.accountId)
  expect(peer.isCurrent(plan)).toBe(false)
  expect(await peer.sealsTo(bob.accountId)).toEqual([toHex((await bob.device(1)).deviceId)])
})
