import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { PeerEvents } from '../../../peer/peer-api.ts'
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
