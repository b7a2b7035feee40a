/**
 * Repair of gaps. The receiver of a gap asks the device that sent the missing messages ({@link requestsDue}); that one
 * answers with the messages that the asking device was entitled to ({@link answerResendRequest}), within a rate, so that
 * nobody can make it encrypt without end. Requests are messages of a session, and so signed.
 */
import { equalBytes } from '../bytes.ts'
import { list, struct, uint, type TypeOf } from '../codec.ts'
import { deviceIdCodec, type DeviceId } from '../identity/device.ts'
import type { Outbound } from './outbound.ts'
import { stateCodec } from './state.ts'

/** From `from` to `to`, both included. */
export interface SequenceRange {
  from: number
  to: number
}

/** Ranges that one request names. */
export const MAX_REQUEST_RANGES = 32
/** A gap is asked for again after this, doubled each time; its first request goes out when it becomes visible. */
export const REQUEST_INTERVAL_MS = 60_000
/** Requests for one gap, after which it stays: the last interval is about three weeks. */
export const MAX_REQUEST_ATTEMPTS = 16
/** Messages that a device gets again within {@link ANSWER_WINDOW_MS}. */
export const MAX_ANSWERED_MESSAGES = 200
export const ANSWER_WINDOW_MS = 60 * 60_000
/** Messages that all devices of a conversation get again within it: each takes a place in our session, so it ends sooner. */
export const MAX_ANSWERED_IN_CONVERSATION = 1_000
/** Devices whose requests are counted at a time. */
const MAX_COUNTED_DEVICES = 1_024

const requestStateCodec = struct({
  /** The device whose messages are missing. */
  deviceId: deviceIdCodec,
  /** Lowest missing sequence when it was last asked: a gap that moved is a new one. */
  lowest: uint(),
  askedAt: uint(),
  attempts: uint()
})

/** What was asked of one device in one conversation. */
export type ResendRequests = TypeOf<typeof requestStateCodec>
export const resendRequestsState = stateCodec<ResendRequests>(requestStateCodec)

/**
 * Which missing ranges to ask for now.
 *
 * @param gaps - visible gaps of the device, from `visibleGaps`.
 * @returns the ranges to name in a resend request (none: nothing to ask now) and the new state (`undefined`: no gap).
 */
export function requestsDue(
  state: ResendRequests | undefined,
  deviceId: DeviceId,
  gaps: SequenceRange[],
  now: number
): { state: ResendRequests | undefined; ranges: SequenceRange[] } {
  if (gaps.length === 0) return { state: undefined, ranges: [] }
  const lowest = gaps[0]!.from
  const known = state?.lowest === lowest ? state : undefined
  const attempts = known?.attempts ?? 0
  if (known && (attempts >= MAX_REQUEST_ATTEMPTS || now - known.askedAt < REQUEST_INTERVAL_MS * 2 ** (attempts - 1))) {
    return { state: known, ranges: [] }
  }
  const asked = { deviceId, lowest, askedAt: now, attempts: attempts + 1 }
  return { state: asked, ranges: gaps.slice(0, MAX_REQUEST_RANGES) }
}

const resendAnswersCodec = list(
  struct({ deviceId: deviceIdCodec, windowStart: uint(), answered: uint() }),
  MAX_COUNTED_DEVICES
)

/** How much each asking device was given lately, in one conversation; oldest window first. */
export type ResendAnswers = TypeOf<typeof resendAnswersCodec>
export const resendAnswersState = stateCodec<ResendAnswers>(resendAnswersCodec)

/**
 * Which of the asked-for messages the asking device gets again: those sent while it was in the roster, if it still is
 * (without a break since), and within the rate.
 *
 * @param requester - the device that sent the request, as its session says; in the current roster.
 * @param isListed - whether it is in the current roster.
 * @returns sequence numbers, rising, for `encryptAgain`; those beyond the rate are left for a later request.
 */
export function answerResendRequest(
  outbound: Outbound,
  answers: ResendAnswers,
  requester: DeviceId,
  isListed: boolean,
  ranges: SequenceRange[],
  now: number
): { answers: ResendAnswers; sequences: number[] } {
  const since = outbound.joined.find(entry => equalBytes(entry.deviceId, requester))?.since
  if (!isListed || since === undefined) return { answers, sequences: [] }
  const known = answers.find(entry => equalBytes(entry.deviceId, requester))
  const current = known !== undefined && now - known.windowStart < ANSWER_WINDOW_MS
  const answered = current ? known.answered : 0
  const others = answers.filter(other => other !== known && now - other.windowStart < ANSWER_WINDOW_MS)
  const answeredToAll = others.reduce((sum, other) => sum + other.answered, answered)
  const allowed = Math.min(MAX_ANSWERED_MESSAGES - answered, MAX_ANSWERED_IN_CONVERSATION - answeredToAll)
  const wanted = new Set<number>()
  for (const { from, to } of ranges.slice(0, MAX_REQUEST_RANGES)) {
    const last = Math.min(to, outbound.nextSequence - 1)
    for (let sequence = Math.max(from, since); sequence <= last; sequence++) {
      if (wanted.size >= allowed) break
      wanted.add(sequence)
    }
  }
  const sequences = [...wanted].sort((a, b) => a - b)
  if (sequences.length === 0) return { answers, sequences }
  const windowStart = current ? known.windowStart : now
  const entry = { deviceId: requester, windowStart, answered: answered + sequences.length }
  return { answers: [...others, entry].slice(-MAX_COUNTED_DEVICES), sequences }
}
