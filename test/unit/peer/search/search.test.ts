import { afterEach, beforeEach, expect, test } from 'vitest'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { commandOn, jsonOn } from '../../../support/peer/run-peer.ts'
import type { TestPeer } from '../../../support/peer/test-peer.ts'
import { twoPeers, type TwoPeers } from '../../../support/peer/two-peers.ts'
import { eventually } from '../../../support/wait-for.ts'

let peers: TwoPeers
let ada: TestPeer
let bob: TestPeer

beforeEach(async () => {
  peers = await twoPeers()
  ;({ ada, bob } = peers)
})
afterEach(() => peers.stop())

const found = async (peer: TestPeer, text: string): Promise<string[]> =>
  (await peer.engine.search.find(text)).messages.map(({ message }) => message.text)

test('every message of both sides is found by a part of a word, also after a restart', async () => {
  await ada.send(bob, 'The café is closed')
  await eventually(async () => (await bob.received(ada)).length === 1, 'Bob has it')
  await bob.send(ada, 'Then the library')
  await eventually(async () => (await ada.received(bob)).length === 1, 'Ada has it')
  for (const peer of [ada, bob]) {
    expect(await found(peer, 'CAF')).toEqual(['The café is closed'])
    expect(await found(peer, 'the')).toEqual(['Then the library', 'The café is closed'])
  }
  await ada.restart()
  expect(await found(ada, 'librar')).toEqual(['Then the library'])
  await ada.crash()
  expect(await found(ada, 'librar')).toEqual(['Then the library'])
  expect(await ada.engine.search.find(' \u200b')).toEqual({ people: [], chats: [], messages: [], since: null })
})

test('people and chats are found by nickname, display name and username', async () => {
  await ada.send(bob, 'hello')
  await ada.engine.people.mark(bob.me.accountId, { nickname: 'Bobby Tables' })
  const { people, chats, messages } = await ada.engine.search.find('tab bob')
  expect(people.map(({ accountId }) => accountId)).toEqual([bob.me.accountId])
  expect(chats.map(({ title }) => title)).toEqual(['Bobby Tables'])
  expect(messages).toEqual([])
})

test('a new own device finds the history that was shipped to it', async () => {
  await ada.send(bob, 'from before the tablet')
  await eventually(async () => (await bob.received(ada)).length === 1, 'Bob has it')
  const tablet = await linkedDevice(peers.network, ada)
  try {
    await eventually(async () => (await tablet.engine.history.status()).state === 'done', 'the history is there')
    expect(await found(tablet, 'before')).toEqual(['from before the tablet'])
  } finally {
    await tablet.engine.stop()
  }
})

test('the command prints one line for each, with its kind, and says since when there are messages', async () => {
  await ada.send(bob, 'meet Bobby at noon')
  await ada.engine.people.mark(bob.me.accountId, { contact: true, nickname: 'Bobby' })
  const { code, lines } = await jsonOn(ada.engine, 'search', 'bobby')
  expect(code).toBe(0)
  const { id } = await ada.engine.conversations.open(bob.me.accountId)
  expect(lines).toEqual([
    expect.objectContaining({ kind: 'person', accountId: bob.me.accountId }),
    expect.objectContaining({ kind: 'chat', conversation: id, title: 'Bobby' }),
    expect.objectContaining({ kind: 'message', conversation: id, text: 'meet Bobby at noon', mine: true })
  ])
  const text = await commandOn(ada.engine, 'search', 'noon', '--limit', '1')
  expect(text.stdout).toMatch(/^message {2}.*meet Bobby at noon\n$/)
  expect(text.stderr).toMatch(/begin on \d{4}-\d\d-\d\d/)
  expect(await jsonOn(ada.engine, 'search', 'nothing like it')).toEqual({ code: 0, lines: [] })
})
