/**
 * Puts the messages of one sender device in one conversation into order: whatever order they arrive in, each is emitted
 * once, gaps are told, and a message that fills a gap later is emitted for its place. A state machine without a clock
 * or a store: every function takes a state and gives a new one.
 *
 * Sequence numbers fall into four parts: below `next` they were emitted, except the ranges in `missing`; from `next` up
 * to `expected` they are known to exist; `held` are those that arrived while an earlier one was awaited.
 */
import { equalBytes } from '../bytes.ts'
import { bytes, bytesBetween, list, nullable, oneOf, struct, uint, type TypeOf } from '../codec.ts'
import { deviceIdCodec } from '../identity/device.ts'
import { GAP_HOLD_MS } from '../limits.ts'
import type { Environment } from '../environment.ts'
import { firstPredecessor, messageHash } from '../session/message-hash.ts'
import { stateCodec } from '../session/state.ts'
import { conversationIdCodec } from '../roster/roster.ts'

/** From `from` to `to`, both included. */
export interface SequenceRange {
  from: number
  to: number
}

/** Messages held back at most, and their bytes; past either they are let go with the gap told. */
export const MAX_HELD_MESSAGES = 512
export const MAX_HELD_BYTES = 4 * 1024 * 1024
/** Ranges of missing messages that can still be filled; past it the oldest is given up. */
export const MAX_MISSING_RANGES = 256

const MAX_CONTENT = 64 * 1024

const heldCodec = struct({
  sequence: uint(),
  predecessor: bytes(32),
  content: bytesBetween(1, MAX_CONTENT),
  arrivedAt: uint()
})

const missingCodec = struct({
  from: uint(),
  to: uint(),
  /**
   * `before`: sent before this device was in the conversation; not a gap, and not asked for. `gone`: its sender has them no
   * more; shown, and not asked for.
   */
  kind: oneOf('gap', 'before', 'gone'),
  /** Hash of message `from - 1`, if it is known: what message `from` must name as its predecessor. */
  start: nullable(bytes(32)),
  /** Predecessor that message `to + 1` named, if it is known: the hash that message `to` must have. */
  end: nullable(bytes(32))
})

const sequencerCodec = struct({
  conversationId: conversationIdCodec,
  deviceId: deviceIdCodec,
  /** Everything below was emitted or is in `missing`. */
  next: uint(),
  /** Hash of message `next - 1`; `null` if that one is missing. */
  lastHash: nullable(bytes(32)),
  /** Sequences below are known to exist, from an Open. */
  expected: uint(),
  /** Since when `next` is awaited although a later one is known, milliseconds; `null` while nothing is. */
  waitingSince: nullable(uint()),
  /** Rising by sequence. */
  held: list(heldCodec, MAX_HELD_MESSAGES),
  /** Rising, disjoint. */
  missing: list(missingCodec, MAX_MISSING_RANGES)
})

/** Order of one sender device's messages in one conversation, as this device sees it. */
export type Sequencer = TypeOf<typeof sequencerCodec>
export const sequencerState = stateCodec<Sequencer>(sequencerCodec)

type Missing = Sequencer['missing'][number]

/** A decrypted message that has a place. */
export interface SequencedMessage {
  sequence: number
  predecessor: Uint8Array
  /** The encoded message, at most 64 KiB. */
  content: Uint8Array
}

/** What the conversation shows next, in this order. */
export type Emission =
  | {
      kind: 'message'
      sequence: number
      content: Uint8Array
      /** What the sender's next message names as its predecessor. */
      hash: Uint8Array
      /** It fills an earlier gap: show it in its place, not at the end. */
      late: boolean
      /** False if it names another predecessor than this device saw: its sender showed others something else. */
      linked: boolean
    }
  /** Messages are missing here; more may be emitted, late, and make the gap smaller. */
  | { kind: 'gap'; from: number; to: number }
  /** Part of a gap will not be filled: its sender does not have the messages any more. */
  | { kind: 'gone'; from: number; to: number }

export interface SequencerStep {
  sequencer: Sequencer
  emitted: Emission[]
}

/** Before anything of the device was received. */
export function emptySequencer(
  conversationId: Sequencer['conversationId'],
  deviceId: Sequencer['deviceId']
): Sequencer {
  return {
    conversationId,
    deviceId,
    next: 0,
    lastHash: null,
    expected: 0,
    waitingSince: null,
    held: [],
    missing: []
  }
}

/**
 * Takes in what an accepted Open says: everything before `firstSequence` exists, and what was before `since` was not
 * for this device.
 */
export function noteSession(
  env: Environment,
  sequencer: Sequencer,
  session: { since: number; firstSequence: number }
): SequencerStep {
  const { since, firstSequence } = session
  const emitted: Emission[] = []
  let state = sequencer
  if (since > state.next && !state.held.some(held => held.sequence < since)) {
    // What was announced before this device left the conversation, and never came, stays a gap.
    const lost = Math.min(state.expected, since)
    if (lost > state.next) {
      emitted.push({ kind: 'gap', from: state.next, to: lost - 1 })
      state = skipTo(env, state, lost, 'gap')
    }
    if (since > state.next) state = skipTo(env, state, since, 'before')
  }
  const settled = settle(env, { ...state, expected: Math.max(state.expected, firstSequence) })
  return { sequencer: settled.sequencer, emitted: [...emitted, ...settled.emitted] }
}

/** Gives up waiting for what is below `next`; it can still come late. */
function skipTo(env: Environment, state: Sequencer, next: number, kind: Missing['kind']): Sequencer {
  const range: Missing = { from: state.next, to: next - 1, kind, start: hashBefore(env, state), end: null }
  const missing = [...state.missing, range].slice(-MAX_MISSING_RANGES)
  return { ...state, next, lastHash: null, waitingSince: null, missing }
}

/**
 * Takes in one message. A sequence that was received before, or never can be, emits nothing.
 *
 * @returns also whether the message was new.
 */
export function receiveMessage(
  env: Environment,
  sequencer: Sequencer,
  message: SequencedMessage
): SequencerStep & { isNew: boolean } {
  const { sequence } = message
  if (sequence < sequencer.next) return fill(env, sequencer, message)
  if (sequence === Number.MAX_SAFE_INTEGER || sequencer.held.some(held => held.sequence === sequence)) {
    return { sequencer, emitted: [], isNew: false }
  }
  const entry = { ...pick(message), arrivedAt: env.now() }
  const held = [...sequencer.held, entry].sort((a, b) => a.sequence - b.sequence)
  return { ...settle(env, { ...sequencer, held }), isNew: true }
}

/** Lets go what was held longer than {@link GAP_HOLD_MS}, with its gap. Call when {@link wakeAt} has come. */
export function releaseHeld(env: Environment, sequencer: Sequencer): SequencerStep {
  return settle(env, sequencer)
}

/** When {@link releaseHeld} has something to do, milliseconds; `undefined` while nothing is awaited. */
export function wakeAt({ waitingSince }: Sequencer): number | undefined {
  return waitingSince === null ? undefined : waitingSince + GAP_HOLD_MS
}

/**
 * Takes in the sender's word that it does not have some of its messages any more. Only parts of gaps count: nothing that
 * is here, or still awaited, can be taken back. One that comes all the same is shown in its place.
 */
export function markGone(sequencer: Sequencer, ranges: SequenceRange[]): SequencerStep {
  const emitted: Emission[] = []
  let { missing } = sequencer
  for (const { from, to } of ranges) {
    missing = missing.flatMap(range => {
      if (range.kind !== 'gap' || range.to < from || to < range.from) return [range]
      const gone: Missing = {
        from: Math.max(from, range.from),
        to: Math.min(to, range.to),
        kind: 'gone',
        start: null,
        end: null
      }
      if (gone.from === range.from) gone.start = range.start
      if (gone.to === range.to) gone.end = range.end
      emitted.push({ kind: 'gone', from: gone.from, to: gone.to })
      const before: Missing = { ...range, to: gone.from - 1, end: null }
      const after: Missing = { ...range, from: gone.to + 1, start: null }
      return [before, gone, after].filter(part => part.from <= part.to)
    })
  }
  if (emitted.length === 0) return { sequencer, emitted }
  return { sequencer: { ...sequencer, missing: missing.slice(-MAX_MISSING_RANGES) }, emitted }
}

/** Gaps that were told and may still fill, rising: what to ask the sender for. */
export function visibleGaps({ missing }: Sequencer): SequenceRange[] {
  return missing.filter(({ kind }) => kind === 'gap').map(({ from, to }) => ({ from, to }))
}

/** Whether any message is missing, told or not yet. Keys that may open one have to stay. */
export function hasGaps(sequencer: Sequencer): boolean {
  return sequencer.waitingSince !== null || sequencer.missing.some(({ kind }) => kind === 'gap')
}

function pick({ sequence, predecessor, content }: SequencedMessage): SequencedMessage {
  return { sequence, predecessor, content }
}

/** Emits all that can be emitted now. */
function settle(env: Environment, sequencer: Sequencer): SequencerStep {
  const emitted: Emission[] = []
  let state = sequencer
  for (;;) {
    const first = state.held[0]
    if (first && first.sequence === state.next) {
      const expectedHash = hashBefore(env, state)
      const linked = expectedHash === null || equalBytes(expectedHash, first.predecessor)
      const hash = hashOf(env, state, first)
      emitted.push({ kind: 'message', sequence: first.sequence, content: first.content, hash, late: false, linked })
      state = {
        ...state,
        next: first.sequence + 1,
        lastHash: hash,
        held: state.held.slice(1),
        missing: closeEnd(state.missing, first),
        waitingSince: null
      }
      continue
    }
    const upTo = first ? first.sequence : state.expected
    if (upTo <= state.next) return { sequencer: { ...state, waitingSince: null }, emitted }
    // Not later than now: the clock may have been put back.
    const since = Math.min(state.waitingSince ?? first?.arrivedAt ?? Infinity, env.now())
    if (env.now() - since < GAP_HOLD_MS && !isOverfull(state)) {
      return { sequencer: { ...state, waitingSince: since }, emitted }
    }
    emitted.push({ kind: 'gap', from: state.next, to: upTo - 1 })
    state = skipTo(env, state, upTo, 'gap')
  }
}

function isOverfull({ held }: Sequencer): boolean {
  return held.length >= MAX_HELD_MESSAGES || held.reduce((sum, { content }) => sum + content.length, 0) > MAX_HELD_BYTES
}

/** Takes in a message below `next`: it fills a gap exactly, or it is not taken. */
function fill(env: Environment, sequencer: Sequencer, message: SequencedMessage): SequencerStep & { isNew: boolean } {
  const { sequence, predecessor, content } = message
  const range = sequencer.missing.find(({ from, to }) => from <= sequence && sequence <= to)
  if (!range) return { sequencer, emitted: [], isNew: false }
  const hash = hashOf(env, sequencer, message)
  const fitsStart = sequence !== range.from || range.start === null || equalBytes(range.start, predecessor)
  const fitsEnd = sequence !== range.to || range.end === null || equalBytes(range.end, hash)
  const before: Missing = { ...range, to: sequence - 1, end: predecessor }
  const after: Missing = { ...range, from: sequence + 1, start: hash }
  const rest = [before, after].filter(({ from, to }) => from <= to)
  const missing = sequencer.missing.flatMap(other => (other === range ? rest : [other]))
  const lastHash = sequence === sequencer.next - 1 ? hash : sequencer.lastHash
  return {
    sequencer: { ...sequencer, missing: missing.slice(-MAX_MISSING_RANGES), lastHash },
    emitted: [{ kind: 'message', sequence, content, hash, late: true, linked: fitsStart && fitsEnd }],
    isNew: true
  }
}

function hashOf({ crypto, network }: Environment, state: Sequencer, message: SequencedMessage): Uint8Array {
  return messageHash(crypto, network, state, message.sequence, message.predecessor, message.content)
}

function hashBefore({ crypto, network }: Environment, state: Sequencer): Uint8Array | null {
  return state.next === 0 ? firstPredecessor(crypto, network, state) : state.lastHash
}

/** The message after a range tells what hash the range's last message must have. */
function closeEnd(missing: Missing[], message: SequencedMessage): Missing[] {
  return missing.map(range =>
    range.to === message.sequence - 1 && range.end === null ? { ...range, end: message.predecessor } : range
  )
}
