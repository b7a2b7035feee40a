import { expect, test } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
import { signGroupChange, type Change } from '../../../../protocol/groups/group-change.ts'
import { GroupLog } from '../../../../protocol/groups/group-log.ts'
import { addedBy } from '../../../../peer/groups/who-added.ts'
import { createAccount, testEnvironment, type TestAccount } from '../../protocol/session/fixtures.ts'

const env = testEnvironment('who added')
const member = ({ accountId }: TestAccount) => ({ accountId, role: 'member' as const, username: null })

/** A group of these people, made by one of the devices of the first. */
async function groupOf([maker, ...others]: [TestAccount, ...TestAccount[]], device: number): Promise<GroupLog> {
  const texts = { name: 'Club', description: '', picture: null, username: null }
  const settings = { add: 'admins', edit: 'admins' } as const
  const create: Change = { kind: 'create', nonce: env.random(16), ...texts, settings, targets: others.map(member) }
  return GroupLog.of(await signGroupChange(env, maker.devices[device]!, null, create))
}

test('a person is added by whose device said so, and by nobody if that device was removed from its account', async () => {
  const [bob, mallory, ada] = [await createAccount(env, 2), await createAccount(env, 1), await createAccount(env, 1)]
  const stolen = bob.devices[1]!.deviceId
  const isRemoved = (_account: Uint8Array, device: Uint8Array): boolean => toHex(device) === toHex(stolen)
  const own = await groupOf([bob, mallory, ada], 0)
  expect(addedBy(own, ada.accountId, isRemoved)).toEqual(bob.accountId)
  expect(addedBy(own, bob.accountId, isRemoved)).toEqual(bob.accountId)
  const forged = await groupOf([bob, mallory, ada], 1)
  expect(addedBy(forged, ada.accountId, isRemoved)).toBeNull()
  expect(addedBy(forged, ada.accountId, () => false)).toEqual(bob.accountId)
  expect(addedBy(await groupOf([bob, mallory], 0), ada.accountId, isRemoved)).toBeNull()
})
