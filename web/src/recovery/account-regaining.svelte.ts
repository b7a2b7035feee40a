import { PeerError } from '../../../peer/errors.ts'
import type { PeerApi } from '../../../peer/peer-api.ts'
import type { Catalogue } from '../i18n/catalogue.ts'
import { failureWords } from '../state/failure-words.ts'
import { normalizedUsername } from '../state/username.ts'

/** A line that holds a code and nothing else. */
const CODE_LINE = /^\s*[0-9a-z]{4}([\s\p{Pd}]?[0-9a-z]{4}){7}\s*$/iu
/** A file with a code is a few lines; more is not read. */
const MAX_FILE_BYTES = 64 * 1024

/** A device without an account that regains one with a recovery code. */
export class AccountRegaining {
  username = $state('')
  code = $state('')
  deviceName = $state('')
  isWorking = $state(false)
  failure = $state.raw<unknown>(null)
  readonly #api: PeerApi
  readonly #suggestedName: string

  constructor(api: PeerApi, deviceName: string) {
    this.#api = api
    this.deviceName = this.#suggestedName = deviceName
  }

  get isComplete(): boolean {
    return this.username.trim() !== '' && this.code.trim() !== ''
  }

  /** Takes the text of a saved file as the code. */
  async readFile(file: Blob): Promise<void> {
    this.failure = null
    const text = file.size > MAX_FILE_BYTES ? '' : await file.text().catch(() => '')
    if (text.trim() === '') this.failure = new PeerError('recovery-code', { fault: 'malformed' })
    else this.code = codeLineOf(text)
  }

  /** @returns whether this device has the account now; {@link failure} says why not. */
  async regain(): Promise<boolean> {
    if (this.isWorking || !this.isComplete) return false
    this.isWorking = true
    this.failure = null
    try {
      const { code, deviceName } = this
      const username = normalizedUsername(this.username)
      await this.#api.recovery.use({ username, code, deviceName: deviceName.trim() || this.#suggestedName })
      this.code = ''
      return true
    } catch (error) {
      this.failure = error
      return false
    } finally {
      this.isWorking = false
    }
  }
}

/** The line of a file that holds the code; all of it where none looks like one. */
function codeLineOf(text: string): string {
  return (text.split(/\r?\n/).find(line => CODE_LINE.test(line)) ?? text).trim()
}

/** What to tell a person whose account was not regained: the account in question is their own. */
export function regainWords(failure: unknown, words: Catalogue): string {
  const isUnknown = failure instanceof PeerError && failure.code === 'no-account'
  return isUnknown ? words.recovery.noAccount : failureWords(failure, words)
}
