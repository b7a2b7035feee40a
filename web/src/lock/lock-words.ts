import { failureOf } from '../../../peer/errors.ts'
import type { LockWays } from '../../../peer/store/browser/key-slots.ts'
import type { Catalogue } from '../i18n/catalogue.ts'
import { failureWords } from '../state/failure-words.ts'
import { PasskeyError } from './passkeys.ts'

/** What to tell a person about a failed call of the lock, or of a passkey. */
export function lockFailureWords(error: unknown, words: Catalogue): string {
  if (error instanceof PasskeyError) return words.lock.passkeyProblems[error.problem]
  const { code, facts } = failureOf(error)
  if (code === 'store' && facts.fault === 'passphrase-wrong') return words.lock.wrong
  if (code === 'store' && facts.fault === 'passkey-wrong') return words.lock.wrongPasskey
  return failureWords(error, words)
}

/** What locks this browser, in words. */
export function lockedWithWords({ passphrase, passkey }: LockWays, { lock }: Catalogue): string {
  if (passphrase && passkey) return lock.setBoth
  return passkey ? lock.setPasskey : lock.setPassphrase
}

/** The question, and what can be done, where nothing opens this browser any more. */
export function lostWords({ passphrase, passkey }: LockWays, { lock }: Catalogue): { title: string; text: string } {
  if (!passkey) return { title: lock.forgot, text: lock.forgotText }
  return { title: passphrase ? lock.lostBoth : lock.lost, text: lock.lostText }
}
