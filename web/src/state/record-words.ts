import type { Person, RecordDetails } from '../../../peer/peer-api.ts'
import type { Language } from '../i18n/language.ts'

/** How a badge looks: dashed ring, amber seal, plain ring, red cross, grey stop. */
export type RecordLook = 'pending' | 'recorded' | 'unknown' | 'mismatch' | 'removed'

/** What a screen says about an entry in the public record. */
export interface RecordWords {
  look: RecordLook
  /** A few words, for the badge. */
  label: string
  /** One sentence, for where the record is not the subject. */
  short: string
  /** Whole sentences. */
  text: string
  /** How it was checked, and when; null before the first check. */
  checked: string | null
}

/** The facts around an entry that its words depend on. */
export interface RecordContext {
  /** Name of the person the entry is about. */
  name: string
  isMe: boolean
  /** The change that the user has not answered yet. */
  alert: Person['alert']
  /** Whether the public record is an emulated one, which must not promise what the real one does. */
  emulated: boolean
  /** Milliseconds since 1970. */
  now: number
}

/** Puts an entry in the public record into words. */
export function recordWords(
  record: RecordDetails,
  { words, dates }: Language,
  { name, isMe, alert, emulated, now }: RecordContext
): RecordWords {
  const { record: text } = words
  const agreed = dates.ago(record.agreement.at ?? record.checkedAt, now)
  // Agreement has an age: what two operators said then is not what they say now.
  const one = record.agreement.at === null ? text.checkedOne : text.checkedLast(agreed)
  const checked = { L0: text.checkedNone(dates.ago(record.checkedAt, now)), L1: one, L2: text.checkedTwo(agreed) }[
    record.trust
  ]
  if (alert && record.state !== 'mismatch') {
    const changed = alertWords(alert, name, words)
    return { look: 'mismatch', label: text.changed, short: changed, text: changed, checked }
  }
  switch (record.state) {
    case 'pending': {
      const undone = record.undoneAt === null ? null : text.undoneText(dates.dateTime(record.undoneAt))
      const pending = undone ?? `${text.pending}. ${text.pendingText}`
      return { look: 'pending', label: text.pending, short: pending, text: pending, checked: null }
    }
    case 'recorded':
    case 'settled':
    case 'final': {
      const since = record.recordedAt === null ? null : text.recordedSince(dates.dateTime(record.recordedAt))
      const settling = record.state === 'recorded' ? text.settling : null
      const strength = emulated ? text.emulated : settling ? null : text.recordedText
      const sentences = [since, settling, strength].filter(Boolean)
      // By one operator alone: true of everybody on its network, so that nothing but the grey line about the check says it.
      const look = record.trust === 'L2' ? 'recorded' : 'unknown'
      return { look, label: text.recorded, short: since ?? `${text.recorded}.`, text: sentences.join(' '), checked }
    }
    case 'not-found':
      return { look: 'unknown', label: text.notFound, short: text.notFoundText, text: text.notFoundText, checked }
    case 'mismatch': {
      const mismatch = text.mismatchText(name)
      return { look: 'mismatch', label: text.mismatch, short: mismatch, text: mismatch, checked }
    }
    case 'removed': {
      const removed = isMe ? text.removedOwn : text.removedText(name)
      return { look: 'removed', label: text.removed, short: removed, text: removed, checked }
    }
  }
}

/** What changed about a person, and what it means. */
export function alertWords(
  { kind, username }: NonNullable<Person['alert']>,
  name: string,
  { record }: Language['words']
): string {
  switch (kind) {
    case 'key':
      return record.alertKey(name)
    case 'recovered':
      return record.alertRecovered(name)
    case 'lost-name':
      return record.alertLostName(name, username ?? '')
    case 'new-holder':
      return record.alertNewHolder(name, username ?? '')
    case 'withheld':
      return record.alertWithheld(name)
  }
}

/** Confirmations from which an entry is said to be very unlikely to be undone. */
const SAFE_CONFIRMATIONS = 20

/** The confirmations of an entry, with what they mean. */
export function confirmationWords(confirmations: number, { technical }: Language['words']): string {
  if (confirmations === 0) return technical.none
  return confirmations < SAFE_CONFIRMATIONS
    ? technical.confirmationsSettling(confirmations)
    : technical.confirmationsSafe(confirmations)
}
