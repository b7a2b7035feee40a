import { afterEach, beforeEach, expect, test } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
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
  for (const text of ['buy gold', 'private matter', 'last warning']) await ada.send(bob, text)
  await eventually(async () => (await bob.received(ada)).length === 3, 'Bob has them')
})
afterEach(() => peers.stop())

test('a report holds the words and the messages that the reporter chose, and no others', async () => {
  const messages = await bob.messages(ada)
  const [gold, , warning] = messages.filter(({ kind }) => kind === 'text')
  const chosen = [gold!.id, warning!.id]
  const { origin } = await bob.engine.people.report(ada.me.accountId, { text: 'spam', messages: chosen })
  expect(origin).toBe(peers.network.url())
  const [report] = peers.network.reports
  expect(report).toMatchObject({ text: 'spam', messages: [{ text: 'buy gold' }, { text: 'last warning' }] })
  expect(toHex(report!.about)).toBe(ada.me.accountId)
  expect(report!.messages.every(({ from }) => toHex(from) === ada.me.accountId)).toBe(true)
})

test('what is too much, not here, or about oneself is not sent', async () => {
  const { people } = bob.engine
  const about = ada.me.accountId
  await expect(people.report(bob.me.accountId, { text: 'x', messages: [] })).rejects.toMatchObject({
    code: 'own-account'
  })
  await expect(people.report(about, { text: 'x'.repeat(2_001), messages: [] })).rejects.toMatchObject({
    code: 'message-too-long'
  })
  await expect(people.report(about, { text: '', messages: ['00'.repeat(32)] })).rejects.toMatchObject({
    code: 'no-message'
  })
  await expect(
    people.report(about, { text: '', messages: Array<string>(21).fill('00'.repeat(32)) })
  ).rejects.toMatchObject({
    code: 'too-many-messages'
  })
  peers.network.down.add(0)
  await expect(people.report(about, { text: 'x', messages: [] })).rejects.toMatchObject({ code: 'offline' })
  expect(peers.network.reports).toEqual([])
})

test('the command takes the beginnings of ids, and says who has the report', async () => {
  const [gold] = (await bob.messages(ada)).filter(({ kind }) => kind === 'text')
  const args = ['report', ada.me.accountId, '--text', 'spam', '--message', gold!.id.slice(0, 12)]
  expect(await jsonOn(bob.engine, ...args)).toMatchObject({
    code: 0,
    lines: [{ accountId: ada.me.accountId, reportedTo: peers.network.url(), messages: [gold!.id] }]
  })
  expect(peers.network.reports).toMatchObject([{ text: 'spam', messages: [{ text: 'buy gold' }] }])
  await expect(commandOn(bob.engine, 'report', ada.me.accountId)).rejects.toThrow('--text or --message is missing')
})
