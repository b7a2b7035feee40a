/**
 * Repair of gaps. The receiver of a gap asks the device that sent the missing messages ({@link requestsDue}); that one
 * answers with the messages that the asking device was entitled to ({@link answerResendRequest}), within a rate, so that
 * nobody can make it encrypt without end, and says of the others that they are gone. Both travel in the channel between
 * the two devices (`pair-channel.ts`).
 */
import { equalBytes } from '../bytes.ts'
import { list, struct, uint, type TypeOf } from '../codec.ts'
import { deviceIdCodec, type DeviceId } from '../identity/device.ts'
import type { Outbound } from '../session/outbound.ts'
import { stateCodec } from '../session/state.ts'
import { MAX_MISSING_RANGES, type SequenceRange } from './sequencer.ts'

/** Ranges that one request, or one answer "gone", names. */
export const MAX_REQUEST_RANGES = 32
/** A range is asked for again after this, doubled each time; its first request goes out when it becomes visible. */
export const REQUEST_INTERVAL_MS = 60_000
/** Requests for one range without any progress, after which it stays: the last interval is about three weeks. */
export const MAX_REQUEST_ATTEMPTS = 16
/** Messages that a device gets again within {@link ANSWER_WINDOW_MS}. */
export const MAX_ANSWERED_MESSAGES = 200
export const ANSWER_WINDOW_MS = 60 * 60_000
/** Messages that all devices of a conversation get again within it. */
export const MAX_ANSWERED_IN_CONVERSATION = 1_000
/** Devices whose requests are counted at a time. */
const MAX_COUNTED_DEVICES = 1_024

const askedRangeCodec = struct({ from: uint(), to: uint(), askedAt: uint(), attempts: uint() })
type AskedRange = TypeOf<typeof askedRangeCodec>

const requestStateCodec = struct({
  /** The device whose messages are missing. */
  deviceId: deviceIdCodec,
  /** Rising, disjoint; each range has attempts of its own, so one that nobody can fill holds up no other. */
  asked: list(askedRangeCodec, MAX_MISSING_RANGES)
})

/** What was asked of one device in one conversation. */
export type ResendRequests = TypeOf<typeof requestStateCodec>
export const resendRequestsState = stateCodec<ResendRequests>(requestStateCodec)

/**
 * Which missing ranges to ask for now: those that were never asked for first, then those asked least often.
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
  const asked = gaps.slice(-MAX_MISSING_RANGES).map(gap => carriedOver(state?.asked ?? [], gap))
  const due = asked.filter(range => isDue(range, now)).sort((a, b) => a.attempts - b.attempts || a.from - b.from)
  const named = new Set(due.slice(0, MAX_REQUEST_RANGES))
  const after = asked.map(range =>
    named.has(range) ? { ...range, askedAt: now, attempts: range.attempts + 1 } : range
  )
  const ranges = asked.filter(range => named.has(range)).map(({ from, to }) => ({ from, to }))
  return { state: { deviceId, asked: after }, ranges }
}

/** What was asked about a gap before. One that became smaller has made progress: it is asked for soon again. */
function carriedOver(asked: AskedRange[], { from, to }: SequenceRange): AskedRange {
  const before = asked.find(range => range.from <= to && from <= range.to)
  if (!before) return { from, to, askedAt: 0, attempts: 0 }
  const hasShrunk = before.from < from || to < before.to
  return { from, to, askedAt: before.askedAt, attempts: hasShrunk ? Math.min(before.attempts, 1) : before.attempts }
}

function isDue({ askedAt, attempts }: AskedRange, now: number): boolean {
  if (attempts === 0) return true
  if (attempts >= MAX_REQUEST_ATTEMPTS) return false
  // A clock that was put back holds nothing up.
  return now < askedAt || now - askedAt >= REQUEST_INTERVAL_MS * 2 ** (attempts - 1)
}

const resendAnswersCodec = list(
  struct({ deviceId: deviceIdCodec, windowStart: uint(), answered: uint() }),
  MAX_COUNTED_DEVICES
)

/** How much each asking device was given lately, in one conversation; oldest window first. */
export type ResendAnswers = TypeOf<typeof resendAnswersCodec>
export const resendAnswersState = stateCodec<ResendAnswers>(resendAnswersCodec)

/** Sequences of a range whose messages are still kept, rising, the first `limit` of them. */
export type SentLookup = (range: SequenceRange, limit: number) => Promise<number[]>

/** What the asking device gets. */
export interface ResendAnswer {
  answers: ResendAnswers
  /** Sequence numbers to send again, rising; those beyond the rate are left for a later request. */
  sequences: number[]
  /** Asked for, and not to be had any more: the asking device shows that and stops asking. */
  gone: SequenceRange[]
}

/**
 * Answers a request: with the messages sent while the asking device was in the roster, if it still is (without a break
 * since), and within the rate. Only what is sent counts against the rate. What is no longer kept, or was sent while the
 * device was not in the roster, is told as gone.
 *
 * @param requester - the device that the request came from, as its pairing says.
 * @param isListed - whether it is in the current roster.
 */
export async function answerResendRequest(
  outbound: Outbound,
  answers: ResendAnswers,
  requester: DeviceId,
  isListed: boolean,
  ranges: SequenceRange[],
  sentIn: SentLookup,
  now: number
): Promise<ResendAnswer> {
  const since = outbound.joined.find(entry => equalBytes(entry.deviceId, requester))?.since
  if (!isListed || since === undefined) return { answers, sequences: [], gone: [] }
  const budget = budgetOf(answers, requester, now)
  const sequences: number[] = []
  const gone: SequenceRange[] = []
  for (const range of disjoint(ranges, outbound.nextSequence - 1)) {
    if (range.from < since) gone.push({ from: range.from, to: Math.min(range.to, since - 1) })
    const from = Math.max(range.from, since)
    const limit = budget.allowed - sequences.length
    if (from > range.to || limit <= 0) continue
    const found = await sentIn({ from, to: range.to }, limit)
    sequences.push(...found)
    const lookedTo = found.length < limit ? range.to : found.at(-1)!
    gone.push(...between(found, from, lookedTo))
  }
  const told = gone.slice(0, MAX_REQUEST_RANGES)
  if (sequences.length === 0) return { answers, sequences, gone: told }
  const entry = { deviceId: requester, windowStart: budget.windowStart, answered: budget.answered + sequences.length }
  return { answers: [...budget.others, entry].slice(-MAX_COUNTED_DEVICES), sequences, gone: told }
}

/** What is left of the hour of one device, and of all. */
function budgetOf(answers: ResendAnswers, requester: DeviceId, now: number) {
  const isCurrent = ({ windowStart }: ResendAnswers[number]) => Math.abs(now - windowStart) < ANSWER_WINDOW_MS
  const known = answers.find(entry => equalBytes(entry.deviceId, requester))
  const current = known && isCurrent(known) ? known : undefined
  const others = answers.filter(other => other !== known && isCurrent(other))
  const answered = current?.answered ?? 0
  const answeredToAll = others.reduce((sum, other) => sum + other.answered, answered)
  const allowed = Math.min(MAX_ANSWERED_MESSAGES - answered, MAX_ANSWERED_IN_CONVERSATION - answeredToAll)
  return { allowed, answered, others, windowStart: current?.windowStart ?? now }
}

/** The asked ranges in order, without overlaps, nothing past the last message that was sent. */
function disjoint(ranges: SequenceRange[], last: number): SequenceRange[] {
  const sorted = ranges
    .slice(0, MAX_REQUEST_RANGES)
    .map(({ from, to }) => ({ from, to: Math.min(to, last) }))
    .filter(({ from, to }) => from <= to)
    .sort((a, b) => a.from - b.from)
  const result: SequenceRange[] = []
  for (const range of sorted) {
    const before = result.at(-1)
    if (before && range.from <= before.to) before.to = Math.max(before.to, range.to)
    else result.push({ ...range })
  }
  return result
}

/** The ranges from `from` to `to` that are not in `found`. */
function between(found: number[], from: number, to: number): SequenceRange[] {
  const ranges: SequenceRange[] = []
  let next = from
  for (const sequence of [...found, to + 1]) {
    if (sequence > next) ranges.push({ from: next, to: sequence - 1 })
    next = sequence + 1
  }
  return ranges
}
