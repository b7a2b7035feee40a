import { afterEach, expect, test } from 'vitest'
import { decodeEnvelope } from '../../../../protocol/wire/envelope.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const DEVICES = 10
/** What one more device adds to an envelope of a session: its mailbox and its proof. */
const BYTES_OF_RECIPIENT = 64
const running: TestPeer[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

test('ten devices of one account show everything once and in order; a message is one envelope to all, a few bytes each', async () => {
  const network = await FakeNetwork.create()
  const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
  running.push(ada, bob)
  await ada.register('ada')
  await bob.register('bob')
  await ada.send(bob, 'hello')
  const devices = [ada]
  while (devices.length < DEVICES) {
    const device = await linkedDevice(network, ada)
    running.push(device)
    devices.push(device)
  }
  for (const device of devices) await device.engine.account.refresh(10_000)
  await bob.engine.people.refresh(ada.me.accountId)
  // Opens the sessions that everything after travels in.
  for (const device of devices) await device.send(bob, `${devices.indexOf(device)} first`)
  await bob.send(ada, 'bob first')
  const textsOn = async (device: TestPeer): Promise<string[]> =>
    (await device.messages(device === bob ? ada : bob)).flatMap(({ kind, text }) => (kind === 'text' ? [text] : []))
  const everywhere = async (count: number): Promise<void> => {
    for (const device of [...devices, bob]) {
      await eventually(async () => (await textsOn(device)).length >= count, 'all have all')
    }
  }
  await everywhere(DEVICES + 2)
  await eventually(() => network.pending === 0, 'all is acknowledged')
  const from = network.submitted.length
  await ada.send(bob, 'one message')
  await everywhere(DEVICES + 3)
  const isFan = (bytes: Uint8Array): boolean => decodeEnvelope(bytes).recipients.length > 1
  const fans = network.submitted.slice(from).filter(isFan)
  expect(fans).toHaveLength(1)
  const { recipients, payload } = decodeEnvelope(fans[0]!)
  expect(recipients).toHaveLength(DEVICES)
  expect(recipients.every(({ part }) => part.length === 0)).toBe(true)
  expect(fans[0]!.length - payload.length).toBeLessThan((DEVICES + 1) * BYTES_OF_RECIPIENT)
  for (const device of devices) await device.send(bob, `${devices.indexOf(device)} then`)
  await everywhere(2 * DEVICES + 3)
  for (const device of [...devices, bob]) {
    const texts = await textsOn(device)
    expect(new Set(texts).size).toBe(texts.length)
    expect(texts).toHaveLength(2 * DEVICES + 3)
    for (const i of devices.keys()) {
      expect(texts.filter(text => text.startsWith(`${i} `))).toEqual([`${i} first`, `${i} then`])
    }
  }
}, 300_000)
