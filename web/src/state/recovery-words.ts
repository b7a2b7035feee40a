import type { Language } from '../i18n/language.ts'
import type { RecoveryStatus } from './recovery-status.svelte.ts'

/** What is true of the account's recovery code, in a sentence. */
export function recoveryWords(
  { state, waitingCode }: Pick<RecoveryStatus, 'state' | 'waitingCode'>,
  { words: { recovery }, dates }: Language
): string {
  if (!state) return recovery.unknown
  if (waitingCode) {
    const { deviceName, countsFrom } = waitingCode
    const device = deviceName === null ? recovery.anotherDevice : recovery.named(deviceName)
    return recovery.waitsOther(device, dates.dateTime(countsFrom))
  }
  if (state.waiting) return recovery.waitsThis(dates.dateTime(state.waiting.countsFrom))
  return state.isSet ? recovery.isSet : recovery.none
}
