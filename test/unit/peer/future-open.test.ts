/** Sessions that were opened while the clock of their sender was ahead, at first contact. */
import { afterEach, expect, test } from 'vitest'
import { FakeNetwork } from '../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../support/peer/test-peer.ts'
import { eventually } from '../../support/wait-for.ts'

const HOUR_MS = 3_600_000
const running: TestPeer[] = []

async function strangers(): Promise<[TestPeer, TestPeer]> {
  const network = await FakeNetwork.create(1)
  const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
  running.push(ada, bob)
  await ada.register('ada')
  await bob.register('bob')
  return [ada, bob]
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

test('what was said meanwhile is shown as soon as the clock is right and something more is said', async () => {
  const [ada, bob] = await strangers()
  ada.clockOffset = 3 * HOUR_MS
  await ada.send(bob, 'are you there?')
  await eventually(async () => (await ada.messages(bob))[0]?.state === 'sent', 'sent')
  ada.clockOffset = 0
  await ada.send(bob, 'hello?')
  // The first is asked for again, and comes by itself: nobody waits three hours.
  await eventually(async () => (await bob.received(ada)).length === 2, { what: 'both are there', timeoutMs: 20_000 })
  expect((await bob.received(ada)).sort()).toEqual(['are you there?', 'hello?'])
  await eventually(
    async () => (await ada.messages(bob)).every(({ state, mine }) => !mine || state === 'delivered'),
    'both were delivered'
  )
})

test('an Open from the future is kept, also over a restart, and read once its time has come', async () => {
  const [ada, bob] = await strangers()
  ada.clockOffset = 3 * HOUR_MS
  await ada.send(bob, 'from later')
  await eventually(() => bob.engine.counts.parked === 1, 'it waits at Bob')
  expect(await bob.received(ada)).toEqual([])
  expect(bob.engine.counts.refused).toBe(0)
  await bob.restart()
  expect(bob.engine.counts.parked).toBe(1)
  bob.clockOffset = 3 * HOUR_MS
  await eventually(async () => (await bob.received(ada)).length === 1, { what: 'it is shown', timeoutMs: 10_000 })
  expect(bob.engine.counts.parked).toBe(0)
})
