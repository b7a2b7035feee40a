import type { PeerApi, Person } from '../../../peer/peer-api.ts'
import { isUsername, normalizedUsername } from './username.ts'

/** The result of a look-up. */
export type FinderState =
  | { kind: 'idle' }
  | { kind: 'looking' }
  | { kind: 'found'; person: Person }
  | { kind: 'nobody'; username: string }
  | { kind: 'invalid' }
  | { kind: 'failed'; error: unknown }

/** Finds a person by the exact username. */
export class PeopleFinder {
  text = $state('')
  state = $state.raw<FinderState>({ kind: 'idle' })
  readonly #api: PeerApi
  #lookUps = 0

  constructor(api: PeerApi) {
    this.#api = api
  }

  /** Takes what the user types, and drops the older result. */
  type(text: string): void {
    this.text = text
    this.#lookUps++
    this.state = { kind: 'idle' }
  }

  async look(): Promise<void> {
    const username = normalizedUsername(this.text)
    if (!username) return
    if (!isUsername(username)) {
      this.state = { kind: 'invalid' }
      return
    }
    const lookUp = ++this.#lookUps
    this.state = { kind: 'looking' }
    const state = await this.#find(username)
    if (lookUp === this.#lookUps) this.state = state
  }

  async #find(username: string): Promise<FinderState> {
    try {
      const person = await this.#api.people.find(username)
      return person ? { kind: 'found', person } : { kind: 'nobody', username }
    } catch (error) {
      return { kind: 'failed', error }
    }
  }
}
