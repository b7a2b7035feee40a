import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  emptySequencer,
  hasGaps,
  markGone,
  MAX_HELD_MESSAGES,
  MAX_MISSING_RANGES,
  noteSession,
  receiveMessage,
  releaseHeld,
  sequencerState,
  visibleGaps,
  wakeAt,
  type Emission,
  type SequencedMessage,
  type Sequencer
} from '../../../../protocol/conversation/sequencer.ts'
import type { ConversationId } from '../../../../protocol/roster/roster.ts'
import type { DeviceId } from '../../../../protocol/identity/device.ts'
import { GAP_HOLD_MS } from '../../../../protocol/limits.ts'
import { firstPredecessor, messageHash } from '../../../../protocol/session/message-hash.ts'
import { START, testEnvironment } from '../session/fixtures.ts'

const env = testEnvironment('sequencer')
const sender = {
  conversationId: new Uint8Array(32).fill(1) as ConversationId,
  deviceId: new Uint8Array(16).fill(2) as DeviceId
}

/** The row of messages that the sender made. */
function rowOf(count: number): SequencedMessage[] {
  const row: SequencedMessage[] = []
  let predecessor = firstPredecessor(env.crypto, env.network, sender)
  for (let sequence = 0; sequence < count; sequence++) {
    const content = Uint8Array.of(sequence >> 8, sequence & 255)
    row.push({ sequence, predecessor, content })
    predecessor = messageHash(env.crypto, env.network, sender, sequence, predecessor, content)
  }
  return row
}

const row = rowOf(600)
const numbers = (emitted: Emission[]) =>
  emitted.map(e => (e.kind === 'message' ? e.sequence : `${e.kind} ${e.from}-${e.to}`))

/** A sequencer under test, restarted at every step, that records what it emits. */
class Screen {
  state: Sequencer = emptySequencer(sender.conversationId, sender.deviceId)
  emitted: Emission[] = []

  constructor() {
    env.clock.time = START
  }

  #step({ sequencer, emitted }: { sequencer: Sequencer; emitted: Emission[] }): Emission[] {
    this.state = sequencerState.decode(sequencerState.encode(sequencer))
    this.emitted.push(...emitted)
    return emitted
  }

  receive(sequence: number, message = row[sequence]!): Emission[] {
    return this.#step(receiveMessage(env, this.state, message))
  }

  note(since: number, firstSequence: number): Emission[] {
    return this.#step(noteSession(env, this.state, { since, firstSequence }))
  }

  gone(ranges: { from: number; to: number }[]): Emission[] {
    return this.#step(markGone(this.state, ranges))
  }

  wait(milliseconds = GAP_HOLD_MS): Emission[] {
    env.clock.advance(milliseconds)
    return this.#step(releaseHeld(env, this.state))
  }
}

describe('the sequencer', () => {
  it('emits messages that arrive in order at once', () => {
    const screen = new Screen()
    expect(numbers(screen.receive(0))).toEqual([0])
    expect(numbers(screen.receive(1))).toEqual([1])
    expect(wakeAt(screen.state)).toBeUndefined()
  })

  it('holds what came too early and emits it in order', () => {
    const screen = new Screen()
    expect(screen.receive(2)).toEqual([])
    expect(screen.receive(1)).toEqual([])
    expect(numbers(screen.receive(0))).toEqual([0, 1, 2])
    expect(screen.emitted.every(e => e.kind === 'message' && e.linked && !e.late)).toBe(true)
  })

  it('holds for ten seconds, then tells the gap and goes on', () => {
    const screen = new Screen()
    screen.receive(0)
    screen.receive(3)
    expect(wakeAt(screen.state)).toBe(START + GAP_HOLD_MS)
    expect(hasGaps(screen.state)).toBe(true)
    expect(visibleGaps(screen.state)).toEqual([])
    expect(screen.wait(GAP_HOLD_MS - 1)).toEqual([])
    expect(numbers(screen.wait(1))).toEqual(['gap 1-2', 3])
    expect(visibleGaps(screen.state)).toEqual([{ from: 1, to: 2 }])
  })

  it('holds for no longer where the clock is put back meanwhile', () => {
    const screen = new Screen()
    screen.receive(0)
    screen.receive(3)
    expect(screen.wait(-3_600_000)).toEqual([])
    expect(numbers(screen.wait())).toEqual(['gap 1-2', 3])
  })

  it('emits what fills a gap late, for its place', () => {
    const screen = new Screen()
    for (const sequence of [0, 4]) screen.receive(sequence)
    screen.wait()
    expect(screen.receive(2)).toEqual([
      { kind: 'message', sequence: 2, content: row[2]!.content, hash: row[3]!.predecessor, late: true, linked: true }
    ])
    expect(visibleGaps(screen.state)).toEqual([
      { from: 1, to: 1 },
      { from: 3, to: 3 }
    ])
    screen.receive(1)
    screen.receive(3)
    expect(hasGaps(screen.state)).toBe(false)
    expect(screen.emitted.every(e => e.kind !== 'message' || e.linked)).toBe(true)
  })

  it('a gap that its sender cannot fill is told as gone, is asked for no more, and is still filled if it comes', () => {
    const screen = new Screen()
    screen.receive(0)
    screen.receive(6)
    screen.wait()
    screen.emitted = []
    screen.gone([
      { from: 0, to: 2 },
      { from: 5, to: 900 }
    ])
    expect(numbers(screen.emitted)).toEqual(['gone 1-2', 'gone 5-5'])
    expect(visibleGaps(screen.state)).toEqual([{ from: 3, to: 4 }])
    // A second time changes nothing, and what is here cannot be taken back.
    expect(screen.gone([{ from: 0, to: 2 }])).toEqual([])
    screen.receive(1)
    screen.receive(3)
    screen.receive(4)
    expect(numbers(screen.emitted).slice(2)).toEqual([1, 3, 4])
    expect(hasGaps(screen.state)).toBe(false)
    expect(screen.emitted.every(e => e.kind !== 'message' || e.linked)).toBe(true)
  })

  it('a whole session dropped shows as a gap as soon as a later Open or message arrives', () => {
    const screen = new Screen()
    screen.note(0, 0)
    for (let sequence = 0; sequence < 3; sequence++) screen.receive(sequence)
    // Messages 3 to 9 were in a session of which nothing arrived.
    screen.note(0, 10)
    expect(hasGaps(screen.state)).toBe(true)
    expect(numbers(screen.wait())).toEqual(['gap 3-9'])
    expect(numbers(screen.receive(10))).toEqual([10])
  })

  it('an Open that was lost at the very start shows as a gap too', () => {
    const screen = new Screen()
    screen.note(0, 5)
    screen.receive(5)
    expect(numbers(screen.wait())).toEqual(['gap 0-4', 5])
  })

  it('what was sent before this device joined is no gap, and is not asked for', () => {
    const screen = new Screen()
    screen.note(7, 7)
    expect(hasGaps(screen.state)).toBe(false)
    expect(numbers(screen.receive(7))).toEqual([7])
    expect(visibleGaps(screen.state)).toEqual([])
  })

  it('what was announced before this device left stays a gap when it comes back', () => {
    const screen = new Screen()
    screen.note(0, 0)
    screen.receive(0)
    screen.note(0, 4)
    expect(numbers(screen.note(20, 22))).toEqual(['gap 1-3'])
    expect(visibleGaps(screen.state)).toEqual([{ from: 1, to: 3 }])
    expect(numbers(screen.wait())).toEqual(['gap 20-21'])
    // A straggler from the time before still finds its place.
    expect(numbers(screen.receive(5))).toEqual([5])
  })

  it('a message that names another predecessor than the one shown is marked', () => {
    const screen = new Screen()
    screen.receive(0)
    const forked = { ...row[1]!, predecessor: new Uint8Array(32) }
    expect(screen.receive(1, forked)).toMatchObject([{ sequence: 1, linked: false }])
  })

  it('a message sent again with other content than was first sent is marked', () => {
    const screen = new Screen()
    screen.receive(0)
    screen.receive(2)
    screen.wait()
    expect(screen.receive(1, { ...row[1]!, content: Uint8Array.of(9) })).toMatchObject([{ sequence: 1, linked: false }])
    // It takes the place nevertheless: nothing is shown twice.
    expect(screen.receive(1)).toEqual([])
  })

  it('shows everything once and in order for any arrival with repetitions, when nothing is held too long', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...row.keys()].slice(0, 40), { minLength: 40 }),
        fc.array(fc.nat(39)),
        (order, again) => {
          const screen = new Screen()
          for (const [place, sequence] of order.entries()) {
            screen.receive(sequence)
            const repeated = again[place]
            if (repeated !== undefined && order.indexOf(repeated) <= place) screen.receive(repeated)
          }
          expect(numbers(screen.emitted)).toEqual([...row.keys()].slice(0, 40))
        }
      )
    )
  })

  it('shows each message once, in order but for late ones, and every missing one as a gap, for any arrival, loss and delay', () => {
    const arrival = fc.record({ sequence: fc.nat(39), pause: fc.constantFrom(0, 0, 0, 4_000, GAP_HOLD_MS) })
    fc.assert(
      fc.property(fc.array(arrival, { maxLength: 100 }), arrivals => {
        const screen = new Screen()
        for (const { sequence, pause } of arrivals) {
          screen.receive(sequence)
          if (pause > 0) screen.wait(pause)
        }
        screen.wait()
        const received = new Set(arrivals.map(({ sequence }) => sequence))
        const shown = screen.emitted.filter(e => e.kind === 'message')
        expect(shown.map(({ sequence }) => sequence).sort((a, b) => a - b)).toEqual([...received].sort((a, b) => a - b))
        const inOrder = shown.filter(({ late }) => !late).map(({ sequence }) => sequence)
        expect(inOrder).toEqual([...inOrder].sort((a, b) => a - b))
        expect(shown.every(({ linked }) => linked)).toBe(true)
        const missing = new Set<number>()
        for (const { from, to } of visibleGaps(screen.state)) for (let s = from; s <= to; s++) missing.add(s)
        for (let s = 0; s < Math.max(-1, ...received); s++) expect(missing.has(s)).toBe(!received.has(s))
        for (const { sequence } of shown.filter(({ late }) => late)) {
          const told = screen.emitted.some(e => e.kind === 'gap' && e.from <= sequence && sequence <= e.to)
          expect(told).toBe(true)
        }
      }),
      { numRuns: 300 }
    )
  })

  it('keeps its memory bounded against a sender that skips on purpose', () => {
    let state = emptySequencer(sender.conversationId, sender.deviceId)
    env.clock.time = START
    const filler = { predecessor: new Uint8Array(32), content: new Uint8Array(10) }
    for (let sequence = 1; sequence < 4 * MAX_HELD_MESSAGES; sequence += 2) {
      state = receiveMessage(env, state, { sequence, ...filler }).sequencer
      expect(state.held.length).toBeLessThanOrEqual(MAX_HELD_MESSAGES)
      expect(state.missing.length).toBeLessThanOrEqual(MAX_MISSING_RANGES)
    }
    const big = { predecessor: new Uint8Array(32), content: new Uint8Array(60_000) }
    for (let sequence = 10_000; sequence < 10_100; sequence++) {
      state = receiveMessage(env, state, { sequence, ...big }).sequencer
    }
    expect(sequencerState.encode(state).length).toBeLessThan(5 * 1024 * 1024)
    const far = receiveMessage(env, state, { sequence: Number.MAX_SAFE_INTEGER, ...filler })
    expect(far.isNew).toBe(false)
  })
})
