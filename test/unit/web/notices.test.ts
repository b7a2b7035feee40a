import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { en } from '../../../web/src/i18n/en/en.ts'
import { Announcer } from '../../../web/src/state/announcer.svelte.ts'
import { StatusNotice } from '../../../web/src/state/status-notice.svelte.ts'
import { me, message, PENDING, person, status } from '../../support/fixture-world.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe('the connection strip', () => {
  it('does not mention a connection that is back in a moment', () => {
    const notice = new StatusNotice()
    notice.take(status({ connection: 'connecting' }), null)
    vi.advanceTimersByTime(1_000)
    notice.take(status(), null)
    vi.advanceTimersByTime(10_000)
    expect(notice.connection).toBeNull()
  })

  it('says that there is none, and what state it is in by then', () => {
    const notice = new StatusNotice()
    notice.take(status({ connection: 'connecting' }), null)
    notice.take(status({ connection: 'offline' }), null)
    vi.advanceTimersByTime(2_000)
    expect(notice.connection).toEqual({ kind: 'offline' })
    notice.take(status({ connection: 'connecting' }), null)
    expect(notice.connection).toEqual({ kind: 'connecting' })
  })

  it('says how many waiting messages went out, then falls silent', () => {
    const notice = new StatusNotice()
    notice.take(status({ connection: 'offline', waiting: 1 }), null)
    notice.take(status({ connection: 'offline', waiting: 3 }), null)
    vi.advanceTimersByTime(2_000)
    notice.take(status({ waiting: 2 }), null)
    expect(notice.connection).toBeNull()
    notice.take(status({ waiting: 0 }), null)
    expect(notice.connection).toEqual({ kind: 'sent', count: 3 })
    notice.take(status({ waiting: 0 }), null)
    expect(notice.connection).toEqual({ kind: 'sent', count: 3 })
    vi.advanceTimersByTime(6_000)
    expect(notice.connection).toBeNull()
  })
})

describe('the strip of a wrong clock', () => {
  it('is there from the first word of it until the clock is right, whatever becomes of the connection', () => {
    const notice = new StatusNotice()
    const problem = { code: 'clock-wrong', facts: { offMs: 3 * 3_600_000 } } as const
    notice.take(status({ connection: 'offline', problem }), me())
    expect(notice.clock).toEqual(problem)
    notice.take(status({ connection: 'connecting', problem }), me())
    expect(notice.clock).toEqual(problem)
    notice.take(status({ problem: null }), me())
    expect(notice.clock).toBeNull()
  })
})

describe('the public record strip', () => {
  it('speaks of being added, and falls silent once that is done: good news needs none', () => {
    const notice = new StatusNotice()
    notice.take(status(), me({ record: PENDING, nameState: 'reserving' }))
    expect(notice.record).toBe('adding')
    notice.take(status(), me({ nameState: 'reserving' }))
    expect(notice.record).toBe('adding')
    notice.take(status(), me({ nameState: 'reserved' }))
    expect(notice.record).toBeNull()
  })

  it('says nothing to somebody who was recorded long ago', () => {
    const notice = new StatusNotice()
    notice.take(status(), me())
    expect(notice.record).toBeNull()
  })

  it('says when somebody else had the name first', () => {
    const notice = new StatusNotice()
    notice.take(status(), me({ nameState: 'taken' }))
    expect(notice.record).toBe('name-taken')
  })
})

describe('what a screen reader is told', () => {
  it('is a message by itself, several together', () => {
    const announcer = new Announcer(() => en)
    const [bob, charles] = [person('Bob'), person('Charles')]
    announcer.arrived(message(bob, 1, 'Hello'))
    vi.advanceTimersByTime(1_500)
    expect(announcer.text).toBe('Bob: Hello')
    announcer.arrived(message(bob, 0.9, 'Are you there?'))
    announcer.arrived(message(bob, 0.8, 'Well?'))
    vi.advanceTimersByTime(1_500)
    expect(announcer.text).toBe('2 new messages from Bob')
    announcer.arrived(message(bob, 0.7, 'Bye'))
    announcer.arrived(message(charles, 0.6, 'Hi'))
    vi.advanceTimersByTime(1_500)
    expect(announcer.text).toBe('2 new messages')
  })

  it('is told once, whatever becomes of the message', () => {
    const announcer = new Announcer(() => en)
    const hello = message(person('Bob'), 1, 'Hello')
    announcer.arrived(hello)
    vi.advanceTimersByTime(1_500)
    announcer.say('')
    announcer.arrived({ ...hello })
    vi.advanceTimersByTime(1_500)
    expect(announcer.text).toBe('')
  })
})
