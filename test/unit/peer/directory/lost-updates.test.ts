/** Answers that come late, or in another order than they were asked for: what was learned meanwhile stays. */
import { afterEach, expect, test } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
import { decodeStoredAccount } from '../../../../peer/directory/known-account.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { secondDevice } from '../../../support/peer/second-device.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const running: TestPeer[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

/** Devices of an account that a peer has on disk as revoked. */
async function revokedOnDisk(peer: TestPeer, accountId: string): Promise<string[]> {
  const bytes = await (await peer.openStore()).get({ space: 'account', id: accountId })
  return decodeStoredAccount(bytes!).revoked.map(({ deviceId }) => toHex(deviceId))
}

test('a REVOKE that was seen while a slow operator was asked is not lost to its older answer', async () => {
  const network = await FakeNetwork.create(2)
  const [alice, bob] = [new TestPeer(network, 0), new TestPeer(network, 0)]
  await alice.register('alice')
  await bob.register('bob')
  const tablet = await secondDevice(network, bob)
  running.push(alice, bob, tablet)
  const { accountId } = bob.me
  await alice.send(bob, 'hello')
  await eventually(async () => (await bob.received(alice)).length === 1, 'Bob has it')
  const old = network.ledger.proofOf(accountId)!
  const slow = Promise.withResolvers<void>()
  let isWaiting = false
  network.answer = async (frame, node) => {
    if (node !== 1 || isWaiting || frame.kind !== 'account' || toHex(frame.accountId) !== accountId) return undefined
    isWaiting = true
    await slow.promise
    return { kind: 'account', request: frame.request, proof: old }
  }
  const asking = alice.engine.people.refresh(accountId)
  await eventually(() => isWaiting, 'the other operator is asked')
  await bob.engine.devices.revoke(tablet.me.deviceId)
  // Bob's next Open names the new record, so that Alice asks again meanwhile.
  await bob.send(alice, 'I removed my tablet')
  await eventually(async () => (await revokedOnDisk(alice, accountId)).length === 1, 'Alice has seen it')
  // From now on both leave it out: only what Alice has seen says so.
  network.answer = async (frame, node) => {
    if (frame.kind !== 'account' || toHex(frame.accountId) !== accountId) return undefined
    if (node === 1) await slow.promise
    return { kind: 'account', request: frame.request, proof: old }
  }
  slow.resolve()
  await asking
  await alice.engine.people.refresh(accountId)
  expect(await revokedOnDisk(alice, accountId)).toEqual([tablet.me.deviceId])
})
