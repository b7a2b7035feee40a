import type { PeerApi, Person } from '../../../peer/peer-api.ts'
import { PeopleFinder } from '../state/people-finder.svelte.ts'

/** People who are being chosen for a group: among those whom the user knows, or found by username. */
export class PeopleChoice {
  chosen = $state.raw<readonly Person[]>([])
  readonly finder: PeopleFinder

  constructor(api: PeerApi) {
    this.finder = new PeopleFinder(api)
  }

  get accounts(): string[] {
    return this.chosen.map(({ accountId }) => accountId)
  }

  has({ accountId }: Person): boolean {
    return this.chosen.some(person => person.accountId === accountId)
  }

  toggle(person: Person): void {
    const others = this.chosen.filter(({ accountId }) => accountId !== person.accountId)
    this.chosen = this.has(person) ? others : [...others, person]
  }

  /** Takes the person whom the look-up has found, and makes room for the next name. */
  takeFound(person: Person): void {
    if (!this.has(person)) this.toggle(person)
    this.finder.type('')
  }
}

/** Contacts and people one writes to, each once, without oneself, those who are left out, and blocked ones. */
export function choosable(people: readonly Person[], leftOut: ReadonlySet<string>): Person[] {
  const isOpen = ({ accountId, isMe, marks }: Person): boolean => !isMe && !marks.blocked && !leftOut.has(accountId)
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- used here only
  return [...new Map(people.map(person => [person.accountId, person])).values()].filter(isOpen)
}
