import type { NameAvailability, PeerApi } from '../../../peer/peer-api.ts'
import { isUsername, normalizedUsername } from './username.ts'

/** Nobody is asked about a name before typing rests this long. */
const CHECK_AFTER_MS = 350

/** What is known about the name in the field; `empty` before anything was typed. */
export type NameCheck = NameAvailability | 'empty' | 'checking'

/** The choices of the *Your name here* screen. */
export class NameChoice {
  username = $state('')
  displayName = $state('')
  deviceName = $state('')
  check = $state<NameCheck>('empty')
  starting = $state(false)
  failure = $state.raw<unknown>(null)

  readonly #api: PeerApi
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(api: PeerApi, suggested: { username: string; displayName: string; deviceName: string }) {
    this.#api = api
    this.displayName = suggested.displayName
    this.deviceName = suggested.deviceName
    if (suggested.username) this.typeUsername(suggested.username)
  }

  /** The first thing that is missing, null if one can start. `unknown` names may be tried: the network decides later. */
  get missing(): 'username' | 'displayName' | 'deviceName' | null {
    if (this.check !== 'available' && this.check !== 'unknown') return 'username'
    if (!this.displayName.trim()) return 'displayName'
    return this.deviceName.trim() ? null : 'deviceName'
  }

  typeUsername(typed: string): void {
    clearTimeout(this.#timer)
    this.failure = null
    const name = normalizedUsername(typed)
    this.username = name
    if (!name) this.check = 'empty'
    else if (!isUsername(name)) this.check = 'invalid'
    else {
      this.check = 'checking'
      this.#timer = setTimeout(() => void this.#ask(name), CHECK_AFTER_MS)
    }
  }

  /** Registers. @returns whether it worked; {@link failure} says why not. */
  async start(): Promise<boolean> {
    if (this.missing || this.starting) return false
    this.starting = true
    this.failure = null
    try {
      await this.#api.register({
        username: this.username,
        displayName: this.displayName.trim(),
        deviceName: this.deviceName.trim()
      })
      return true
    } catch (error) {
      this.failure = error
      return false
    } finally {
      this.starting = false
    }
  }

  async #ask(name: string): Promise<void> {
    const answer = await this.#api.checkName(name).catch(() => 'unknown' as const)
    // An answer about a name that is no longer in the field says nothing.
    if (this.username === name) this.check = answer
  }
}
