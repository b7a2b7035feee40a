import { PeerError } from '../../../peer/errors.ts'
import { displayNameOrEmpty, parseDisplayName } from '../../../protocol/identity/display-name.ts'
import type { PeerApi } from '../../../peer/peer-api.ts'
import { usernameLike } from './username.ts'
import { UsernameChoice, type NameCheck } from './username-choice.svelte.ts'

/** The first values of the form. */
export interface NameSuggestion {
  /** As the sign-in spells it; null if it does not say. */
  name: string | null
  /** Also used if the user empties the field. */
  deviceName: string
}

/** The choices of the *Your name here* screen. */
export class NameChoice extends UsernameChoice {
  displayName = $state('')
  deviceName = $state('')
  readonly #suggestedDeviceName: string
  readonly #suggestedUsername: string

  constructor(api: PeerApi, { name, deviceName }: NameSuggestion) {
    super(api)
    // A name from elsewhere that our rule refuses is no suggestion.
    this.displayName = displayNameOrEmpty(name ?? '')
    this.deviceName = deviceName
    this.#suggestedDeviceName = deviceName
    this.#suggestedUsername = name === null ? '' : usernameLike(name)
    if (this.#suggestedUsername) this.typeUsername(this.#suggestedUsername)
  }

  /** The first field that is missing; null if the user can start. */
  get missing(): 'username' | 'displayName' | null {
    if (!this.isUsable) return 'username'
    return this.displayName.trim() ? null : 'displayName'
  }

  /** Why the shown name is refused; null while it is empty or fine. */
  get nameProblem(): PeerError<'display-name'> | null {
    const { fault } = parseDisplayName(this.displayName)
    const isUsername = this.displayName === this.username
    return fault === null || isUsername || !this.displayName.trim() ? null : new PeerError('display-name', { fault })
  }

  /** Registers. @returns whether it worked; {@link failure} says why not. */
  async start(): Promise<boolean> {
    if (this.missing || this.nameProblem) return false
    return this.handIn(() =>
      this.api.account.register({
        username: this.username,
        displayName: this.displayName.trim(),
        deviceName: this.deviceName.trim() || this.#suggestedDeviceName
      })
    )
  }

  protected override answered(name: string, answer: NameCheck): void {
    // The person did not choose this name: that it is taken is not worth a red line.
    if (name === this.#suggestedUsername && answer === 'taken' && !this.wasTyped) this.typeUsername('')
    else super.answered(name, answer)
  }
}
