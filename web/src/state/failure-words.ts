import { PeerError } from '../../../peer/peer-api.ts'
import type { Catalogue } from '../i18n/en.ts'

/** What to tell a person about a failed call. The peer's own messages are in plain words already. */
export function failureWords(error: unknown, words: Catalogue): string {
  if (error instanceof PeerError) return error.code === 'offline' ? words.failures.offline : error.message
  console.error(error)
  return words.failures.internal
}
