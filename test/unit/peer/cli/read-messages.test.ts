import { afterEach, beforeEach, expect, test } from 'vitest'
import { jsonOn } from '../../../support/peer/run-peer.ts'
import { twoPeers, type TwoPeers } from '../../../support/peer/two-peers.ts'
import { eventually } from '../../../support/wait-for.ts'

let peers: TwoPeers

beforeEach(async () => {
  peers = await twoPeers()
})
afterEach(() => peers.stop())

test('`messages` shows a message as its sender has left it, also where that has just come', async () => {
  const { ada, bob } = peers
  const { id } = await ada.send(bob, 'at six')
  await eventually(async () => (await bob.received(ada)).length === 1, 'Bob has it')
  // Nobody is new here, so nothing is waited for before the first line.
  await eventually(async () => {
    peers.network.ledger.mine()
    await bob.engine.network.reconnect()
    return (await bob.engine.people.find('@ada'))?.username === 'ada'
  }, 'Bob knows her by her username')
  await bob.engine.stop()
  await jsonOn(ada.engine, 'edit', bob.me.accountId, id, 'at seven')
  await bob.start()
  const { code, lines } = await jsonOn(bob.engine, 'messages', ada.me.accountId)
  expect(code).toBe(0)
  expect(lines).toMatchObject([{ id, text: 'at seven', edited: true }])
})
