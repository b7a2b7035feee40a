import { afterEach, describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { fromHex, toHex } from '../../../../protocol/bytes.ts'
import type { DeviceId } from '../../../../protocol/identity/device.ts'
import { slots } from '../../../../peer/store/store-layout.ts'
import { StateStore } from '../../../../peer/store/state-store.ts'
import { FastTimers } from '../../../support/clock/fast-timers.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { commandOn } from '../../../support/peer/run-peer.ts'
import { secondDevice } from '../../../support/peer/second-device.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const running: TestPeer[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

async function people(): Promise<{ network: FakeNetwork; ada: TestPeer; bob: TestPeer; tablet: TestPeer }> {
  const network = await FakeNetwork.create(1)
  const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
  // One clock: what counts as sent before a removal is a matter of milliseconds here, and the clock of a busy peer falls behind.
  const clock = new FastTimers(20)
  network.now = () => clock.now()
  ada.clock = bob.clock = clock
  await ada.register('ada')
  await bob.register('bob')
  const tablet = await secondDevice(network, ada)
  running.push(ada, bob, tablet)
  return { network, ada, bob, tablet }
}

const isSent = async (from: TestPeer, to: TestPeer): Promise<boolean> =>
  (await from.messages(to)).filter(({ mine }) => mine).every(({ state }) => state !== 'waiting')

/** What Bob keeps of the tablet in their first conversation. */
async function heldOf(bob: TestPeer, tablet: TestPeer): Promise<{ sessions: number; peerKeys: number }> {
  const conversation = (await bob.engine.snapshot()).conversations[0]!.id
  const states = new StateStore(await bob.openStore())
  const sessions = await states.range('inbound', conversation, slots.inbound('', '').codec)
  const peerKeys = await states.range('peer-key', conversation, slots.peerKey('', '').codec)
  const isOfTablet = (device: Uint8Array): boolean => toHex(device) === tablet.me.deviceId
  return {
    sessions: sessions.filter(({ value }) => isOfTablet(value.senderDevice)).length,
    peerKeys: peerKeys.filter(({ value }) => isOfTablet(value.deviceId)).length
  }
}

/** Not of all devices: nothing that goes to the removed one, such as a receipt, is ever acknowledged. */
const pendingFor = (network: FakeNetwork, { me }: TestPeer): number =>
  network.pendingFor(fromHex(me.deviceId) as DeviceId)

const lines = async (bob: TestPeer, ada: TestPeer): Promise<number> =>
  (await bob.messages(ada)).filter(({ line }) => line?.kind === 'removed-device').length

describe('what a device sent before it was removed', () => {
  test('is shown when it comes later, in a known session', async () => {
    const { network, ada, bob, tablet } = await people()
    await tablet.send(bob, 'zero')
    await eventually(async () => (await bob.received(ada)).length === 1, 'zero')
    network.fate = (_, to) => (toHex(to) === bob.me.deviceId ? 'later' : 'deliver')
    await tablet.send(bob, 'one')
    await tablet.send(bob, 'two')
    await eventually(() => isSent(tablet, bob), 'sent')
    await ada.engine.devices.revoke(tablet.me.deviceId)
    await bob.engine.people.refresh(ada.me.accountId)
    // A round of upkeep has passed: it must not erase the keys of what is on its way.
    await eventually(async () => (await heldOf(bob, tablet)).peerKeys === 0, 'upkeep')
    network.fate = () => 'deliver'
    network.redeliver()
    await eventually(async () => (await bob.received(ada)).length === 3, 'shown')
    expect(await bob.received(ada)).toEqual(['zero', 'one', 'two'])
    expect(await lines(bob, ada)).toBe(0)
    await eventually(() => pendingFor(network, bob) === 0, 'acknowledged')
  })

  test('is shown when it opened the conversation while the receiver was off', async () => {
    const { ada, bob, tablet } = await people()
    await bob.accept(tablet)
    await bob.engine.stop()
    await tablet.send(bob, 'one')
    await tablet.send(bob, 'two')
    await eventually(() => isSent(tablet, bob), 'sent')
    await ada.engine.devices.revoke(tablet.me.deviceId)
    await bob.start()
    await eventually(async () => (await bob.received(ada)).length === 2, 'shown')
    expect(await lines(bob, ada)).toBe(0)
  })
})

test('a message that it sent again before it was removed fills its gap', async () => {
  const { network, ada, bob, tablet } = await people()
  await tablet.send(bob, 'zero')
  await eventually(async () => (await bob.received(ada)).length === 1, 'zero')
  network.fate = (_, to) => (toHex(to) === bob.me.deviceId ? 'drop' : 'deliver')
  await tablet.send(bob, 'one')
  await eventually(() => isSent(tablet, bob), 'sent')
  // The next one comes; the answer to Bob's request is on its way for longer.
  let toBob = 0
  network.fate = (_, to) => (toHex(to) !== bob.me.deviceId || toBob++ === 0 ? 'deliver' : 'later')
  await tablet.send(bob, 'two')
  await eventually(async () => (await bob.received(ada)).length === 2, 'two')
  await eventually(() => toBob > 1, 'the tablet has answered')
  await ada.engine.devices.revoke(tablet.me.deviceId)
  await bob.engine.people.refresh(ada.me.accountId)
  await eventually(async () => (await heldOf(bob, tablet)).peerKeys === 0, 'upkeep')
  network.fate = () => 'deliver'
  network.redeliver()
  await eventually(async () => (await bob.received(ada)).length === 3, 'the gap is filled')
  expect(await bob.received(ada)).toEqual(['zero', 'one', 'two'])
  expect(await lines(bob, ada)).toBe(0)
})

type Step = 'message' | 'removed' | 'seen' | 'delivered'

test('whatever order things happen in, each message that was acknowledged is shown or has its line', async () => {
  const steps = fc.array(fc.constantFrom<Step>('message', 'message', 'removed', 'seen', 'delivered'), {
    minLength: 3,
    maxLength: 7
  })
  const property = fc.asyncProperty(steps, async order => {
    const { network, ada, bob, tablet } = await people()
    await tablet.send(bob, 'first')
    await eventually(async () => (await bob.received(ada)).length === 1, 'first')
    network.fate = (_, to) => (toHex(to) === bob.me.deviceId ? 'later' : 'deliver')
    let removed = false
    const before = ['first']
    let after = 0
    for (const step of order) {
      if (step === 'message') {
        const text = `message ${before.length + after}`
        await tablet.send(bob, text)
        await eventually(() => isSent(tablet, bob), 'sent')
        if (removed) after++
        else before.push(text)
      } else if (step === 'removed' && !removed) {
        await ada.engine.devices.revoke(tablet.me.deviceId)
        removed = true
      } else if (step === 'seen') await bob.engine.people.refresh(ada.me.accountId)
      else if (step === 'delivered') network.redeliver()
    }
    await bob.engine.people.refresh(ada.me.accountId)
    network.fate = () => 'deliver'
    network.redeliver()
    await eventually(() => pendingFor(network, bob) === 0, 'acknowledged')
    const shown = await bob.received(ada)
    expect(before.filter(text => !shown.includes(text))).toEqual([])
    expect(shown.length - before.length === after || (await lines(bob, ada)) === 1).toBe(true)
    await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
  })
  await fc.assert(property, { numRuns: 16 })
})

test('what a device had not sent when it was removed is said on it, and can be read there', async () => {
  const { network, ada, bob, tablet } = await people()
  await tablet.send(bob, 'zero')
  await eventually(async () => (await bob.received(ada)).length === 1, 'zero')
  network.answer = async frame =>
    frame.kind === 'submit' ? { kind: 'error', request: frame.request, code: 'busy', message: 'not now' } : undefined
  await tablet.send(bob, 'one')
  await tablet.send(bob, 'two')
  await ada.engine.devices.revoke(tablet.me.deviceId)
  await tablet.engine.account.refresh(5_000)
  expect((await tablet.engine.snapshot()).me!.deviceState).not.toBe('live')
  expect((await tablet.engine.messages.unsent()).map(({ text }) => text)).toEqual(['one', 'two'])
  const { stdout } = await commandOn(tablet.engine, 'status')
  expect(stdout).toMatch(/Not sent {4}one\nNot sent {4}two/)
  // Also for the next process.
  await tablet.restart()
  expect((await tablet.engine.messages.unsent()).map(({ text }) => text)).toEqual(['one', 'two'])
  expect(await bob.received(ada)).toEqual(['zero'])
})
