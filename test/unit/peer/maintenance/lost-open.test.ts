import { afterEach, expect, test } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
import { UNHEARD_DELAY_MS } from '../../../../protocol/session/open-delivery.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const running: TestPeer[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

test('the first Open of a conversation is sealed again if it was lost, to a device that has handed over no key yet', async () => {
  const network = await FakeNetwork.create()
  const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
  running.push(ada, bob)
  // Minutes of theirs have to pass: a round of upkeep, and the hold of a gap.
  ada.speed = bob.speed = 60
  await ada.register('ada')
  await bob.register('bob')
  let dropped = 0
  network.fate = (_, mailbox) => {
    if (toHex(mailbox) !== bob.me.deviceId) return 'deliver'
    dropped++
    return 'drop'
  }
  const message = await ada.send(bob, 'hello')
  await eventually(async () => (await ada.engine.messages.find(message.id))?.state === 'sent', 'it is sent')
  expect(dropped).toBeGreaterThan(0)
  network.fate = () => 'deliver'
  ada.slept += UNHEARD_DELAY_MS + 1_000
  // A round of upkeep comes with each connection.
  network.hangUp(0)
  await eventually(async () => (await bob.received(ada)).length === 1, 'it is there')
  expect(await bob.received(ada)).toEqual(['hello'])
})
