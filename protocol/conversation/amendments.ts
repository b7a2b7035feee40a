/**
 * What was said about one message after it: edits, its deletion, reactions, votes, its pin and its star.
 *
 * Each part is a register of one account, in which the highest version counts, or a fact that is never taken back. So
 * {@link mergeAmendments} gives the same whatever the order, and however often something comes: devices that took in the same
 * amendments are equal. It holds also for amendments that come before their message.
 */
import { compareBytes } from '../bytes.ts'
import { encodeCbor } from '../cbor.ts'
import { bool, list, nullable, struct, text, uint, type Codec, type TypeOf } from '../codec.ts'
import { accountIdCodec, deviceIdCodec, type AccountId, type DeviceId } from '../identity/device.ts'
import { MAX_TEXT_UNITS } from '../limits.ts'
import type { BodyOf } from './message.ts'
import { MAX_EMOJI_UNITS, pollChoicesCodec } from './message-kinds.ts'

/** People whose reactions to, or votes on, one message are kept: those of the lowest account ids. */
export const MAX_AMENDING_PEOPLE = 1_024

/** Who set a register, and how new it is. */
const setBy = { accountId: accountIdCodec, deviceId: deviceIdCodec, version: uint() }
const editCodec = struct({ ...setBy, text: text(MAX_TEXT_UNITS), at: uint() })
const reactionCodec = struct({ ...setBy, emoji: nullable(text(MAX_EMOJI_UNITS)) })
const voteCodec = struct({ ...setBy, choices: pollChoicesCodec })
const pinCodec = struct({ ...setBy, isPinned: bool })
const starCodec = struct({ ...setBy, isStarred: bool })

/** The stored form of {@link Amendments}. */
export const amendmentsCodec = struct({
  /** The own account does not want to see the message any more, or its time is over. */
  isHidden: bool,
  /** Its author deleted it for all. */
  isDeleted: bool,
  /** The text that counts; null while it is the first one. */
  edit: nullable(editCodec),
  /** One of each person, rising by account. Without an emoji: taken back. */
  reactions: list(reactionCodec, MAX_AMENDING_PEOPLE),
  votes: list(voteCodec, MAX_AMENDING_PEOPLE),
  pin: nullable(pinCodec),
  /** Of the own account. */
  star: nullable(starCodec)
})
/** All that was said about one message. Immutable. */
export type Amendments = TypeOf<typeof amendmentsCodec>

/** Nothing was said. */
export const NO_AMENDMENTS: Amendments = {
  isHidden: false,
  isDeleted: false,
  edit: null,
  reactions: [],
  votes: [],
  pin: null,
  star: null
}

interface Register {
  accountId: AccountId
  deviceId: DeviceId
  version: number
}

/** Kinds of messages that amend another one. */
export type AmendingBody = BodyOf<'edit' | 'delete' | 'reaction' | 'vote' | 'pin' | 'star'>
const AMENDING: readonly string[] = [
  'edit',
  'delete',
  'reaction',
  'vote',
  'pin',
  'star'
] satisfies AmendingBody['kind'][]

/** Whether a message is shown by what it changes of another one. */
export const isAmending = (body: { kind: string }): body is AmendingBody => AMENDING.includes(body.kind)

/** Who said it, and when by their clock. */
export interface AmendedBy {
  accountId: AccountId
  deviceId: DeviceId
  sentAt: number
}

/** What one message says about its target. Whether its sender may say it is for the caller to check. */
export function amendmentsOf(body: AmendingBody, { accountId, deviceId, sentAt: at }: AmendedBy): Amendments {
  if (body.kind === 'delete') return { ...NO_AMENDMENTS, isDeleted: true }
  const by = { accountId, deviceId, version: body.version }
  switch (body.kind) {
    case 'edit':
      return { ...NO_AMENDMENTS, edit: { ...by, text: body.text, at } }
    case 'reaction':
      return { ...NO_AMENDMENTS, reactions: [{ ...by, emoji: body.emoji }] }
    case 'vote':
      return { ...NO_AMENDMENTS, votes: [{ ...by, choices: body.choices }] }
    case 'pin':
      return { ...NO_AMENDMENTS, pin: { ...by, isPinned: body.isPinned } }
    case 'star':
      return { ...NO_AMENDMENTS, star: { ...by, isStarred: body.isStarred } }
  }
}

/** The version of a change that is made now, after seeing a register of version `before`. */
export function nextVersion(now: number, before: number | undefined): number {
  return Math.min(Math.max(now, (before ?? 0) + 1), Number.MAX_SAFE_INTEGER)
}

/**
 * All that either says. Of a message that is deleted or hidden nothing else is left: its text, and what others said about it, go
 * with it.
 */
export function mergeAmendments(one: Amendments, other: Amendments): Amendments {
  const isHidden = one.isHidden || other.isHidden
  const isDeleted = one.isDeleted || other.isDeleted
  if (isHidden || isDeleted) return { ...NO_AMENDMENTS, isHidden, isDeleted }
  return {
    isHidden,
    isDeleted,
    edit: laterEdit(one.edit, other.edit),
    reactions: ofEach(reactionCodec, one.reactions, other.reactions),
    votes: ofEach(voteCodec, one.votes, other.votes),
    pin: laterPin(one.pin, other.pin),
    star: laterOf(starCodec, one.star, other.star)
  }
}

/** Whether two say the same. */
export function equalAmendments(one: Amendments, other: Amendments): boolean {
  return one === other || compareBytes(bytesOf(amendmentsCodec, one), bytesOf(amendmentsCodec, other)) === 0
}

const bytesOf = <T>(codec: Codec<T>, value: T): Uint8Array => encodeCbor(codec.toCbor(value))

/** Of two registers the one with the higher version; of equal versions that of the higher device, then of the higher bytes. */
function laterOf<T extends Register>(codec: Codec<T>, one: T | null, other: T | null): T | null {
  if (!one || !other) return one ?? other
  if (one.version !== other.version) return one.version > other.version ? one : other
  const order = compareBytes(one.deviceId, other.deviceId)
  if (order !== 0) return order > 0 ? one : other
  return compareBytes(bytesOf(codec, one), bytesOf(codec, other)) >= 0 ? one : other
}

/** The edit that counts of two. */
export function laterEdit<T extends Amendments['edit']>(one: T, other: T): T {
  return laterOf(editCodec, one, other) as T
}

/** At equal versions a pin that was taken away counts, so that no member can hold one up with the highest version there is. */
function laterPin(one: Amendments['pin'], other: Amendments['pin']): Amendments['pin'] {
  if (one && other && one.version === other.version && one.isPinned !== other.isPinned)
    return one.isPinned ? other : one
  return laterOf(pinCodec, one, other)
}

/** The register of each account, rising by account, within the bound. */
function ofEach<T extends Register>(codec: Codec<T>, some: readonly T[], others: readonly T[]): T[] {
  const merged: T[] = []
  for (const register of [...some, ...others].sort((a, b) => compareBytes(a.accountId, b.accountId))) {
    const last = merged.at(-1)
    if (last && compareBytes(last.accountId, register.accountId) === 0) {
      merged[merged.length - 1] = laterOf(codec, last, register)!
    } else merged.push(register)
  }
  return merged.slice(0, MAX_AMENDING_PEOPLE)
}
