import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FakeNetwork } from '../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../support/peer/test-peer.ts'
import { eventually } from '../../support/wait-for.ts'

/** Turns of the event loop that a send takes at most, until its receipts are stored. */
const TURNS = 12

const unhandled: unknown[] = []
const note = (error: unknown): void => void unhandled.push(error)
const running: TestPeer[] = []

beforeEach(() => {
  unhandled.length = 0
  process.on('unhandledRejection', note)
})

afterEach(async () => {
  process.off('unhandledRejection', note)
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

test('a peer that is stopped at any turn while it sends leaves no failure that is not handled', async () => {
  const network = await FakeNetwork.create()
  const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
  running.push(ada, bob)
  await ada.register('ada')
  await bob.register('bob')
  await ada.send(bob, 'before')
  await eventually(async () => (await bob.received(ada)).length === 1, 'they have met')
  for (let turns = 0; turns < TURNS; turns++) {
    const sends = [1, 2, 3].map(i => ada.send(bob, `${turns}, ${i}`).catch(() => undefined))
    for (let turn = 0; turn < turns; turn++) await nextTurn()
    await ada.engine.stop()
    await Promise.all(sends)
    await nextTurn()
    await ada.start()
  }
  expect(unhandled).toEqual([])
})
