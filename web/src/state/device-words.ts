import type { DeviceRecord } from '../../../peer/peer-api.ts'
import type { Language } from '../i18n/language.ts'

const HOUR_MS = 60 * 60_000

/** What a list of devices says about one of them. */
export interface DeviceWords {
  look: 'pending' | 'recorded' | 'removed'
  name: string
  /** Its place on the public record, as a sentence. */
  state: string
  /** What is still going to happen; null if nothing is. */
  note: string | null
}

/** @param index - its place in the list, for a device whose name is not known here. */
export function deviceWords(
  { name, isThis, added, removed }: DeviceRecord,
  index: number,
  { words, dates }: Language
): DeviceWords {
  const { devices } = words
  const called = name ?? (isThis ? devices.thisDevice : devices.other(index + 1))
  if (removed) {
    const state = removed.at === null ? devices.removing : devices.removedOn(dates.dateTime(removed.at))
    return { look: 'removed', name: called, state, note: removed.state === 'recorded' ? devices.removedSettling : null }
  }
  if (added.at === null) return { look: 'pending', name: called, state: devices.adding, note: null }
  const note = added.state === 'recorded' ? devices.settling : null
  return { look: 'recorded', name: called, state: devices.since(dates.dateTime(added.at)), note }
}

/**
 * When another own device was last on; null for this one, a removed one, and where nothing is known. Devices tell the hour only.
 */
export function lastSeenWords(
  { isThis, lastSeen, removed }: DeviceRecord,
  { words: { devices }, dates }: Language,
  now: number
): string | null {
  if (lastSeen === null || isThis || removed) return null
  return now < lastSeen + HOUR_MS ? devices.seenNow : devices.lastSeen(dates.ago(lastSeen, now))
}

/** The command that checks an account without this app. */
export function verifyCommand(accountId: string, sources: readonly string[]): string {
  return ['npx volo-verify account', accountId, ...sources.map(source => `--node ${source}`)].join(' ')
}
