import { afterEach, expect, test } from 'vitest'
import { FakeNetwork } from '../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../support/peer/test-peer.ts'

let ada: TestPeer

afterEach(() => ada.engine.stop())

test('whoever wakes up asks the node at once whether the connection still lives', async () => {
  const network = await FakeNetwork.create(1)
  ada = new TestPeer(network)
  await ada.register('ada')
  let pings = 0
  network.answer = async ({ kind }) => {
    if (kind === 'ping') pings++
    return undefined
  }
  await ada.engine.network.reconnect()
  expect(pings).toBe(1)
})
