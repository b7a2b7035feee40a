import { afterEach, beforeEach, expect, test } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
import { decodeEnvelope } from '../../../../protocol/wire/envelope.ts'
import { FRESH_MS, PRESENT_MS } from '../../../../peer/directory/directory-client.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

let network: FakeNetwork
let ada: TestPeer
let bob: TestPeer
const running: TestPeer[] = []

/** Between the two ages, with room for what the peers' own clocks add. */
const A_WHILE_MS = (PRESENT_MS + FRESH_MS) / 2

beforeEach(async () => {
  network = await FakeNetwork.create()
  ada = new TestPeer(network)
  bob = new TestPeer(network)
  running.push(ada, bob)
  // Its own clock, so that no answer becomes old while a test runs.
  ada.speed = 1
  await ada.register('ada')
  await bob.register('bob')
  await ada.send(bob, 'before')
  await eventually(async () => (await bob.received(ada)).length === 1, 'it is there')
})
afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

async function bobGetsADevice(): Promise<TestPeer> {
  const tablet = await linkedDevice(network, bob)
  running.push(tablet)
  return tablet
}

const conversation = async (): Promise<string> => (await ada.engine.conversations.open(bob.me.accountId)).id

/** What was handed in for a device since `from`. */
const sealedTo = (device: TestPeer, from: number): number =>
  network.submitted
    .slice(from)
    .filter(bytes => decodeEnvelope(bytes).recipients.some(({ mailbox }) => toHex(mailbox) === device.me.deviceId))
    .length

/** How many devices of Bob Ada knows of, without asking. */
const devicesKnown = async (): Promise<number> => (await ada.engine.record.of(bob.me.accountId)).devices.length

test('a message goes to a device that the contact added seconds ago, though nobody told of it', async () => {
  const tablet = await bobGetsADevice()
  const from = network.submitted.length
  ada.slept += A_WHILE_MS
  const message = await ada.send(bob, 'to all')
  await eventually(async () => (await ada.engine.messages.find(message.id))?.state !== 'waiting', 'it is sent')
  expect(sealedTo(tablet, from)).toBeGreaterThan(0)
})

test('who begins to write learns of a new device, so that sending waits for no answer', async () => {
  const tablet = await bobGetsADevice()
  ada.slept += A_WHILE_MS
  await ada.engine.conversations.saveDraft(await conversation(), 'to')
  await eventually(async () => (await devicesKnown()) === 2, 'the device is known')
  const from = network.submitted.length
  const message = await ada.send(bob, 'to all')
  await eventually(async () => (await ada.engine.messages.find(message.id))?.state !== 'waiting', 'it is sent')
  expect(sealedTo(tablet, from)).toBeGreaterThan(0)
})

test('an open conversation learns of a new device; it asks no more often than every few seconds', async () => {
  await bobGetsADevice()
  ada.slept += A_WHILE_MS
  let asked = 0
  network.answer = async frame => {
    if (frame.kind === 'account' && toHex(frame.accountId) === bob.me.accountId) asked++
    return undefined
  }
  const id = await conversation()
  for (let i = 0; i < 5; i++) await ada.engine.conversations.look(id)
  expect(asked).toBe(1)
  expect(await devicesKnown()).toBe(2)
})
