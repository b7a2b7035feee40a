import { afterEach, describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { buildRevoke } from '../../protocol/identity/build-record.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import { decodeRecord, encodeRecord, recordIdOf } from '../../protocol/identity/record.ts'
import type { Delivery } from '../../protocol/wire/envelope.ts'
import { FakeNetwork } from '../support/network/fake/fake-network.ts'
import { TestPeer, until } from '../support/peer/test-peer.ts'

const running: TestPeer[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

/** Puts a REVOKE of the account's only device on its record. */
async function revoke(network: FakeNetwork, { me, vault }: TestPeer): Promise<void> {
  const deviceId = fromHex(me.deviceId) as DeviceId
  const prev = recordIdOf(network.crypto, network.id, decodeRecord(network.ledger.recordsOf(me.accountId).at(-1)!))
  const signer = { key: (await vault.load())!, deviceId, prev, time: Date.now() }
  network.ledger.addRecord(me.accountId, encodeRecord(await buildRevoke(network.id, signer, deviceId, 'stolen')))
}

describe('a revoked device', () => {
  it('cannot write on in a session that it opened before', async () => {
    const network = await FakeNetwork.create(1)
    const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
    await ada.register('ada')
    await bob.register('bob')
    running.push(ada, bob)
    await ada.send(bob, 'before')
    await until('there', async () => (await bob.received(ada)).length === 1)
    const held: Delivery[] = []
    const mailbox = fromHex(bob.me.deviceId) as DeviceId
    network.fate = (delivery, to) => {
      if (toHex(to) !== bob.me.deviceId) return 'deliver'
      held.push(delivery)
      return 'later'
    }
    await ada.send(bob, 'from the thief')
    await ada.send(bob, 'and again')
    await until('held', () => held.length > 1)
    await revoke(network, ada)
    expect((await bob.engine.people.refresh(ada.me.accountId)).record.state).toBe('removed')
    for (const delivery of held) network.push(mailbox, delivery)
    await until('refused', () => bob.engine.counts.refused > 0)
    await new Promise(resolve => setTimeout(resolve, 200))
    expect(await bob.received(ada)).toEqual(['before'])
    await bob.restart()
    expect(await bob.received(ada)).toEqual(['before'])
  })
})
