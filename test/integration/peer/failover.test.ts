/** Peers on a network of three real nodes, one of which dies or freezes while they chat. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalNetwork } from '../../support/network/real-processes/local-network.ts'
import {
  converse,
  disposePeer,
  registerPeer,
  type NetworkPeer
} from '../../support/network/real-processes/network-peers.ts'
import { eventually } from '../../support/wait-for.ts'

/** For a machine with much else to do: how fast a silent node is left is shown by the tests of `NodeConnection`. */
const WAIT_MS = 60_000

let network: LocalNetwork
let ada: NetworkPeer
let bob: NetworkPeer

beforeAll(async () => {
  network = await LocalNetwork.start({ nodes: 3 })
  ;[ada, bob] = await Promise.all([registerPeer(network.urls[0]!, 'ada'), registerPeer(network.urls[2]!, 'bob')])
})
afterAll(async () => {
  await Promise.all([ada, bob].filter(Boolean).map(disposePeer))
  await network?.stop()
})

const nodeOf = async ({ engine }: NetworkPeer): Promise<string | null> => (await engine.snapshot()).status.node

async function send(from: NetworkPeer, to: NetworkPeer, text: string): Promise<{ id: string; conversation: string }> {
  const conversation = await converse(from, to)
  const { id } = await from.engine.messages.sendText(conversation, text)
  return { id, conversation }
}

async function received(by: NetworkPeer, from: NetworkPeer): Promise<string[]> {
  const messages = await by.engine.messages.page(await converse(by, from), { limit: 500 })
  return messages.filter(({ mine, kind }) => !mine && kind === 'text').map(({ text }) => text)
}

async function isSent(by: NetworkPeer, { id, conversation }: { id: string; conversation: string }): Promise<boolean> {
  const message = (await by.engine.messages.page(conversation)).find(shown => shown.id === id)
  return message?.state === 'sent' || message?.state === 'delivered'
}

describe('a network of three nodes', () => {
  it('everybody uses the node that they opened, and two operators keep each message', async () => {
    expect([await nodeOf(ada), await nodeOf(bob)]).toEqual([network.urls[0], network.urls[2]])
    const sent = await send(ada, bob, 'one')
    await eventually(() => isSent(ada, sent), { timeoutMs: WAIT_MS })
    await eventually(async () => (await ada.engine.messages.receipts(sent.id)).length >= 2, { timeoutMs: WAIT_MS })
    const receipts = await ada.engine.messages.receipts(sent.id)
    expect(new Set(receipts.map(({ operator }) => operator)).size).toBeGreaterThanOrEqual(2)
    await eventually(async () => (await received(bob, ada)).length === 1, { timeoutMs: WAIT_MS })
  })

  it('two operators agree on a name before it counts as confirmed', async () => {
    const person = await ada.engine.people.find('@bob')
    expect(person).toMatchObject({ username: 'bob', nameConfirmed: true })
  })

  it('a node that dies is left, and the chat goes on', async () => {
    await network.kill(0)
    await eventually(async () => ![null, network.urls[0]].includes(await nodeOf(ada)), { timeoutMs: WAIT_MS })
    const sent = await send(ada, bob, 'two')
    await eventually(() => isSent(ada, sent), { timeoutMs: WAIT_MS })
    await send(bob, ada, 'and back')
    await eventually(async () => (await received(ada, bob)).length === 1, { timeoutMs: WAIT_MS })
    await network.startNode(0)
  })

  it('a node that freezes is left once it owes an answer, and nothing is lost or doubled', async () => {
    const frozen = network.urls.indexOf((await nodeOf(ada))!)
    network.pause(frozen)
    const sent = await send(ada, bob, 'three')
    await eventually(() => isSent(ada, sent), { timeoutMs: WAIT_MS })
    network.resume(frozen)
    await eventually(async () => (await received(bob, ada)).length === 3, { timeoutMs: WAIT_MS })
    expect(await received(bob, ada)).toEqual(['one', 'two', 'three'])
  })

  it('a peer that starts again finds its history, and goes on where it was', async () => {
    await bob.engine.stop()
    await send(ada, bob, 'while Bob was away')
    const { createNodePeer } = await import('../../../peer/node-peer.ts')
    bob.engine = await createNodePeer({ dataDir: bob.dataDir })
    await bob.engine.start()
    expect((await bob.engine.snapshot()).conversations[0]).toMatchObject({ title: 'ada' })
    await eventually(async () => (await received(bob, ada)).length === 4, { timeoutMs: WAIT_MS })
    expect(await received(bob, ada)).toEqual(['one', 'two', 'three', 'while Bob was away'])
  })
})
