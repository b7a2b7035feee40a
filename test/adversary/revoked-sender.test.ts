import { afterEach, describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { buildRevoke } from '../../protocol/identity/build-record.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import { decodeRecord, encodeRecord, recordIdOf } from '../../protocol/identity/record.ts'
import type { Delivery } from '../../protocol/wire/envelope.ts'
import { FakeNetwork } from '../support/network/fake/fake-network.ts'
import { TestPeer } from '../support/peer/test-peer.ts'
import { eventually } from '../support/wait-for.ts'

const LINE = { kind: 'removed-device', mine: false }

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

const lines = async (bob: TestPeer, ada: TestPeer): Promise<unknown[]> =>
  (await bob.messages(ada)).filter(({ kind }) => kind !== 'text').map(({ line }) => line)

describe('a revoked device', () => {
  it('cannot write on in a session that it opened before: one line says so', async () => {
    const network = await FakeNetwork.create(1)
    const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
    // Bob compares the time of the removal, on his clock, with that of what a node stored afterwards.
    ada.speed = bob.speed = 1
    await ada.register('ada')
    await bob.register('bob')
    running.push(ada, bob)
    await ada.send(bob, 'before')
    await eventually(async () => (await bob.received(ada)).length === 1, 'there')
    const held: Delivery[] = []
    const mailbox = fromHex(bob.me.deviceId) as DeviceId
    network.fate = (delivery, to) => {
      if (toHex(to) !== bob.me.deviceId) return 'deliver'
      held.push(delivery)
      return 'later'
    }
    await revoke(network, ada)
    expect((await bob.engine.people.refresh(ada.me.accountId)).record.state).toBe('removed')
    await ada.send(bob, 'from the thief')
    await ada.send(bob, 'and again')
    await eventually(() => held.length > 1, 'held')
    for (const delivery of held) network.push(mailbox, delivery)
    await eventually(async () => (await lines(bob, ada)).length > 0, 'the line')
    await eventually(() => bob.engine.counts.refused > 1, 'all refused')
    expect(await bob.received(ada)).toEqual(['before'])
    expect(await lines(bob, ada)).toEqual([LINE])
    await bob.restart()
    expect(await bob.received(ada)).toEqual(['before'])
    expect(await lines(bob, ada)).toEqual([LINE])
  })

  it('is told of as well where it opens a session after it was removed', async () => {
    const network = await FakeNetwork.create(1)
    const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
    await ada.register('ada')
    await bob.register('bob')
    running.push(ada, bob)
    const held: Delivery[] = []
    network.fate = (delivery, to) => {
      if (toHex(to) !== bob.me.deviceId) return 'deliver'
      held.push(delivery)
      return 'drop'
    }
    await ada.send(bob, 'from the thief')
    await eventually(() => held.length > 0, 'held')
    await revoke(network, ada)
    // An honest engine seals nothing once it knows of its removal; a thief's does, and a node takes it now.
    const mailbox = fromHex(bob.me.deviceId) as DeviceId
    const storedAt = Date.now() + 1_000
    for (const delivery of held) network.push(mailbox, { ...delivery, storedAt })
    await eventually(async () => (await lines(bob, ada)).length > 0, 'the line')
    expect(await bob.received(ada)).toEqual([])
    expect(await lines(bob, ada)).toEqual([LINE])
  })
})
