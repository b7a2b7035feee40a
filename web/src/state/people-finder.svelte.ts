import type { PeerApi, Person } from '../../../peer/peer-api.ts'
import { isUsername, normalizedUsername } from './username.ts'

/** A name that is not found is looked for again after this … */
const RETRY_MS = 3_000
/** … and so often: the claim of a person who has just signed up stands in a block by then. */
const RETRIES = 12

/** A name elsewhere, such as `x:ada`. */
const ELSEWHERE = /^[a-z0-9-]{1,32}:@?[a-z0-9_.-]{1,64}$/

/** The result of a look-up. */
export type FinderState =
  | { kind: 'idle' }
  | { kind: 'looking' }
  | { kind: 'found'; person: Person }
  /** `isFinal` once it was asked for long enough that a new name would have come. */
  | { kind: 'nobody'; username: string; isFinal: boolean }
  /** Nobody wants to be found by this name elsewhere. */
  | { kind: 'nobodyElsewhere'; name: string }
  | { kind: 'invalid' }
  | { kind: 'failed'; error: unknown }

/** Finds a person by the exact username, or by a name elsewhere that the person wants to be found by. */
export class PeopleFinder {
  text = $state('')
  state = $state.raw<FinderState>({ kind: 'idle' })
  readonly #api: PeerApi
  #lookUps = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(api: PeerApi) {
    this.#api = api
  }

  /** Takes what the user types, and drops the older result. */
  type(text: string): void {
    this.text = text
    this.stop()
    this.state = { kind: 'idle' }
  }

  /** Looks for nothing more. */
  stop(): void {
    this.#lookUps++
    clearTimeout(this.#timer)
  }

  async look(): Promise<void> {
    const username = normalizedUsername(this.text)
    if (!username) return
    if (ELSEWHERE.test(username)) return this.#lookElsewhere(username)
    if (!isUsername(username)) {
      this.state = { kind: 'invalid' }
      return
    }
    this.stop()
    this.state = { kind: 'looking' }
    await this.#attempt(username, RETRIES)
  }

  async #lookElsewhere(name: string): Promise<void> {
    this.stop()
    const lookUp = this.#lookUps
    this.state = { kind: 'looking' }
    const found = await this.#find(name, true)
    if (lookUp !== this.#lookUps) return
    this.state = found.kind === 'nobody' ? { kind: 'nobodyElsewhere', name } : found
  }

  async #attempt(username: string, retries: number): Promise<void> {
    const lookUp = this.#lookUps
    const state = await this.#find(username, retries === 0)
    if (lookUp !== this.#lookUps) return
    this.state = state
    if (state.kind === 'nobody' && !state.isFinal)
      this.#timer = setTimeout(() => void this.#attempt(username, retries - 1), RETRY_MS)
  }

  async #find(username: string, isFinal: boolean): Promise<FinderState> {
    try {
      const person = await this.#api.people.find(username)
      return person ? { kind: 'found', person } : { kind: 'nobody', username, isFinal }
    } catch (error) {
      return { kind: 'failed', error }
    }
  }
}
