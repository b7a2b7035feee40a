import { afterEach, describe, expect, test } from 'vitest'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const running: TestPeer[] = []
const MINUTE_S = 60

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

async function pair() {
  const network = await FakeNetwork.create()
  const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
  running.push(ada, bob)
  await ada.register('ada')
  await bob.register('bob')
  await ada.send(bob, 'stays')
  await eventually(async () => (await bob.received(ada)).length === 1, 'Bob has it')
  const { id } = await ada.engine.conversations.open(bob.me.accountId)
  return { network, ada, bob, id }
}

const lines = async (peer: TestPeer, other: TestPeer) =>
  (await peer.messages(other)).filter(({ kind }) => kind === 'system').map(({ line, mine }) => ({ line, mine }))
const texts = async (peer: TestPeer, other: TestPeer) =>
  (await peer.messages(other)).filter(({ kind }) => kind === 'text').map(({ text }) => text)

/** Time passes for a peer while it is off. */
async function sleepFor(peer: TestPeer, seconds: number): Promise<void> {
  await peer.engine.stop()
  peer.slept += seconds * 1000
  await peer.start()
}

describe('a timer', () => {
  test('is seen by all, and lets what is sent from then on disappear: here once it was sent, there once it was read', async () => {
    const { ada, bob, id } = await pair()
    await ada.engine.amendments.setTimer(id, MINUTE_S)
    for (const peer of [ada, bob]) {
      const other = peer === ada ? bob : ada
      await eventually(async () => (await lines(peer, other)).length === 1, 'all see it')
      expect(await lines(peer, other)).toEqual([{ line: { kind: 'timer', seconds: MINUTE_S }, mine: peer === ada }])
    }
    await bob.send(ada, 'goes')
    await eventually(async () => (await texts(ada, bob)).length === 2, 'Ada has it')
    await eventually(async () => (await texts(bob, ada)).length === 2, 'it is sent')
    await sleepFor(bob, MINUTE_S + 1)
    expect(await texts(bob, ada)).toEqual(['stays'])
    await sleepFor(ada, MINUTE_S + 1)
    // Not read yet: its time has not begun.
    expect(await texts(ada, bob)).toEqual(['stays', 'goes'])
    await ada.engine.conversations.markRead(id)
    expect((await ada.messages(bob)).at(-1)!.expiresAt).not.toBeNull()
    await sleepFor(ada, MINUTE_S + 1)
    expect(await texts(ada, bob)).toEqual(['stays'])
  })

  test('runs while a process is there, tells the screen, and ends when it is turned off', async () => {
    const { ada, bob, id } = await pair()
    await ada.engine.amendments.setTimer(id, 1)
    const { id: gone } = await ada.send(bob, 'soon gone')
    const removed = new Promise<string>(resolve =>
      ada.engine.on('message', message => message.kind === 'removed' && resolve(message.id))
    )
    expect(await removed).toBe(gone)
    await ada.engine.amendments.setTimer(id, null)
    expect(await ada.send(bob, 'stays as well')).toMatchObject({ expiresAfter: null })
    await expect(ada.engine.amendments.setTimer(id, 0)).rejects.toMatchObject({ code: 'timer' })
  })

  test('counts on every device of the owner, also for a message that was read on another one', async () => {
    const { network, ada, bob, id } = await pair()
    await ada.engine.amendments.setTimer(id, MINUTE_S)
    const tablet = await linkedDevice(network, ada)
    running.push(tablet)
    await eventually(async () => (await tablet.engine.history.status()).state === 'done', 'the history is there')
    await bob.send(ada, 'goes')
    await eventually(async () => (await texts(tablet, bob)).includes('goes'), 'the tablet has it')
    await eventually(async () => (await texts(ada, bob)).includes('goes'), 'Ada has it')
    await ada.engine.conversations.markRead(id)
    await eventually(async () => (await tablet.messages(bob)).at(-1)!.expiresAt !== null, 'the tablet heard of it')
    await sleepFor(tablet, MINUTE_S + 1)
    expect(await texts(tablet, bob)).toEqual(['stays'])
    // The setting came with the history: what the tablet writes disappears, too.
    expect(await tablet.send(bob, 'from the tablet')).toMatchObject({ expiresAfter: MINUTE_S })
  })
})
