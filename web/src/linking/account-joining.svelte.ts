import { errorOf, PeerError } from '../../../peer/errors.ts'
import type { LinkingState } from '../../../peer/peer-api.ts'
import type { LinkingSource } from './linking-source.ts'

/** After these failures the same code may still work. */
const CODE_STAYS = new Set<string>(['link-code', 'link-unknown', 'offline', 'refused', 'interrupted'])

/** The first values of the form. */
interface JoiningStart {
  /** Text of the QR code that opened the app; empty if none did. */
  scanned: string
  deviceName: string
}

/** A device without an account that joins one with a code. */
export class AccountJoining {
  /** The words as typed. */
  typed = $state('')
  /** Text of a QR code that was read before the person said to go on; empty if none was. */
  scanned = $state('')
  deviceName = $state('')
  #callFailure = $state.raw<unknown>(null)
  #isAsking = $state(false)
  readonly #suggestedName: string
  readonly #app: LinkingSource

  constructor(app: LinkingSource, { scanned, deviceName }: JoiningStart) {
    this.#app = app
    this.scanned = scanned
    this.deviceName = this.#suggestedName = deviceName
  }

  /** Null unless a code is in use. */
  get linking(): LinkingState | null {
    const linking = this.#app.snapshot?.linking
    return linking?.side === 'new' ? linking : null
  }

  get step(): 'form' | 'looking' | 'asking' | 'joining' {
    const step = this.linking?.step
    if (step === 'asking' && this.linking?.checkWords) return 'asking'
    if (step === 'adding' || step === 'done') return 'joining'
    return this.#isAsking || step === 'waiting' ? 'looking' : 'form'
  }

  /** Why the last try failed; null if it did not. */
  get failure(): unknown {
    if (this.#isAsking) return null
    const told = this.linking?.failure
    return this.#callFailure ?? (told ? errorOf(told) : null)
  }

  /** Uses a code. @param code - the typed words by default, or the text of a QR code. */
  async join(code = this.scanned || this.typed): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    this.#callFailure = null
    try {
      await this.#app.api.linking.join(code, this.deviceName.trim() || this.#suggestedName)
      await this.#app.load()
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#isAsking = false
    }
  }

  #failed(error: unknown): void {
    const code = error instanceof PeerError ? error.code : null
    if (code === null || !CODE_STAYS.has(code)) this.typed = this.scanned = ''
    // Who has pressed Cancel knows it.
    if (!isCancelledHere(error)) this.#callFailure = error
  }

  /** Back to an empty form. */
  useAnother(): void {
    this.scanned = this.typed = ''
    this.#callFailure = null
    this.cancel()
  }

  /** Ends what is under way. */
  cancel(): void {
    this.#app.api.linking.cancel().catch((error: unknown) => console.warn(error))
  }

  /** The person leaves the screen. A device that is being added is added. */
  leave(): void {
    if (this.step === 'looking' || this.step === 'asking') this.cancel()
  }
}

const isCancelledHere = (error: unknown): boolean =>
  error instanceof PeerError &&
  error.code === 'link-cancelled' &&
  (error as PeerError<'link-cancelled'>).facts.by === 'this'
