import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { TypingNotice } from '../../../peer/peer-api.ts'
import { acceptedPair } from '../../support/peer/accepted-pair.ts'
import { jsonOn } from '../../support/peer/run-peer.ts'
import type { TestPeer } from '../../support/peer/test-peer.ts'
import { eventually } from '../../support/wait-for.ts'

let ada: TestPeer
let bob: TestPeer
let chat: string

beforeEach(async () => {
  ;({ ada, bob, chat } = await acceptedPair())
})
afterEach(() => Promise.all([ada.engine.stop(), bob.engine.stop()]))

/** What a peer hears from now on. */
function heardBy(peer: TestPeer): TypingNotice[] {
  const heard: TypingNotice[] = []
  peer.engine.on('typing', notice => heard.push(notice))
  return heard
}

test('`listen` prints who types only if it is asked to', async () => {
  const on = vi.spyOn(bob.engine, 'on')
  const listening = (...options: string[]) =>
    jsonOn(bob.engine, 'listen', '--count', '1', '--timeout', '60', ...options)
  const heard = heardBy(bob)
  const plain = listening()
  await ada.engine.messages.tellTyping(chat, true)
  await eventually(() => heard.length > 0, 'the notice')
  await ada.engine.messages.sendText(chat, 'here I am')
  expect((await plain).lines).toMatchObject([{ text: 'here I am' }])
  on.mockClear()
  const asked = listening('--typing')
  await eventually(() => on.mock.calls.some(([event]) => event === 'typing'), 'the listener')
  await ada.engine.messages.tellTyping(chat, true)
  await eventually(() => heard.length > 1, 'the other notice')
  await ada.engine.messages.sendText(chat, 'and here')
  const { conversationId: conversation } = heard[0]!
  const [typing, message] = (await asked).lines as { from: string }[]
  expect(typing).toEqual({ event: 'typing', conversation, from: message!.from, active: true })
  expect(message).toMatchObject({ text: 'and here' })
})

test('an accepted person sees that one types, and that one has stopped', async () => {
  const heard = heardBy(bob)
  await ada.engine.messages.tellTyping(chat, true)
  await ada.engine.messages.tellTyping(chat, false)
  await eventually(() => heard.length === 2, 'both notices')
  expect(heard).toMatchObject([
    { conversationId: chat, from: ada.me.accountId, isTyping: true },
    { from: ada.me.accountId, isTyping: false }
  ])
  expect(heard[0]!.until).toBeGreaterThan(0)
})

test('who does not tell is not told, and reading is told only by those who want it', async () => {
  const [byAda, byBob] = [heardBy(ada), heardBy(bob)]
  expect(await jsonOn(ada.engine, 'privacy', '--typing', 'off')).toEqual({
    code: 0,
    lines: [{ tellsRead: true, tellsTyping: false, tellsPresence: true }]
  })
  await ada.engine.messages.tellTyping(chat, true)
  await bob.engine.messages.tellTyping(chat, true)
  await ada.engine.account.changePrivacy({ tellsRead: false })
  await ada.engine.conversations.markRead(chat)
  // What comes after it has passed what would have been told before it.
  await ada.engine.messages.sendText(chat, 'the last word')
  await eventually(
    async () => (await bob.engine.messages.page(chat)).some(({ text }) => text === 'the last word'),
    'the last word'
  )
  expect([byAda, byBob]).toEqual([[], []])
  const [hello] = await bob.engine.messages.page(chat)
  expect(hello!.state).not.toBe('read')
  expect((await ada.engine.snapshot()).me!.privacy).toEqual({
    tellsRead: false,
    tellsTyping: false,
    tellsPresence: true
  })
  await ada.restart()
  expect((await ada.engine.snapshot()).me!.privacy).toEqual({
    tellsRead: false,
    tellsTyping: false,
    tellsPresence: true
  })
})

test('a person who is not accepted neither learns nor shows it', async () => {
  const heard = heardBy(bob)
  await bob.engine.people.mark(ada.me.accountId, { answer: 'ignored' })
  await ada.engine.messages.tellTyping(chat, true)
  await ada.engine.messages.sendText(chat, 'are you there?')
  await eventually(
    async () => (await bob.engine.messages.page(chat)).some(({ text }) => text === 'are you there?'),
    'the message'
  )
  expect(heard).toEqual([])
})
