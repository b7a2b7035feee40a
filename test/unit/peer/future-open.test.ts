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

test('what is said is shown at once, whichever clock is wrong, and by how much', async () => {
  const [ada, bob] = await strangers()
  ada.clockOffset = 3 * HOUR_MS
  bob.clockOffset = -4 * HOUR_MS
  await ada.send(bob, 'are you there?')
  await eventually(async () => (await bob.received(ada)).length === 1, 'it is shown')
  await bob.send(ada, 'yes')
  await eventually(async () => (await ada.received(bob)).length === 1, 'the answer is shown')
  expect(bob.engine.counts).toMatchObject({ refused: 0, parked: 0 })
  // A session with a date of its own is replaced once the clock is right, and its messages stay in order.
  ada.clockOffset = 0
  await ada.send(bob, 'hello?')
  await eventually(async () => (await bob.received(ada)).length === 2, 'both are there')
  expect(await bob.received(ada)).toEqual(['are you there?', 'hello?'])
  await eventually(
    async () => (await ada.messages(bob)).every(({ state, mine }) => !mine || state === 'delivered'),
    'both were delivered'
  )
})
