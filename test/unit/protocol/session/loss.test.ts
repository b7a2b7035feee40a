/** What is done about Opens and messages that did not arrive, and what must not be done. */
import { beforeAll, describe, expect, it } from 'vitest'
import { rosterDevices, type Roster } from '../../../../protocol/roster/roster.ts'
import type { SequenceRange } from '../../../../protocol/session/resend.ts'
import {
  acknowledgeOpen,
  devicesToReopen,
  eraseDelivery,
  isDeliveryFinished,
  openDeliveryState,
  REOPEN_DELAY_MS,
  RESEAL_DELAY_MS,
  UNHEARD_DELAY_MS,
  type DeviceSituation
} from '../../../../protocol/session/open-delivery.ts'
import type { OpenedSession } from '../../../../protocol/session/open.ts'
import { emptyOutbound, type Outbound } from '../../../../protocol/session/outbound.ts'
import { reopenSession } from '../../../../protocol/session/reopen.ts'
import {
  ANSWER_WINDOW_MS,
  answerResendRequest,
  MAX_ANSWERED_MESSAGES,
  MAX_REQUEST_ATTEMPTS,
  REQUEST_INTERVAL_MS,
  requestsDue,
  resendAnswersState,
  resendRequestsState,
  type ResendRequests
} from '../../../../protocol/session/resend.ts'
import type { SealKeyId } from '../../../../protocol/session/seal-key.ts'
import {
  acceptAs,
  createAccount,
  openTo,
  partFor,
  rosterOf,
  START,
  testEnvironment,
  type TestAccount,
  type TestDevice
} from './fixtures.ts'

const env = testEnvironment('loss')
let bobs: TestAccount
let adas: TestAccount
let ada: TestDevice
let b1: TestDevice
let b2: TestDevice
let roster: Roster
let opened: OpenedSession

beforeAll(async () => {
  adas = await createAccount(env, 1)
  bobs = await createAccount(env, 2)
  ada = adas.devices[0]!
  ;[b1, b2] = bobs.devices as [TestDevice, TestDevice]
  roster = rosterOf(env, adas, bobs)
  opened = await openTo(env, ada, roster, [b1, b2])
})

const others = () => [b1.deviceId, b2.deviceId]
const nothing = (): DeviceSituation => ({ keyId: undefined, heardAt: undefined })

describe('an Open under way', () => {
  it('is finished once every device has acknowledged it, and its secret wiped', () => {
    const delivery = openDeliveryState.decode(openDeliveryState.encode(opened.delivery))
    expect(delivery).toEqual(opened.delivery)
    const one = acknowledgeOpen(delivery, b1.deviceId)
    expect(isDeliveryFinished(one, START)).toBe(false)
    expect(acknowledgeOpen(one, b1.deviceId)).toBe(one)
    const both = acknowledgeOpen(one, b2.deviceId)
    expect(isDeliveryFinished(both, START)).toBe(true)
    eraseDelivery(both)
    expect(both.secret).toEqual(new Uint8Array(32))
  })

  it('goes again to a device that is heard of but does not acknowledge, less and less often', () => {
    const heard = (): DeviceSituation => ({ keyId: undefined, heardAt: START + 1 })
    const due = (delivery = opened.delivery, at = START) => devicesToReopen(delivery, others(), heard, at)
    expect(due(opened.delivery, START + REOPEN_DELAY_MS - 1)).toEqual([])
    expect(due(opened.delivery, START + REOPEN_DELAY_MS)).toHaveLength(2)
    const third = {
      ...opened.delivery,
      waiting: opened.delivery.waiting.map(entry => ({ ...entry, attempts: 3 }))
    }
    expect(due(third, START + 4 * REOPEN_DELAY_MS - 1)).toEqual([])
    expect(due(third, START + 4 * REOPEN_DELAY_MS)).toHaveLength(2)
  })

  it('a lost Open with nobody to ask: goes again by time alone, and not after it would be refused', () => {
    expect(devicesToReopen(opened.delivery, others(), nothing, START + UNHEARD_DELAY_MS - 1)).toEqual([])
    expect(devicesToReopen(opened.delivery, others(), nothing, START + UNHEARD_DELAY_MS)).toHaveLength(2)
    const { expiry } = opened.delivery
    expect(devicesToReopen(opened.delivery, others(), nothing, expiry + 1)).toEqual([])
    expect(isDeliveryFinished(opened.delivery, expiry + 1)).toBe(true)
  })

  it('is sealed again soon when a device’s key has changed', () => {
    const changed = (): DeviceSituation => ({ keyId: new Uint8Array(32) as SealKeyId, heardAt: undefined })
    expect(devicesToReopen(opened.delivery, others(), changed, START + RESEAL_DELAY_MS - 1)).toEqual([])
    expect(devicesToReopen(opened.delivery, others(), changed, START + RESEAL_DELAY_MS)).toHaveLength(2)
  })

  it('goes to nobody who has left the roster', () => {
    const later = START + UNHEARD_DELAY_MS
    expect(devicesToReopen(opened.delivery, [b2.deviceId], nothing, later)).toEqual([b2.deviceId])
  })

  it('opens the same session when it is sealed again', async () => {
    const first = await acceptAs(env, b1, roster, opened.openBody, partFor(opened, b1.deviceId))
    const sources = { peerKeys: [], bundles: [b1.bundle, b2.bundle] }
    const again = await reopenSession(env, ada.signingKey, opened.delivery, roster, [b1.deviceId], sources)
    expect(again.parts.map(({ deviceId }) => deviceId)).toEqual([b1.deviceId])
    expect(again.parts[0]!.part).not.toEqual(partFor(opened, b1.deviceId))
    const second = await acceptAs(env, b1, roster, opened.openBody, again.parts[0]!.part)
    expect(second.inbound).toEqual(first.inbound)
    expect(again.delivery.waiting.map(({ attempts }) => attempts).sort()).toEqual([1, 2])
  })

  it('is not sealed again for those who acknowledged or left, even if asked', async () => {
    const sources = { peerKeys: [], bundles: [b1.bundle, b2.bundle] }
    const delivery = acknowledgeOpen(opened.delivery, b1.deviceId)
    const toBoth = await reopenSession(env, ada.signingKey, delivery, roster, others(), sources)
    expect(toBoth.parts.map(({ deviceId }) => deviceId)).toEqual([b2.deviceId])
    const smaller = {
      ...roster,
      members: roster.members.map(member => ({
        ...member,
        devices: member.devices.filter(device => device.deviceId !== b2.deviceId)
      }))
    }
    const toNobody = await reopenSession(env, ada.signingKey, delivery, smaller, others(), sources)
    expect(toNobody.parts).toEqual([])
    expect(toNobody.delivery.waiting).toEqual([])
  })

  it('reaches a device later that had no key at first', async () => {
    const partial = await openTo(env, ada, roster, [b2])
    expect(partial.unsealed.map(({ deviceId }) => deviceId)).toEqual([b1.deviceId])
    const known = (): DeviceSituation => ({ keyId: new Uint8Array(32) as SealKeyId, heardAt: undefined })
    expect(devicesToReopen(partial.delivery, others(), nothing, START + 1)).toEqual([])
    expect(devicesToReopen(partial.delivery, others(), known, START + 1)).toEqual([b1.deviceId])
    const sources = { peerKeys: [], bundles: [b1.bundle] }
    const { parts } = await reopenSession(env, ada.signingKey, partial.delivery, roster, [b1.deviceId], sources)
    await expect(acceptAs(env, b1, roster, partial.openBody, parts[0]!.part)).resolves.toBeDefined()
  })

  it('that still cannot be sealed is tried less and less often', async () => {
    const partial = await openTo(env, ada, roster, [b2])
    const known = (): DeviceSituation => ({ keyId: new Uint8Array(32) as SealKeyId, heardAt: undefined })
    const sources = { peerKeys: [], bundles: [] }
    const { delivery, unsealed } = await reopenSession(
      env,
      ada.signingKey,
      partial.delivery,
      roster,
      [b1.deviceId],
      sources
    )
    expect(unsealed).toHaveLength(1)
    expect(devicesToReopen(delivery, [b1.deviceId], known, START + REOPEN_DELAY_MS - 1)).toEqual([])
    expect(devicesToReopen(delivery, [b1.deviceId], known, START + REOPEN_DELAY_MS)).toEqual([b1.deviceId])
  })
})

describe('a resend request', () => {
  const gap = (from: number, to: number): SequenceRange => ({ from, to })

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

  it('starts anew when the gap has moved, and ends with it', () => {
    const first = requestsDue(undefined, b1.deviceId, [gap(3, 9)], START)
    const moved = requestsDue(first.state, b1.deviceId, [gap(5, 9)], START + 1)
    expect(moved.ranges).toEqual([gap(5, 9)])
    expect(requestsDue(moved.state, b1.deviceId, [], START + 2)).toEqual({ state: undefined, ranges: [] })
  })

  const outbound = (next: number, joined: [TestDevice, number][]): Outbound => ({
    ...emptyOutbound(env, roster.conversationId, ada.deviceId),
    nextSequence: next,
    joined: joined.map(([{ deviceId }, since]) => ({ deviceId, since }))
  })

  it('is answered with what was asked for and sent', () => {
    const state = outbound(10, [[b1, 0]])
    const { sequences } = answerResendRequest(state, [], b1.deviceId, true, [gap(2, 4), gap(8, 20)], START)
    expect(sequences).toEqual([2, 3, 4, 8, 9])
  })

  it('gets nothing that was sent while the device was not in the roster', () => {
    const state = outbound(10, [[b1, 6]])
    const { sequences } = answerResendRequest(state, [], b1.deviceId, true, [gap(0, 9)], START)
    expect(sequences).toEqual([6, 7, 8, 9])
  })

  it('gets nothing for a device that has left, or was never there', () => {
    const state = outbound(10, [[b1, 0]])
    expect(answerResendRequest(state, [], b1.deviceId, false, [gap(0, 9)], START).sequences).toEqual([])
    expect(answerResendRequest(state, [], b2.deviceId, true, [gap(0, 9)], START).sequences).toEqual([])
  })

  it('gets nothing from before a removal after the device came back', async () => {
    const once = await openTo(env, ada, roster, [b1, b2])
    const grown = { ...once.outbound, nextSequence: 5 }
    const without = rosterDevices(roster).filter(({ device }) => device.deviceId !== b2.deviceId)
    expect(without).toHaveLength(2)
    const smaller = {
      ...roster,
      members: roster.members.map(member => ({
        ...member,
        devices: member.devices.filter(device => device.deviceId !== b2.deviceId)
      }))
    }
    const removed = await openTo(env, ada, smaller, [b1], { outbound: grown, ownKeys: once.ownKeys })
    const back = await openTo(env, ada, roster, [b1, b2], {
      outbound: { ...removed.outbound, nextSequence: 8 },
      ownKeys: removed.ownKeys
    })
    const answer = (device: TestDevice) =>
      answerResendRequest({ ...back.outbound, nextSequence: 9 }, [], device.deviceId, true, [gap(0, 8)], START)
        .sequences
    expect(answer(b1)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(answer(b2)).toEqual([8])
  })

  it('is limited in rate for each device, and ranges that overlap count once', () => {
    const state = outbound(10_000, [
      [b1, 0],
      [b2, 0]
    ])
    const ask = (
      answers: Parameters<typeof answerResendRequest>[1],
      device: TestDevice,
      ranges: SequenceRange[],
      now: number
    ) => answerResendRequest(state, answers, device.deviceId, true, ranges, now)
    const first = ask([], b1, [gap(0, 149), gap(0, 149)], START)
    expect(first.sequences).toHaveLength(150)
    const second = ask(first.answers, b1, [gap(150, 9999)], START + 1)
    expect(second.sequences).toHaveLength(MAX_ANSWERED_MESSAGES - 150)
    expect(ask(second.answers, b1, [gap(0, 9999)], START + ANSWER_WINDOW_MS - 1).sequences).toEqual([])
    expect(ask(second.answers, b2, [gap(0, 9)], START + 2).sequences).toHaveLength(10)
    expect(ask(second.answers, b1, [gap(0, 9999)], START + ANSWER_WINDOW_MS).sequences).toHaveLength(200)
    expect(resendAnswersState.decode(resendAnswersState.encode(second.answers))).toEqual(second.answers)
  })

  it('with absurd numbers costs no time', () => {
    const state = outbound(10, [[b1, 0]])
    const ranges = Array.from({ length: 1000 }, () => gap(0, Number.MAX_SAFE_INTEGER))
    expect(answerResendRequest(state, [], b1.deviceId, true, ranges, START).sequences).toHaveLength(10)
    expect(answerResendRequest(state, [], b1.deviceId, true, [gap(9, 2)], START).sequences).toEqual([])
  })
})
