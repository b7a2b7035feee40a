/** What somebody can make a device do that has accepted a session of theirs, without ever doing their own part. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { DeviceId } from '../../protocol/identity/device.ts'
import {
  devicesToReopen,
  MAX_OPEN_DELIVERIES,
  noteReopened,
  RESEAL_DELAY_MS,
  surplusDeliveries,
  type OpenDelivery
} from '../../protocol/session/open-delivery.ts'
import { MAX_INBOUND_SESSIONS, surplusInbound, type Inbound } from '../../protocol/session/inbound.ts'
import type { OpenedSession } from '../../protocol/session/open.ts'
import type { SealKeyId } from '../../protocol/session/seal-key.ts'
import {
  ANSWER_WINDOW_MS,
  answerResendRequest,
  MAX_ANSWERED_IN_CONVERSATION,
  type ResendAnswers
} from '../../protocol/conversation/resend.ts'
import {
  acceptAs,
  createAccount,
  openTo,
  partFor,
  rosterOf,
  START,
  testEnvironment,
  type TestDevice
} from '../unit/protocol/session/fixtures.ts'

const env = testEnvironment('amplification')
const HOUR_MS = 3_600_000

let victim: TestDevice
let mallory: TestDevice
let opened: OpenedSession
let inbound: Inbound

beforeAll(async () => {
  const accounts = await Promise.all([createAccount(env, 1), createAccount(env, 1)])
  ;[victim, mallory] = accounts.map(account => account.devices[0]!) as [TestDevice, TestDevice]
  const roster = rosterOf(env, ...accounts)
  opened = await openTo(env, victim, roster, [mallory])
  const back = await openTo(env, mallory, roster, [victim])
  inbound = (await acceptAs(env, victim, roster, back.openBody, partFor(back, victim.deviceId))).inbound
})

describe('one who never does its part', () => {
  it('gets no more of the same message again with many devices than a conversation allows', async () => {
    const devices = Array.from({ length: 32 }, () => env.random(16) as DeviceId)
    const joined = devices.map(deviceId => ({ deviceId, since: 0 }))
    const outbound = { ...opened.outbound, joined, nextSequence: 1 }
    const sentIn = async () => [0]
    let answers: ResendAnswers = []
    let sent = 0
    for (let round = 0; round < 300; round++) {
      for (const deviceId of devices) {
        const ranges = [{ from: 0, to: 0 }]
        const answer = await answerResendRequest(outbound, answers, deviceId, true, ranges, sentIn, START + round)
        answers = answer.answers
        sent += answer.sequences.length
      }
    }
    expect(sent).toBe(MAX_ANSWERED_IN_CONVERSATION)
    const later = START + ANSWER_WINDOW_MS + 300
    const again = await answerResendRequest(outbound, answers, devices[0]!, true, [{ from: 0, to: 0 }], sentIn, later)
    expect(again.sequences).toEqual([0])
  })

  it('cannot have an Open sealed every minute by changing its key and not acknowledging', () => {
    let delivery: OpenDelivery = opened.delivery
    let sealed = 0
    for (let minute = 1; minute <= 24 * 60; minute++) {
      const now = START + minute * RESEAL_DELAY_MS
      const key = env.random(32) as SealKeyId
      const situation = () => ({ keyId: key, heardAt: now })
      const due = devicesToReopen(delivery, [mallory.deviceId], situation, now)
      if (due.length === 0) continue
      sealed++
      delivery = noteReopened(delivery, [mallory.deviceId], due, [{ deviceId: mallory.deviceId, keyId: key }], now)
    }
    expect(sealed).toBeLessThan(15)
  })

  it('keeps no more Opens under way than a bound: the oldest are given up, and gaps repair what they held', () => {
    const deliveries = Array.from({ length: MAX_OPEN_DELIVERIES + 3 }, (_, i) => ({
      ...opened.delivery,
      expiry: opened.delivery.expiry + i * HOUR_MS
    }))
    const surplus = surplusDeliveries(deliveries.toReversed())
    expect(surplus.map(({ expiry }) => expiry)).toEqual(deliveries.slice(0, 3).map(({ expiry }) => expiry))
    expect(surplusDeliveries(deliveries.slice(3))).toEqual([])
  })

  it('keeps no more sessions open at the receiver than a bound, whatever it leaves missing', () => {
    const other = { ...inbound, senderDevice: env.random(16) as DeviceId }
    const many = Array.from({ length: MAX_INBOUND_SESSIONS + 2 }, (_, keyIndex) => ({ ...inbound, keyIndex }))
    expect(surplusInbound([other, ...many], inbound.senderDevice).map(({ keyIndex }) => keyIndex)).toEqual([1, 0])
    expect(surplusInbound([other, ...many], other.senderDevice)).toEqual([])
  })
})
