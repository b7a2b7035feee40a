/** A message id is chosen by whoever sends it: using somebody else's must change nothing about theirs. */
import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { secondDevice } from '../../../support/peer/second-device.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const running: TestPeer[] = []
const someId = (): Uint8Array => new Uint8Array(randomBytes(16))

async function people(...names: string[]): Promise<{ network: FakeNetwork; peers: TestPeer[] }> {
  const network = await FakeNetwork.create()
  const peers = names.map(() => new TestPeer(network))
  for (const [i, peer] of peers.entries()) await peer.register(names[i]!)
  running.push(...peers)
  return { network, peers }
}

const texts = async (peer: TestPeer, other: TestPeer): Promise<string[]> =>
  (await peer.messages(other)).filter(({ kind }) => kind === 'text').map(({ text }) => text)

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

describe('a message id that is used again', () => {
  test('by a member of another conversation does not keep a message from being shown, heard or read', async () => {
    const { peers } = await people('ada', 'bob', 'eve')
    const [ada, bob, eve] = peers as [TestPeer, TestPeer, TestPeer]
    const id = someId()
    await eve.sendAs(id, bob, 'first')
    await eventually(async () => (await bob.received(eve)).length === 1, 'Eve was faster')
    const taken = await ada.sendAs(id, bob, 'the true one')
    await eventually(async () => (await bob.received(ada)).length === 1, 'both are shown')
    const heard = await bob.engine.unheard.first(10)
    expect(heard.map(({ message }) => message!.text)).toEqual(['first', 'the true one'])
    expect(new Set(heard.map(({ message }) => message!.id)).size).toBe(2)
    await bob.engine.conversations.markRead(taken.conversationId)
    await eventually(async () => (await ada.messages(bob))[0]!.state === 'read', 'read')
    const [unread] = await eve.messages(bob)
    expect(unread!.state).not.toBe('read')
  })

  test('by the other side does not keep it from the second device of its author', async () => {
    const { network, peers } = await people('ada', 'bob')
    const [ada, bob] = peers as [TestPeer, TestPeer]
    const tablet = await secondDevice(network, ada)
    running.push(tablet)
    const id = someId()
    network.fate = (_, mailbox) => (toHex(mailbox) === tablet.me.deviceId ? 'later' : 'deliver')
    const taken = await ada.sendAs(id, bob, 'mine')
    await eventually(async () => (await bob.received(ada)).length === 1, 'Bob has it')
    network.fate = () => 'deliver'
    await bob.sendAs(id, ada, 'not yours')
    await eventually(async () => (await tablet.received(bob)).length === 1, 'Bob was faster')
    network.redeliver()
    await eventually(async () => (await texts(tablet, bob)).length === 2, 'both are shown')
    const shown = await tablet.messages(bob)
    expect(shown.find(({ mine }) => mine)).toMatchObject({ text: 'mine', id: taken.id })
    expect(new Set(shown.map(message => message.id)).size).toBe(2)
  })

  test('changes neither what waits nor what pages of the other conversation show', async () => {
    const { network, peers } = await people('ada', 'bob', 'eve')
    const [ada, bob, eve] = peers as [TestPeer, TestPeer, TestPeer]
    const id = someId()
    await eve.send(ada, 'zero')
    await eventually(async () => (await ada.received(eve)).length === 1, 'they know each other')
    network.receiptsGiven = 0
    const mine = await ada.sendAs(id, bob, 'waits')
    await eve.sendAs(id, ada, 'one')
    await eve.send(ada, 'two')
    await eventually(async () => (await ada.received(eve)).length === 3, 'all of Eve’s')
    expect((await ada.engine.snapshot()).status.waiting).toBe(1)
    const [, one] = await ada.messages(eve)
    const older = await ada.engine.messages.page(one!.conversationId, { before: one!.id })
    expect(older.map(({ text }) => text)).toEqual(['zero'])
    network.receiptsGiven = Infinity
    // The nodes' receipts and Bob's word that he has it come in any order.
    await eventually(async () => (await ada.engine.messages.receipts(mine.id)).length > 0, 'it has receipts')
    await eventually(async () => (await ada.messages(bob))[0]!.state === 'delivered', 'it is delivered')
    expect(await ada.engine.messages.receipts(one!.id)).toEqual([])
  })
})
