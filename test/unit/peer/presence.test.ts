import { afterEach, beforeEach, expect, test } from 'vitest'
import type { PresenceNotice } from '../../../peer/peer-api.ts'
import { acceptedPair, says } from '../../support/peer/accepted-pair.ts'
import { jsonOn } from '../../support/peer/run-peer.ts'
import type { TestPeer } from '../../support/peer/test-peer.ts'
import { eventually } from '../../support/wait-for.ts'

let ada: TestPeer
let bob: TestPeer
let chat: string

beforeEach(async () => {
  ;({ ada, bob, chat } = await acceptedPair())
  await says(ada, bob, 'hi')
})
afterEach(() => Promise.all([ada.engine.stop(), bob.engine.stop()]))

const idOf = (peer: TestPeer): string => peer.me.accountId

/** What a peer hears from now on. */
function heardBy(peer: TestPeer): PresenceNotice[] {
  const heard: PresenceNotice[] = []
  peer.engine.on('presence', notice => heard.push(notice))
  return heard
}

/** A message of Ada's has passed whatever was said before it. */
async function settled(text: string): Promise<void> {
  await ada.engine.messages.sendText(chat, text)
  await eventually(async () => (await bob.engine.messages.page(chat)).some(each => each.text === text), text)
  await bob.engine.messages.sendText(chat, `${text} too`)
  await eventually(async () => (await ada.engine.messages.page(chat)).some(each => each.text === `${text} too`), text)
}

test('who opens a chat learns that the person is here, and then that they went, and when they were here last', async () => {
  await bob.engine.people.setHere(true)
  const heard = heardBy(ada)
  expect(await ada.engine.people.presence(idOf(bob))).toMatchObject({ state: 'unknown', seenAt: null, isAsked: true })
  await eventually(() => heard.length === 1, 'the answer')
  expect(heard[0]).toMatchObject({ accountId: idOf(bob), state: 'here' })
  expect(heard[0]!.until).toBeGreaterThan(heard[0]!.seenAt!)
  await bob.engine.people.setHere(false)
  await eventually(() => heard.length === 2, 'the change')
  expect(heard[1]).toMatchObject({ state: 'away', until: null })
  expect(heard[1]!.seenAt! % 60_000).toBe(0)
  // It is kept: a start later, without any device of Bob.
  await ada.restart()
  expect(await ada.engine.people.presence(idOf(bob))).toMatchObject({ state: 'away', seenAt: heard[1]!.seenAt })
})

test('a device that goes says so; a chat that nobody opens costs nothing', async () => {
  await bob.engine.people.setHere(true)
  const [byAda, byBob] = [heardBy(ada), heardBy(bob)]
  await settled('before')
  expect([byAda, byBob]).toEqual([[], []])
  await ada.engine.people.presence(idOf(bob))
  await eventually(() => byAda.length === 1, 'the answer')
  // Asked again at once, nothing leaves the device.
  await ada.engine.people.presence(idOf(bob))
  await settled('after')
  expect(byAda).toHaveLength(1)
  await bob.engine.stop()
  await eventually(() => byAda.some(({ state }) => state === 'away'), 'the last word')
})

test('who does not tell is not told, on either side; and nobody who is not accepted learns anything', async () => {
  await bob.engine.people.setHere(true)
  await jsonOn(ada.engine, 'privacy', '--presence', 'off')
  const [byAda, byBob] = [heardBy(ada), heardBy(bob)]
  expect(await ada.engine.people.presence(idOf(bob))).toMatchObject({ state: 'unknown', isAsked: false })
  await bob.engine.people.presence(idOf(ada))
  await settled('off')
  expect([byAda, byBob]).toEqual([[], []])
  await ada.engine.account.changePrivacy({ tellsPresence: true })
  await bob.engine.people.mark(idOf(ada), { answer: 'ignored' })
  await ada.engine.people.presence(idOf(bob))
  await ada.engine.messages.sendText(chat, 'are you there?')
  await eventually(
    async () => (await bob.engine.messages.page(chat)).some(({ text }) => text === 'are you there?'),
    'the message'
  )
  expect([byAda, byBob]).toEqual([[], []])
})

test('`person` tells it', async () => {
  await bob.engine.people.setHere(true)
  // The command waits a moment only: the answer may be on its way already.
  const heard = heardBy(ada)
  await ada.engine.people.presence(idOf(bob))
  await eventually(() => heard.length > 0, 'the answer')
  const { lines } = await jsonOn(ada.engine, 'person', idOf(bob))
  expect(lines).toMatchObject([{ accountId: idOf(bob), presence: { state: 'here' } }])
})
