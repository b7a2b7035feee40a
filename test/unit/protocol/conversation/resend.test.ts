/** What is done about messages that did not arrive, and what must not be done. */
import { beforeAll, describe, expect, it } from 'vitest'
import {
  ANSWER_WINDOW_MS,
  answerResendRequest,
  MAX_ANSWERED_MESSAGES,
  MAX_REQUEST_ATTEMPTS,
  MAX_REQUEST_RANGES,
  REQUEST_INTERVAL_MS,
  requestsDue,
  resendAnswersState,
  resendRequestsState,
  type ResendAnswers,
  type ResendRequests,
  type SentLookup
} from '../../../../protocol/conversation/resend.ts'
import type { SequenceRange } from '../../../../protocol/conversation/sequencer.ts'
import { emptyOutbound, type Outbound } from '../../../../protocol/session/outbound.ts'
import { rosterDevices, type Roster } from '../../../../protocol/roster/roster.ts'
import { createAccount, openTo, rosterOf, START, testEnvironment, type TestDevice } from '../session/fixtures.ts'

const env = testEnvironment('resend')
const DAY_MS = 86_400_000
let ada: TestDevice
let b1: TestDevice
let b2: TestDevice
let roster: Roster

beforeAll(async () => {
  const accounts = [await createAccount(env, 1), await createAccount(env, 2)] as const
  ada = accounts[0].devices[0]!
  ;[b1, b2] = accounts[1].devices as [TestDevice, TestDevice]
  roster = rosterOf(env, ...accounts)
})

const gap = (from: number, to: number): SequenceRange => ({ from, to })

/** Everything that was ever sent is kept, but for some. */
const keptBut =
  (...lost: number[]): SentLookup =>
  async ({ from, to }, limit) => {
    const found: number[] = []
    for (let sequence = from; sequence <= to && found.length < limit; sequence++) {
      if (!lost.includes(sequence)) found.push(sequence)
    }
    return found
  }

describe('a resend request', () => {
  it('goes out at once for a new gap, then less and less often, then never', () => {
    let state: ResendRequests | undefined
    let now = START
    for (let attempt = 0; attempt < MAX_REQUEST_ATTEMPTS; attempt++) {
      const step = requestsDue(state, b1.deviceId, [gap(3, 4)], now)
      expect(step.ranges).toEqual([gap(3, 4)])
      state = resendRequestsState.decode(resendRequestsState.encode(step.state!))
      const wait = REQUEST_INTERVAL_MS * 2 ** attempt
      expect(requestsDue(state, b1.deviceId, [gap(3, 4)], now + wait - 1).ranges).toEqual([])
      now += wait
    }
    expect(requestsDue(state, b1.deviceId, [gap(3, 4)], now * 2).ranges).toEqual([])
  })

  it('is asked for soon again once part of the gap was filled, and ends with it', () => {
    let state: ResendRequests | undefined
    for (let attempt = 0; attempt < 5; attempt++) {
      state = requestsDue(state, b1.deviceId, [gap(3, 9)], START + attempt * DAY_MS).state
    }
    const now = START + 5 * DAY_MS
    expect(requestsDue(state, b1.deviceId, [gap(5, 9)], now).ranges).toEqual([gap(5, 9)])
    expect(requestsDue(state, b1.deviceId, [], now)).toEqual({ state: undefined, ranges: [] })
  })

  it('goes on for other gaps where one can never be filled', () => {
    let state: ResendRequests | undefined
    let now = START
    for (; now < START + 40 * DAY_MS; now += REQUEST_INTERVAL_MS) {
      state = requestsDue(state, b1.deviceId, [gap(5, 5)], now).state
    }
    expect(requestsDue(state, b1.deviceId, [gap(5, 5)], now).ranges).toEqual([])
    expect(requestsDue(state, b1.deviceId, [gap(5, 5), gap(100, 140)], now).ranges).toEqual([gap(100, 140)])
  })

  it('names what was asked least often first, and no more ranges than a bound', () => {
    const gaps = Array.from({ length: 100 }, (_, i) => gap(2 * i, 2 * i))
    const first = requestsDue(undefined, b1.deviceId, gaps, START)
    expect(first.ranges).toEqual(gaps.slice(0, MAX_REQUEST_RANGES))
    const second = requestsDue(first.state, b1.deviceId, gaps, START + 10 * REQUEST_INTERVAL_MS)
    expect(second.ranges).toEqual(gaps.slice(MAX_REQUEST_RANGES, 2 * MAX_REQUEST_RANGES))
  })

  it('waits for no clock that was put back', () => {
    const { state } = requestsDue(undefined, b1.deviceId, [gap(3, 4)], START + DAY_MS)
    expect(requestsDue(state, b1.deviceId, [gap(3, 4)], START).ranges).toEqual([gap(3, 4)])
  })

  const outbound = (next: number, joined: [TestDevice, number][]): Outbound => ({
    ...emptyOutbound(env, roster.conversationId, ada.deviceId),
    nextSequence: next,
    joined: joined.map(([{ deviceId }, since]) => ({ deviceId, since }))
  })

  const answer = (
    state: Outbound,
    device: TestDevice,
    ranges: SequenceRange[],
    {
      answers = [],
      isListed = true,
      sentIn = keptBut(),
      now = START
    }: {
      answers?: ResendAnswers
      isListed?: boolean
      sentIn?: SentLookup
      now?: number
    } = {}
  ) => answerResendRequest(state, answers, device.deviceId, isListed, ranges, sentIn, now)

  it('is answered with what was asked for and sent', async () => {
    const { sequences, gone } = await answer(outbound(10, [[b1, 0]]), b1, [gap(2, 4), gap(8, 20)])
    expect(sequences).toEqual([2, 3, 4, 8, 9])
    expect(gone).toEqual([])
  })

  it('is told what is gone, and that counts nothing against the hour', async () => {
    const state = outbound(1_000, [[b1, 0]])
    const lost = Array.from({ length: 300 }, (_, sequence) => sequence)
    const got = await answer(state, b1, [gap(0, 299), gap(500, 500)], { sentIn: keptBut(...lost) })
    expect(got.sequences).toEqual([500])
    expect(got.gone).toEqual([gap(0, 299)])
    const rest = await answer(state, b1, [gap(600, 999)], { answers: got.answers })
    expect(rest.sequences).toHaveLength(MAX_ANSWERED_MESSAGES - 1)
    const holes = await answer(state, b1, [gap(0, 5)], { sentIn: keptBut(0, 2, 3) })
    expect(holes).toMatchObject({ sequences: [1, 4, 5], gone: [gap(0, 0), gap(2, 3)] })
  })

  it('is told nothing of what lies beyond the rate: it may still come', async () => {
    const got = await answer(outbound(1_000, [[b1, 0]]), b1, [gap(0, 400)], { sentIn: keptBut(7, 390) })
    expect(got.sequences.at(-1)).toBe(MAX_ANSWERED_MESSAGES)
    expect(got.gone).toEqual([gap(7, 7)])
  })

  it('gets nothing that was sent while the device was not in the roster, and is told so', async () => {
    const { sequences, gone } = await answer(outbound(10, [[b1, 6]]), b1, [gap(0, 9)])
    expect(sequences).toEqual([6, 7, 8, 9])
    expect(gone).toEqual([gap(0, 5)])
  })

  it('gets nothing for a device that has left, or was never there', async () => {
    const state = outbound(10, [[b1, 0]])
    expect(await answer(state, b1, [gap(0, 9)], { isListed: false })).toMatchObject({ sequences: [], gone: [] })
    expect(await answer(state, b2, [gap(0, 9)])).toMatchObject({ sequences: [], gone: [] })
  })

  it('gets nothing from before a removal after the device came back', async () => {
    const once = await openTo(env, ada, roster, [b1, b2])
    const grown = { ...once.outbound, nextSequence: 5 }
    const smaller = {
      ...roster,
      members: roster.members.map(member => ({
        ...member,
        devices: member.devices.filter(device => device.deviceId !== b2.deviceId)
      }))
    }
    expect(rosterDevices(smaller)).toHaveLength(2)
    const removed = await openTo(env, ada, smaller, [b1], { outbound: grown, ownKeys: once.ownKeys })
    const back = await openTo(env, ada, roster, [b1, b2], {
      outbound: { ...removed.outbound, nextSequence: 8 },
      ownKeys: removed.ownKeys
    })
    const state = { ...back.outbound, nextSequence: 9 }
    expect((await answer(state, b1, [gap(0, 8)])).sequences).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect((await answer(state, b2, [gap(0, 8)])).sequences).toEqual([8])
  })

  it('is limited in rate for each device, and ranges that overlap count once', async () => {
    const joined: [TestDevice, number][] = [
      [b1, 0],
      [b2, 0]
    ]
    const state = outbound(10_000, joined)
    const first = await answer(state, b1, [gap(0, 149), gap(0, 149)])
    expect(first.sequences).toHaveLength(150)
    const { answers } = await answer(state, b1, [gap(150, 9999)], { answers: first.answers, now: START + 1 })
    const later = async (device: TestDevice, now: number, ranges = [gap(0, 9999)]) =>
      (await answer(state, device, ranges, { answers, now })).sequences
    expect(await later(b1, START + ANSWER_WINDOW_MS - 1)).toEqual([])
    expect(await later(b2, START + 2, [gap(0, 9)])).toHaveLength(10)
    expect(await later(b1, START + ANSWER_WINDOW_MS)).toHaveLength(MAX_ANSWERED_MESSAGES)
    expect(resendAnswersState.decode(resendAnswersState.encode(answers))).toEqual(answers)
  })

  it('with absurd numbers costs no time', async () => {
    const state = outbound(10, [[b1, 0]])
    const ranges = Array.from({ length: 1000 }, () => gap(0, Number.MAX_SAFE_INTEGER))
    expect((await answer(state, b1, ranges)).sequences).toHaveLength(10)
    expect((await answer(state, b1, [gap(9, 2)])).sequences).toEqual([])
  })
})
