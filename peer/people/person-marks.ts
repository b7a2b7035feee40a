/**
 * What the user has noted about people: contacts, nicknames, muted, blocked, pinned and archived ones, and how the user answered
 * a request. One entry a person. Each mark carries the time at which it was set, so that two devices of one account that set
 * marks apart agree once each has seen the other's entry, see {@link mergeMarks}.
 */
import { toHex } from '../../protocol/bytes.ts'
import { bool, encode, nullable, oneOf, struct, text, uint, type Codec, type TypeOf } from '../../protocol/codec.ts'
import { accountIdCodec, type AccountId } from '../../protocol/identity/device.ts'
import type { AccountHex, PersonMarks } from '../peer-api.ts'
import type { Slot, StateStore, UnitOfWork } from '../store/state-store.ts'
import { entry } from '../store/conversation-entries.ts'

/** Longest nickname, in UTF-16 code units. */
export const MAX_NICKNAME_UNITS = 64

/** A value, and when it was set: milliseconds, 0 for never. */
const setAt = <T>(value: Codec<T>) => struct({ value, at: uint() })

/** The stored form; own devices tell each other marks in it, too. */
export const marksCodec = struct({
  accountId: accountIdCodec,
  contact: setAt(bool),
  nickname: setAt(nullable(text(MAX_NICKNAME_UNITS))),
  muted: setAt(bool),
  blocked: setAt(bool),
  pinned: setAt(bool),
  archived: setAt(bool),
  answer: setAt(nullable(oneOf('accepted', 'ignored')))
})
/** The stored form: every mark with its time. Immutable. */
export type StoredMarks = TypeOf<typeof marksCodec>
type Mark = keyof PersonMarks

const SPACE = 'person-marks'
const marksEntry = entry(marksCodec)

const slotOf = (accountId: AccountId): Slot<StoredMarks> => ({
  space: SPACE,
  id: toHex(accountId),
  codec: marksEntry
})

/** A person about whom nothing is noted. */
export const NO_MARKS: PersonMarks = {
  contact: false,
  nickname: null,
  muted: false,
  blocked: false,
  pinned: false,
  archived: false,
  answer: null
}
const MARKS = Object.keys(NO_MARKS) as Mark[]

/** Marks that nobody has set yet. */
export function emptyMarks(accountId: AccountId): StoredMarks {
  return {
    accountId,
    ...Object.fromEntries(MARKS.map(mark => [mark, { value: NO_MARKS[mark], at: 0 }]))
  } as StoredMarks
}

/** Of each mark the one that was set later; of two set at the same time the one whose bytes are greater, on every device. */
export function mergeMarks(one: StoredMarks, other: StoredMarks): StoredMarks {
  const later = MARKS.map(mark => [mark, rank(one, mark) >= rank(other, mark) ? one[mark] : other[mark]])
  return { accountId: one.accountId, ...Object.fromEntries(later) } as StoredMarks
}

/** Sorts as the pair (time, value). */
function rank(marks: StoredMarks, mark: Mark): string {
  const only = { ...emptyMarks(marks.accountId), [mark]: { ...marks[mark], at: 0 } }
  return `${marks[mark].at.toString(16).padStart(14, '0')}${toHex(encode(marksCodec, only))}`
}

export class PersonMarksBook {
  readonly #states: StateStore
  readonly #now: () => number
  readonly #onSet: (changed: readonly Mark[]) => void
  readonly #marks = new Map<AccountHex, StoredMarks>()

  /** @param onSet - called once marks of a person were stored. */
  constructor(states: StateStore, now: () => number, onSet: (changed: readonly Mark[]) => void = () => undefined) {
    this.#states = states
    this.#now = now
    this.#onSet = onSet
  }

  /** Reads all marks, and the accounts that they are about. */
  async load(directory?: { load(accountId: AccountId): Promise<unknown> }): Promise<void> {
    for (const marks of await this.#states.all(SPACE, marksEntry)) {
      this.#marks.set(toHex(marks.accountId), marks)
      await directory?.load(marks.accountId)
    }
  }

  /** Everybody about whom anything was ever noted. */
  all(): AccountId[] {
    return [...this.#marks.values()].map(({ accountId }) => accountId)
  }

  of(accountId: AccountId): PersonMarks {
    const stored = this.stored(accountId)
    if (!stored) return NO_MARKS
    return Object.fromEntries(MARKS.map(mark => [mark, stored[mark].value])) as unknown as PersonMarks
  }

  /** The marks with their times, for the user's other devices; undefined if nothing was ever noted. */
  stored(accountId: AccountId): StoredMarks | undefined {
    return this.#marks.get(toHex(accountId))
  }

  isBlocked(accountId: AccountId): boolean {
    return this.stored(accountId)?.blocked.value ?? false
  }

  /** Whether a person may learn anything of this device: the user has accepted them and has not blocked them. */
  isSpokenTo(accountId: AccountId): boolean {
    const { answer, blocked } = this.of(accountId)
    return answer === 'accepted' && !blocked
  }

  /** Sets marks; those that have the wanted value already keep their time. @returns what changed. */
  async set(unit: UnitOfWork, accountId: AccountId, wanted: Partial<PersonMarks>): Promise<Mark[]> {
    const before = (await unit.read(slotOf(accountId))) ?? emptyMarks(accountId)
    const changed = MARKS.filter(mark => wanted[mark] !== undefined && wanted[mark] !== before[mark].value)
    if (changed.length === 0) return []
    // A clock that was put back must not make this older than what it replaces.
    const set = changed.map(mark => [mark, { value: wanted[mark], at: Math.max(this.#now(), before[mark].at + 1) }])
    this.#put(unit, { ...before, ...(Object.fromEntries(set) as Partial<StoredMarks>) }, changed)
    return changed
  }

  /** The marks as a unit of work has them. */
  async storedIn(unit: UnitOfWork, accountId: AccountId): Promise<StoredMarks> {
    return (await unit.read(slotOf(accountId))) ?? emptyMarks(accountId)
  }

  /** Takes in the marks of another device of this account. @returns whether anything changed. */
  async merge(unit: UnitOfWork, theirs: StoredMarks): Promise<boolean> {
    const before = (await unit.read(slotOf(theirs.accountId))) ?? emptyMarks(theirs.accountId)
    const merged = mergeMarks(before, theirs)
    const changed = MARKS.filter(mark => merged[mark] !== before[mark])
    if (changed.length > 0) this.#put(unit, merged, changed)
    return changed.length > 0
  }

  #put(unit: UnitOfWork, marks: StoredMarks, changed: readonly Mark[]): void {
    unit.write(slotOf(marks.accountId), marks)
    unit.after(() => {
      this.#marks.set(toHex(marks.accountId), marks)
      this.#onSet(changed)
    })
  }
}
