import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { PeerEvents } from '../../../peer/peer-api.ts'
import { PersonWatch } from '../../../web/src/messages/person-watch.svelte.ts'
import { TypingNotices } from '../../../web/src/messages/typing-notices.svelte.ts'
import { FakePeer } from '../../support/fake-peer.ts'
import { busyWorld, conversationId, message, person } from '../../support/fixture-world.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const bob = person('Bob')
const id = conversationId(bob)

function opened() {
  const api = new FakePeer(busyWorld())
  const listeners = new Map<string, (value: never) => void>()
  vi.spyOn(api, 'on').mockImplementation((event, listener) => {
    listeners.set(event, listener as (value: never) => void)
    return () => void listeners.delete(event)
  })
  const tell = vi.spyOn(api.messages, 'tellTyping')
  const notices = new TypingNotices(api, id)
  notices.open()
  const hear = <K extends keyof PeerEvents>(event: K, value: PeerEvents[K]) => listeners.get(event)!(value as never)
  const types = (isTyping: boolean, conversation = id) =>
    hear('typing', { conversationId: conversation, from: bob.accountId, isTyping, until: Date.now() + 8_000 })
  return { notices, tell, hear, types }
}

it('who types is shown until they stop, write, or nothing is heard for a while', () => {
  const { notices, hear, types } = opened()
  types(true, 'another')
  expect(notices.typing).toEqual([])
  types(true)
  types(true)
  expect(notices.typing).toEqual([bob.accountId])
  types(false)
  expect(notices.typing).toEqual([])
  types(true)
  hear('message', message(bob, 0, 'here it is'))
  expect(notices.typing).toEqual([])
  types(true)
  vi.advanceTimersByTime(8_000)
  expect(notices.typing).toEqual([])
})

it('the others are told once in a while, and when the user rests or leaves', () => {
  const { notices, tell } = opened()
  notices.typed()
  notices.typed()
  expect(tell.mock.calls).toEqual([[id, true]])
  vi.advanceTimersByTime(4_000)
  notices.typed()
  expect(tell).toHaveBeenCalledTimes(2)
  vi.advanceTimersByTime(5_000)
  expect(tell).toHaveBeenLastCalledWith(id, false)
  notices.rested()
  expect(tell).toHaveBeenCalledTimes(3)
  notices.typed()
  notices.close()
  expect(tell).toHaveBeenLastCalledWith(id, false)
})

it('a person who is here shows so until it means nothing any more; the devices are asked only while the chat is on the screen', async () => {
  const api = new FakePeer(busyWorld())
  const events: ((value: PeerEvents['presence']) => void)[] = []
  vi.spyOn(api, 'on').mockImplementation((_event, listener) => {
    events.push(listener as (value: PeerEvents['presence']) => void)
    return () => void events.splice(0)
  })
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' })
  vi.stubGlobal('document', page)
  try {
    const ask = vi.spyOn(api.people, 'presence')
    const watch = new PersonWatch(api, bob.accountId)
    watch.open()
    await vi.advanceTimersByTimeAsync(0)
    expect(ask).toHaveBeenCalledTimes(1)
    const seenAt = Date.now()
    const notice = { state: 'here', seenAt, until: Date.now() + 60_000 } as const
    events[0]!({ ...notice, accountId: person('Mary').accountId })
    expect(watch.isHere).toBe(false)
    events[0]!({ ...notice, accountId: bob.accountId })
    expect([watch.isHere, watch.seenAt]).toEqual([true, seenAt])
    await vi.advanceTimersByTimeAsync(60_000)
    expect([watch.isHere, watch.seenAt]).toEqual([false, seenAt])
    await vi.advanceTimersByTimeAsync(65_000)
    expect(ask).toHaveBeenCalledTimes(2)
    page.visibilityState = 'hidden'
    await vi.advanceTimersByTimeAsync(600_000)
    watch.close()
    page.visibilityState = 'visible'
    await vi.advanceTimersByTimeAsync(600_000)
    expect(ask).toHaveBeenCalledTimes(2)
    expect(events).toEqual([])
  } finally {
    vi.unstubAllGlobals()
  }
})
