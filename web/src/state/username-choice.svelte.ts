import type { NameAvailability, PeerApi } from '../../../peer/peer-api.ts'
import { isUsername, normalizedUsername } from './username.ts'

/** The network is asked about a name once the user has not typed for this long. */
const CHECK_AFTER_MS = 350

/** What is known about the name in the field; `empty` before anything was typed. */
export type NameCheck = NameAvailability | 'empty' | 'checking'

/** A username while the user chooses it, and the result of handing it in. */
export class UsernameChoice {
  username = $state('')
  check = $state<NameCheck>('empty')
  /** Whether the app is handing the choice in. */
  starting = $state(false)
  failure = $state.raw<unknown>(null)

  /** Whether the person has changed the field. */
  protected wasTyped = false
  protected readonly api: PeerApi
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(api: PeerApi) {
    this.api = api
  }

  /** Whether the name may be handed in. `unknown` names may be tried: the network decides later. */
  get isUsable(): boolean {
    return this.check === 'available' || this.check === 'unknown'
  }

  /** Takes what the person types. */
  write(typed: string): void {
    this.wasTyped = true
    this.typeUsername(typed)
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

  /** Claims the name for an account that has none. @returns whether it worked; {@link failure} says why not. */
  async claim(): Promise<boolean> {
    return this.isUsable && this.handIn(() => this.api.account.claimName(this.username))
  }

  /** Hands in one choice at a time. @returns whether it worked; {@link failure} says why not. */
  protected async handIn(work: () => Promise<unknown>): Promise<boolean> {
    if (this.starting) return false
    this.starting = true
    this.failure = null
    try {
      await work()
      return true
    } catch (error) {
      this.failure = error
      return false
    } finally {
      this.starting = false
    }
  }

  async #ask(name: string): Promise<void> {
    const answer = await this.api.account.checkName(name).catch(() => 'unknown' as const)
    // An answer about a name that is no longer in the field says nothing.
    if (this.username === name) this.answered(name, answer)
  }

  protected answered(_name: string, answer: NameCheck): void {
    this.check = answer
  }
}
