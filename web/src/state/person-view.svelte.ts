import type { PeerApi, Person } from '../../../peer/peer-api.ts'

/** One person's page: what is known, and how to ask the directory again. */
export class PersonView {
  person = $state.raw<Person | null>(null)
  state = $state<'loading' | 'ready' | 'unknown'>('loading')
  refreshing = $state(false)
  refreshFailed = $state(false)
  readonly #api: PeerApi
  readonly #accountId: string

  /** @param known - what this device knows already. */
  constructor(api: PeerApi, accountId: string, known: Person | null) {
    this.#api = api
    this.#accountId = accountId
    this.person = known
    if (known) this.state = 'ready'
  }

  /** Looks a person up that this device does not know yet. */
  async load(): Promise<void> {
    if (this.person) return
    this.person = await this.#api.people.find(this.#accountId).catch(() => null)
    this.state = this.person ? 'ready' : 'unknown'
  }

  /** Asks the directory again, and shows no sign of it. */
  async look(): Promise<void> {
    if (this.refreshing) return
    this.person = await this.#api.people.refresh(this.#accountId)
    this.state = 'ready'
  }

  /** Asks the directory again. */
  async refresh(): Promise<void> {
    this.refreshing = true
    this.refreshFailed = false
    try {
      this.person = await this.#api.people.refresh(this.#accountId)
      this.state = 'ready'
    } catch {
      this.refreshFailed = true
    } finally {
      this.refreshing = false
    }
  }
}
