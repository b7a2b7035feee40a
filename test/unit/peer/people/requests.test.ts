import { afterEach, beforeEach, expect, test } from 'vitest'
import { isMessageRequest } from '../../../../peer/people/message-request.ts'
import type { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import type { TestPeer } from '../../../support/peer/test-peer.ts'
import { jsonOn } from '../../../support/peer/run-peer.ts'
import { twoPeers, type TwoPeers } from '../../../support/peer/two-peers.ts'
import { eventually } from '../../../support/wait-for.ts'

let peers: TwoPeers
let network: FakeNetwork
let ada: TestPeer
let bob: TestPeer

beforeEach(async () => {
  peers = await twoPeers()
  ;({ network, ada, bob } = peers)
  await ada.send(bob, 'do you know me?', { isStranger: true })
  await eventually(async () => (await bob.received(ada)).length === 1, 'Bob has it')
})
afterEach(() => peers.stop())

const requestsOf = async (peer: TestPeer): Promise<string[]> =>
  (await peer.engine.snapshot()).conversations.filter(isMessageRequest).map(({ person }) => person.accountId)
const stateOf = async (text: string) => (await ada.messages(bob)).find(message => message.text === text)?.state

test('a stranger who writes is a request, and sees no more than Sent, also once Bob has read it and started again', async () => {
  expect(await requestsOf(bob)).toEqual([ada.me.accountId])
  const [request] = (await bob.engine.snapshot()).conversations
  expect(request).toMatchObject({ unread: 1, lastMessage: { text: 'do you know me?' } })
  await bob.engine.conversations.markRead(request!.id)
  network.submitted.splice(0)
  // A restart says everything that is due.
  await bob.restart()
  await bob.engine.online(5_000)
  await ada.send(bob, 'please answer', { isStranger: true })
  await eventually(async () => (await bob.received(ada)).length === 2, 'Bob has it')
  await bob.engine.stop()
  await eventually(async () => (await stateOf('please answer')) === 'sent', 'the network keeps it')
  expect(await stateOf('do you know me?')).toBe('sent')
  await bob.start()
})

test('accepting tells what was due: delivered, and read where it was', async () => {
  const [request] = (await bob.engine.snapshot()).conversations
  await bob.engine.conversations.markRead(request!.id)
  await bob.engine.people.mark(ada.me.accountId, { answer: 'accepted' })
  expect(await requestsOf(bob)).toEqual([])
  await eventually(async () => (await stateOf('do you know me?')) === 'read', 'read')
})

test('writing to a person accepts them', async () => {
  await bob.send(ada, 'yes, from the library')
  expect(await requestsOf(bob)).toEqual([])
  expect((await bob.engine.people.find(ada.me.accountId))!.marks.answer).toBe('accepted')
  await eventually(async () => (await stateOf('do you know me?')) === 'delivered', 'delivered')
  // Ada wrote first: Bob was no request of hers.
  await eventually(async () => (await ada.received(bob)).length === 1, 'Ada has the answer')
  expect(await requestsOf(ada)).toEqual([])
})

test('an ignored person is off the list and learns nothing; what they wrote stays', async () => {
  await bob.engine.people.mark(ada.me.accountId, { answer: 'ignored' })
  expect(await requestsOf(bob)).toEqual([])
  await ada.send(bob, 'hello?', { isStranger: true })
  await eventually(async () => (await bob.received(ada)).length === 2, 'Bob has it')
  expect(await requestsOf(bob)).toEqual([])
  await eventually(async () => (await stateOf('hello?')) === 'sent', 'the network keeps it')
})

test('where Bob wants to hear a word, strangers are put aside until they prove it, and are told nothing', async () => {
  await jsonOn(bob.engine, 'requests', 'word', 'set', ' Wintermute ')
  expect(await requestsOf(bob)).toEqual([])
  expect(await jsonOn(bob.engine, 'requests')).toEqual({ code: 0, lines: [] })
  expect(await jsonOn(bob.engine, 'requests', '--all')).toMatchObject({
    lines: [{ accountId: ada.me.accountId, lacksWord: true }]
  })
  const { id } = await ada.engine.conversations.open(bob.me.accountId)
  await ada.engine.conversations.sayWord(id, 'neuromancer')
  await ada.send(bob, 'with a wrong word', { isStranger: true })
  await eventually(async () => (await bob.received(ada)).length === 2, 'Bob has it')
  expect(await requestsOf(bob)).toEqual([])
  await ada.engine.conversations.sayWord(id, 'WINTERMUTE')
  await eventually(async () => (await requestsOf(bob)).length === 1, 'Bob sees that she knows it')
  expect(await stateOf('with a wrong word')).toBe('sent')
  await bob.restart()
  expect(await requestsOf(bob)).toEqual([ada.me.accountId])
  // Another word asks everybody again who was not answered.
  await bob.engine.account.setFirstWord('Neuromancer 2')
  expect(await requestsOf(bob)).toEqual([])
  await bob.engine.account.setFirstWord(null)
  expect(await requestsOf(bob)).toEqual([ada.me.accountId])
  for (const word of [' ', 'x'.repeat(65)]) {
    await expect(bob.engine.account.setFirstWord(word)).rejects.toMatchObject({ code: 'word-malformed' })
  }
})

test('the word stays with those who know it: neither nodes nor the other side get it', async () => {
  await bob.engine.account.setFirstWord('wintermute')
  const { id } = await ada.engine.conversations.open(bob.me.accountId)
  await ada.engine.conversations.sayWord(id, 'wintermute')
  await eventually(async () => (await requestsOf(bob)).length === 1, 'Bob sees that she knows it')
  for (const envelope of network.submitted) expect(Buffer.from(envelope).includes('wintermute')).toBe(false)
  expect((await bob.engine.snapshot()).me!.firstWord).toBe('wintermute')
})
