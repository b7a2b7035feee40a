import { afterEach, expect, test } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
import type { OwnDevices } from '../../../../peer/own-devices/own-devices.ts'
import { moreHistoryItem } from '../../../../peer/own-devices/sync-items.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { commandOn } from '../../../support/peer/run-peer.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const running: TestPeer[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

const stateOf = async (peer: TestPeer): Promise<string> => (await peer.engine.history.status()).state

/** Version of the last word, as one device knows it, that another one can ask for more history. */
const moreToldTo = (on: TestPeer, device: TestPeer): number =>
  (on.engine.linked as OwnDevices).items.item(moreHistoryItem(device.me.deviceId))?.version ?? 0

/** Ada's first device with a message from Bob, and a laptop that has everything. */
async function people() {
  const network = await FakeNetwork.create()
  const [phone, bob] = [new TestPeer(network), new TestPeer(network)]
  running.push(phone, bob)
  await phone.register('ada')
  await bob.register('bob')
  await bob.send(phone, 'before')
  await eventually(async () => (await phone.received(bob)).length === 1, 'it is here')
  const add = async (): Promise<TestPeer> => {
    const device = await linkedDevice(network, phone)
    running.push(device)
    return device
  }
  const laptop = await add()
  await eventually(async () => (await stateOf(laptop)) === 'done', 'the laptop has all')
  return { network, phone, bob, laptop, add }
}

test('a device whose history was on its way from a device that was removed says that the rest does not come', async () => {
  const { network, phone, laptop, add } = await people()
  // The old device never hears that the new one asks.
  network.fate = (_, mailbox) => (toHex(mailbox) === phone.me.deviceId ? 'later' : 'deliver')
  const tablet = await add()
  expect(await stateOf(tablet)).toBe('waiting')
  await laptop.engine.devices.revoke(phone.me.deviceId)
  await tablet.engine.account.refresh(10_000)
  expect(await tablet.engine.history.status()).toMatchObject({ state: 'stopped', from: phone.me.deviceId })
  const { stdout } = await commandOn(tablet.engine, 'history', 'status')
  expect(stdout).toContain('The device that sent the history was removed')
  // One that had everything does not.
  await laptop.engine.account.refresh(10_000)
  expect(await stateOf(laptop)).toBe('done')
})

test('a device that was told of more, and did not get it before the other one was removed, says so as well', async () => {
  const { network, phone, bob, laptop, add } = await people()
  const tablet = await add()
  await eventually(async () => (await stateOf(tablet)) === 'done', 'the tablet has all')
  await tablet.engine.stop()
  // Bob has not heard of the new devices; what he sends stands in line on the phone.
  network.fate = (_, mailbox) => (toHex(mailbox) === bob.me.deviceId ? 'later' : 'deliver')
  const told = moreToldTo(laptop, tablet)
  await bob.send(phone, 'late')
  await eventually(async () => (await phone.received(bob)).length === 2, 'the phone has it')
  // One envelope tells all own devices.
  await eventually(() => moreToldTo(laptop, tablet) > told, 'the tablet is told of it')
  await laptop.engine.devices.revoke(phone.me.deviceId)
  await phone.engine.stop()
  await tablet.start()
  await eventually(async () => (await stateOf(tablet)) === 'stopped', 'it knows that something is missing')
  expect(await tablet.received(bob)).toEqual(['before'])
  await tablet.restart()
  expect(await stateOf(tablet)).toBe('stopped')
})
