import { afterEach, describe, expect, test } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const running: TestPeer[] = []

async function registered(network: FakeNetwork, name: string, entry = 0): Promise<TestPeer> {
  const peer = new TestPeer(network, entry)
  peer.speed = 20
  await peer.register(name)
  running.push(peer)
  return peer
}

/** Brings the names of newcomers into blocks; a name is told some blocks after its commitment. */
async function named(network: FakeNetwork, ...peers: TestPeer[]): Promise<void> {
  network.ledger.mine()
  await eventually(
    () => peers.every(({ me }) => network.ledger.recordsOf(me.accountId).length === 1),
    'the names are told'
  )
  network.ledger.mine(3, { empty: true })
  network.ledger.mine()
}

/** Ada and Bob, whose records stand in blocks, and who have a conversation. */
async function adaAndBob(nodes: number, blockAgeMs = 0) {
  const network = await FakeNetwork.create(nodes)
  network.ledger.blockAgeMs = blockAgeMs
  const [ada, bob] = [await registered(network, 'ada'), await registered(network, 'bob')]
  await named(network, ada, bob)
  await ada.engine.conversations.open(bob.me.accountId)
  await ada.engine.people.refresh(bob.me.accountId)
  return { network, ada, bob, bobSeen: async () => (await ada.engine.record.of(bob.me.accountId)).person }
}

const heldBy = async (peer: TestPeer, other: TestPeer) =>
  (await peer.engine.conversations.open(other.me.accountId)).held

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

describe('a public record', () => {
  test('tells every entry and device with its place, and by how many operators it was checked', async () => {
    const { network, ada, bob } = await adaAndBob(2, 60_000)
    const record = await ada.engine.record.of(bob.me.accountId)
    expect(record.entries.map(({ kind, state, confirmations }) => [kind, state, confirmations])).toEqual([
      ['create', 'recorded', 5],
      ['nameCommit', 'recorded', 5],
      ['nameReveal', 'recorded', 1]
    ])
    expect(record.devices).toMatchObject([{ deviceId: bob.me.deviceId, isThis: false, name: null, removed: null }])
    expect(record.devices[0]!.added).toMatchObject({ state: 'recorded', confirmations: 5, blockHeight: 2 })
    expect(record.operators).toBe(2)
    expect(record.sources).toEqual([network.url(0), network.url(1)])
    network.ledger.mine(10, { empty: true })
    await ada.engine.people.refresh(bob.me.accountId)
    expect((await ada.engine.record.of(bob.me.accountId)).devices[0]!.added.state).toBe('settled')
  })

  test('goes back to being recorded when its block is undone, and says so, until it stands in one again', async () => {
    const { network, ada, bob, bobSeen } = await adaAndBob(2)
    expect((await bobSeen()).record).toMatchObject({ state: 'recorded', undoneAt: null })
    const redo = network.ledger.undo(bob.me.accountId)
    const undone = await ada.engine.people.refresh(bob.me.accountId)
    expect(undone.record.state).toBe('pending')
    expect(undone.record.undoneAt).toBeGreaterThan(0)
    expect(undone.alert).toBeNull()
    redo()
    const again = await ada.engine.people.refresh(bob.me.accountId)
    expect(again.record).toMatchObject({ state: 'recorded', undoneAt: null })
  })

  test('that loses a device it had in a block raises an alert, which pauses sending to a verified person', async () => {
    const { network, ada, bob, bobSeen } = await adaAndBob(2)
    await network.ledger.addSecondDevice(bob)
    network.ledger.mine()
    await ada.engine.people.refresh(bob.me.accountId)
    const { conversation } = await ada.engine.people.safetyNumber(bob.me.accountId)
    expect((await ada.engine.people.verify(bob.me.accountId, conversation)).verifiedAt).toBeGreaterThan(0)
    network.ledger.forget(bob.me.accountId)
    await ada.engine.people.refresh(bob.me.accountId)
    expect((await bobSeen()).alert).toMatchObject({ kind: 'key' })
    expect(await heldBy(ada, bob)).toBe('key')
    await expect(ada.send(bob, 'paused')).rejects.toMatchObject({ code: 'held' })

    await ada.restart()
    expect(await heldBy(ada, bob)).toBe('key')
    expect(await ada.engine.people.acceptAlert(bob.me.accountId)).toMatchObject({ alert: null, verifiedAt: null })
    expect(await heldBy(ada, bob)).toBeNull()
    await ada.send(bob, 'goes on')
  })

  test('of somebody who was never verified raises the alert without pausing', async () => {
    const { network, ada, bob, bobSeen } = await adaAndBob(2)
    await network.ledger.addSecondDevice(bob)
    network.ledger.mine()
    await ada.engine.people.refresh(bob.me.accountId)
    network.ledger.forget(bob.me.accountId)
    await ada.engine.people.refresh(bob.me.accountId)
    expect((await bobSeen()).alert).toMatchObject({ kind: 'key' })
    expect(await heldBy(ada, bob)).toBeNull()
  })

  test('from which the only operator leaves entries out is unconfirmed, and an answered alert is not raised again', async () => {
    const { network, ada, bob, bobSeen } = await adaAndBob(1)
    await network.ledger.addSecondDevice(bob)
    network.ledger.mine()
    await ada.engine.people.refresh(bob.me.accountId)
    const { conversation } = await ada.engine.people.safetyNumber(bob.me.accountId)
    await ada.engine.people.verify(bob.me.accountId, conversation)
    network.ledger.forget(bob.me.accountId)
    await ada.engine.people.refresh(bob.me.accountId)
    expect((await bobSeen()).alert).toMatchObject({ kind: 'withheld' })
    // What was seen stays: the device is not forgotten on one operator's word.
    expect((await ada.engine.record.of(bob.me.accountId)).devices).toHaveLength(2)
    expect(await heldBy(ada, bob)).toBe('withheld')
    await ada.engine.people.acceptAlert(bob.me.accountId)
    await ada.engine.people.refresh(bob.me.accountId)
    expect(await bobSeen()).toMatchObject({ alert: null })
    expect((await bobSeen()).verifiedAt).toBeGreaterThan(0)
    expect(await heldBy(ada, bob)).toBeNull()
  })
})

describe('a username', () => {
  test('that leads to somebody else after a rollback raises an alert on both, never moves in silence', async () => {
    const { network, ada, bob } = await adaAndBob(2)
    expect(await ada.engine.people.find('@bob')).toMatchObject({ nameConfirmed: true, alert: null })
    // Eve claimed the name too, and came second.
    const eve = await registered(network, 'bob')
    await named(network, eve)
    expect(await ada.engine.people.find('@bob')).toMatchObject({ accountId: bob.me.accountId, alert: null })
    network.ledger.giveName('bob', eve.me.accountId)
    const found = await ada.engine.people.find('@bob')
    expect(found).toMatchObject({ accountId: eve.me.accountId, alert: { kind: 'new-holder', username: 'bob' } })
    const { person } = await ada.engine.record.of(bob.me.accountId)
    expect(person).toMatchObject({ username: null, alert: { kind: 'lost-name', username: 'bob' } })
  })

  test('is shown no longer, with an alert, once two operators give it to somebody else', async () => {
    const { network, ada, bob } = await adaAndBob(2)
    await ada.engine.people.find('@bob')
    network.ledger.giveName('bob', ada.me.accountId)
    const { username, alert } = await ada.engine.people.refresh(bob.me.accountId)
    expect({ username, alert }).toMatchObject({ username: null, alert: { kind: 'lost-name', username: 'bob' } })
  })
})

describe('a safety number', () => {
  test('is the same on both sides, and marks nobody who was compared with another one', async () => {
    const { ada, bob } = await adaAndBob(2)
    await bob.engine.conversations.open(ada.me.accountId)
    await Promise.all([ada, bob].map((peer, i) => peer.engine.people.refresh([bob, ada][i]!.me.accountId)))
    const [left, right] = [
      await ada.engine.people.safetyNumber(bob.me.accountId),
      await bob.engine.people.safetyNumber(ada.me.accountId)
    ]
    expect(left.conversation).toMatch(/^\d{60}$/)
    expect(right).toEqual({ conversation: left.conversation, theirs: left.mine, mine: left.theirs })
    await expect(ada.engine.people.verify(bob.me.accountId, '0'.repeat(60))).rejects.toMatchObject({
      code: 'safety-number-changed'
    })
    await ada.engine.people.verify(bob.me.accountId, left.conversation)
    expect(await ada.engine.people.unverify(bob.me.accountId)).toMatchObject({ verifiedAt: null })
  })
})

describe('a device of the own account', () => {
  test('that removes itself neither sends nor receives, and follows its removal into the blocks', async () => {
    const { network, ada, bob } = await adaAndBob(2)
    await bob.engine.conversations.open(ada.me.accountId)
    expect(await ada.engine.devices.list()).toMatchObject([{ deviceId: ada.me.deviceId, name: 'test', isThis: true }])
    const removed = await ada.engine.devices.revoke(ada.me.deviceId)
    expect(removed.removed).toMatchObject({ state: 'pending' })
    expect((await ada.engine.snapshot()).me).toMatchObject({ deviceState: 'removing', record: { state: 'removed' } })
    await expect(ada.send(bob, 'too late')).rejects.toMatchObject({ code: 'held' })
    expect(await heldBy(ada, bob)).toBe('device-removed')

    network.ledger.mine()
    await eventually(async () => (await ada.engine.snapshot()).me!.deviceState === 'removed', 'recorded')
    expect((await bob.engine.people.refresh(ada.me.accountId)).record.state).toBe('removed')
    await expect(bob.send(ada, 'nobody there')).rejects.toMatchObject({ code: 'held' })
    await ada.restart()
    expect((await ada.engine.snapshot()).me!.deviceState).toBe('removed')
  })

  test('removes another one, hands the record in again if a rollback loses it, and cannot remove what is not there', async () => {
    const { network, ada } = await adaAndBob(2)
    const second = await network.ledger.addSecondDevice(ada)
    network.ledger.mine()
    await ada.engine.people.refresh(ada.me.accountId)
    const other = (await ada.engine.devices.list()).find(({ isThis }) => !isThis)!
    expect(toHex(second.deviceId)).toBe(other.deviceId)
    await ada.engine.devices.revoke(other.deviceId)
    expect((await ada.engine.snapshot()).me!.deviceState).toBe('live')
    network.ledger.dropPending(ada.me.accountId)
    await eventually(() => network.ledger.recordsOf(ada.me.accountId).length > 0, 'handed in again')
    network.ledger.mine(16)
    await eventually(async () => (await ada.engine.devices.list())[1]!.removed?.state === 'settled', 'settled')
    await expect(ada.engine.devices.revoke('0'.repeat(32))).rejects.toMatchObject({ code: 'no-device' })
    await expect(ada.engine.devices.revoke('no id')).rejects.toMatchObject({ code: 'malformed-call' })
  })
})
