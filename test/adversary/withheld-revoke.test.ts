/** One lying node withholds a REVOKE from people who know each other, on whose records two operators agreed before. */
import { afterEach, describe, expect, test } from 'vitest'
import { toHex } from '../../protocol/bytes.ts'
import { decodeProof, encodeProof } from '../../protocol/directory/proofs/proof.ts'
import { decodeEnvelope } from '../../protocol/wire/envelope.ts'
import { AGREEMENT_GRACE_MS, AGREEMENT_MAX_AGE_MS } from '../../peer/directory/agreement.ts'
import { FakeNetwork } from '../support/network/fake/fake-network.ts'
import { secondDevice } from '../support/peer/second-device.ts'
import { TestPeer } from '../support/peer/test-peer.ts'
import { eventually } from '../support/wait-for.ts'

/** The node that Alice is connected to. */
const LIAR = 0
const HONEST = 1

const running: TestPeer[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

/** Alice at the liar, and Bob with a phone and further devices, who have written to each other. */
async function acquainted(nodes: number, furtherDevices = 1) {
  const network = await FakeNetwork.create(nodes)
  const [alice, bob] = [new TestPeer(network, LIAR), new TestPeer(network, nodes - 1)]
  await alice.register('alice')
  await bob.register('bob')
  running.push(alice, bob)
  const further: TestPeer[] = []
  for (let i = 0; i < furtherDevices; i++) further.push(await secondDevice(network, bob))
  running.push(...further)
  network.ledger.mine(20)
  await alice.send(bob, 'hello both devices')
  await eventually(async () => (await bob.received(alice)).length === 1, 'Bob has it')
  await eventually(async () => {
    const { trust } = (await alice.engine.people.refresh(bob.me.accountId)).record
    return trust === (nodes === 1 ? 'L1' : 'L2')
  }, 'two operators agree')
  return { network, alice, bob, further, tablet: further[0]! }
}

/** From now on the liar tells of an account what it told until now, with a tip that rises. */
function freeze(network: FakeNetwork, accountId: string): void {
  const frozen = decodeProof(network.ledger.proofOf(accountId)!)
  network.answer = async (frame, node) => {
    if (node !== LIAR || frame.kind !== 'account' || toHex(frame.accountId) !== accountId) return undefined
    const { tip } = decodeProof(network.ledger.proofOf(accountId)!)
    return { kind: 'account', request: frame.request, proof: encodeProof({ ...frozen, tip }) }
  }
}

/** Devices that a text goes to. */
async function recipientsOf(network: FakeNetwork, from: TestPeer, to: TestPeer, text: string): Promise<Set<string>> {
  const before = network.submitted.length
  // Others may hand in receipts meanwhile, to devices that they still know.
  const own = () => network.submitted.filter((_, at) => at >= before && network.submitters[at] === from.me.deviceId)
  await from.send(to, text)
  await eventually(() => own().length > 0, 'it is handed in')
  await eventually(async () => (await from.engine.snapshot()).status.waiting === 0, 'nothing waits')
  return new Set(own().flatMap(envelope => decodeEnvelope(envelope).recipients.map(r => toHex(r.mailbox))))
}

const agreementOf = async (peer: TestPeer, other: TestPeer) =>
  (await peer.engine.record.of(other.me.accountId)).person.record.agreement.state

describe('a REVOKE that a lying node withholds from an established contact', () => {
  test('is found out within five minutes: nothing is sealed to the device', async () => {
    const { network, alice, bob, tablet } = await acquainted(2)
    freeze(network, bob.me.accountId)
    await bob.engine.devices.revoke(tablet.me.deviceId)
    network.ledger.mine(20)
    alice.slept += AGREEMENT_MAX_AGE_MS
    const recipients = await recipientsOf(network, alice, bob, 'after the removal')
    expect(recipients).toContain(bob.me.deviceId)
    expect(recipients).not.toContain(tablet.me.deviceId)
    const { devices } = await alice.engine.record.of(bob.me.accountId)
    expect(devices.filter(({ removed }) => removed).map(({ deviceId }) => deviceId)).toEqual([tablet.me.deviceId])
  })

  test('is found out at once when the contact writes from a record that the node does not tell', async () => {
    const { network, alice, bob, tablet } = await acquainted(2)
    freeze(network, bob.me.accountId)
    await bob.engine.devices.revoke(tablet.me.deviceId)
    await bob.send(alice, 'I removed my tablet')
    await eventually(async () => (await alice.received(bob)).length === 1, 'Alice has it')
    const { devices } = await alice.engine.record.of(bob.me.accountId)
    expect(devices.find(({ deviceId }) => deviceId === tablet.me.deviceId)!.removed).not.toBeNull()
  })

  test('is found out about the own account, too', async () => {
    const { network, alice, bob, further } = await acquainted(2, 2)
    const [second, stolen] = further as [TestPeer, TestPeer]
    await second.engine.account.refresh(1_000)
    await second.send(alice, 'from all of my devices')
    await eventually(async () => (await alice.received(second)).length === 1, 'it is there')
    freeze(network, bob.me.accountId)
    await bob.engine.devices.revoke(stolen.me.deviceId)
    second.slept += AGREEMENT_MAX_AGE_MS
    // On a busy machine the honest operator may answer too late for the first message; sending does not wait for it.
    await eventually(async () => {
      const recipients = await recipientsOf(network, second, alice, 'from two')
      return !recipients.has(stolen.me.deviceId)
    }, 'nothing is sealed to the stolen device')
  })
})

describe('agreement that is not renewed', () => {
  test('is not claimed where the network has one operator', async () => {
    const { alice, bob } = await acquainted(1)
    const { record } = await alice.engine.people.refresh(bob.me.accountId)
    expect(record).toMatchObject({ trust: 'L1', agreement: { state: 'single', at: null } })
  })

  test('ends after minutes, and after a grace is shown as lost; sending goes on', async () => {
    const { network, alice, bob } = await acquainted(2)
    expect((await alice.engine.people.refresh(bob.me.accountId)).record.trust).toBe('L2')
    network.down.add(HONEST)
    alice.slept += AGREEMENT_MAX_AGE_MS
    expect((await alice.engine.record.of(bob.me.accountId)).person.record.trust).toBe('L1')
    expect(await agreementOf(alice, bob)).toBe('waiting')
    alice.slept += AGREEMENT_GRACE_MS
    await recipientsOf(network, alice, bob, 'on the word of one')
    expect(await agreementOf(alice, bob)).toBe('lost')
  })

  test('holds what is written to a person whose safety number was compared, until a second operator answers', async () => {
    const { network, alice, bob } = await acquainted(2)
    const { conversation } = await alice.engine.people.safetyNumber(bob.me.accountId)
    await alice.engine.people.verify(bob.me.accountId, conversation)
    network.down.add(HONEST)
    alice.slept += AGREEMENT_MAX_AGE_MS
    await recipientsOf(network, alice, bob, 'within the grace')
    alice.slept += AGREEMENT_GRACE_MS
    const { id } = await alice.send(bob, 'held')
    const held = async () => (await alice.messages(bob)).find(message => message.id === id)!
    await eventually(async () => (await held()).problem === 'not-agreed', 'it says why it waits')
    network.down.delete(HONEST)
    await alice.engine.people.refresh(bob.me.accountId)
    await eventually(async () => (await bob.received(alice)).includes('held'), 'it is there')
  })
})

describe('what one node says of heights and times', () => {
  test('settles nothing alone', async () => {
    const { network, alice, bob } = await acquainted(2)
    const { tip } = decodeProof(network.ledger.proofOf(bob.me.accountId)!)
    network.tamper = (frame, node) => {
      if (frame.kind !== 'account' || node !== LIAR) return frame
      const proof = decodeProof(frame.proof)
      return { ...frame, proof: encodeProof({ ...proof, tip: { ...proof.tip, height: tip.height + 5_000 } }) }
    }
    const { record } = await alice.engine.people.refresh(bob.me.accountId)
    expect(record.confirmations).toBeLessThanOrEqual(tip.height)
    expect(record.state).not.toBe('final')
  })

  test('does not refuse what was sealed before a removal: it counts from when it was seen', async () => {
    const network = await FakeNetwork.create(1)
    const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
    await ada.register('ada')
    await bob.register('bob')
    const tablet = await secondDevice(network, bob)
    running.push(ada, tablet)
    await bob.accept(ada)
    await bob.engine.stop()
    await tablet.engine.stop()
    await ada.engine.people.refresh(bob.me.accountId)
    await ada.send(bob, 'sent long before the removal')
    await eventually(async () => (await ada.messages(bob))[0]?.state === 'sent', 'sent')
    let isDelivering = false
    network.tamper = frame => {
      if (frame.kind === 'deliver' && !isDelivering) return undefined
      if (frame.kind !== 'account') return frame
      const proof = decodeProof(frame.proof)
      return { ...frame, proof: encodeProof({ ...proof, tip: { ...proof.tip, time: 1_000 } }) }
    }
    await tablet.start()
    await tablet.engine.online(5_000)
    await tablet.engine.devices.revoke(bob.me.deviceId)
    isDelivering = true
    network.redeliver()
    await eventually(async () => (await tablet.received(ada)).length === 1, 'it is shown')
    expect(tablet.engine.counts.refused).toBe(0)
  })
})

describe('a node that leaves out the keys of one device', () => {
  test('does not keep that device from being written to: another operator is asked', async () => {
    const { network, alice, bob, tablet } = await acquainted(2)
    const carol = new TestPeer(network, LIAR)
    await carol.register('carol')
    running.push(carol)
    network.tamper = (frame, node) =>
      node === LIAR && frame.kind === 'bundles' ? { ...frame, bundles: frame.bundles.slice(0, 1) } : frame
    await carol.send(bob, 'hello both')
    await eventually(async () => (await bob.received(carol)).length === 1, 'the phone has it')
    await eventually(async () => (await tablet.received(carol)).length === 1, 'the tablet has it')
    expect(await alice.received(bob)).toEqual([])
  })
})

describe('the own name', () => {
  test('is not called settled by the height of one node', async () => {
    const network = await FakeNetwork.create(2)
    const ada = new TestPeer(network, LIAR)
    ada.speed = 100
    await ada.register('ada')
    running.push(ada)
    network.tamper = (frame, node) => {
      if (frame.kind !== 'account' || node !== LIAR) return frame
      const proof = decodeProof(frame.proof)
      return { ...frame, proof: encodeProof({ ...proof, tip: { ...proof.tip, height: proof.tip.height + 5_000 } }) }
    }
    network.ledger.mine()
    await eventually(() => network.ledger.recordsOf(ada.me.accountId).length > 0, 'told')
    network.ledger.mine(3, { empty: true })
    network.ledger.mine()
    const stateOfName = async () => {
      await ada.engine.account.refresh(2_000)
      return (await ada.engine.snapshot()).me!.nameState
    }
    await eventually(async () => (await stateOfName()) === 'reserved', 'reserved')
    network.ledger.mine(120, { empty: true })
    await eventually(async () => (await stateOfName()) === 'recorded', 'settled by two')
  })
})
