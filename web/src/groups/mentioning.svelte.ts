import type { Person } from '../../../peer/peer-api.ts'

/** What is typed of a name: an @ that begins a word, and letters behind it. */
const BEGUN = /(?<![\p{L}\p{N}_@])@([\p{L}\p{N}_]{0,24})$/u
/** Names offered at once. */
const MAX_OFFERED = 6

/** Offers members while the user types an @ and the beginning of a name. */
export class Mentioning {
  offered = $state.raw<readonly Person[]>([])
  /** Place of the one that Enter takes. */
  chosen = $state(0)
  readonly #people: () => readonly Person[]
  /** Where the @ is, and where the caret. */
  #start = 0
  #caret = 0
  /** The text and the caret at which the user closed the list. */
  #closedAt: string | null = null

  /** @param people - those who have a username, as they are now. */
  constructor(people: () => readonly Person[]) {
    this.#people = people
  }

  get isOpen(): boolean {
    return this.offered.length > 0
  }

  get choice(): Person | undefined {
    return this.offered[this.chosen]
  }

  /** @param caret - in UTF-16 code units; null while text is selected. */
  look(text: string, caret: number | null): void {
    const begun = caret === null ? null : BEGUN.exec(text.slice(0, caret))
    if (!begun || this.#closedAt === `${caret} ${text}`) {
      this.offered = []
      return
    }
    this.#start = begun.index
    this.#caret = caret!
    const typed = begun[1]!.toLowerCase()
    const fits = ({ username, displayName }: Person): boolean =>
      username!.startsWith(typed) ||
      (displayName ?? '')
        .toLowerCase()
        .split(/\s+/)
        .some(word => word.startsWith(typed))
    const offered = this.#people()
      .filter(person => !person.isMe && fits(person))
      .slice(0, MAX_OFFERED)
    if (offered.map(({ accountId }) => accountId).join() !== this.offered.map(({ accountId }) => accountId).join())
      this.chosen = 0
    this.offered = offered
  }

  /** Moves the choice, around the ends. */
  move(steps: 1 | -1): void {
    const { length } = this.offered
    this.chosen = (this.chosen + steps + length) % length
  }

  /** Puts a person's username in place of what was typed. @returns the text, and where one writes on. */
  take({ username }: Person, text: string): { text: string; caret: number } {
    const before = `${text.slice(0, this.#start)}@${username} `
    const after = text.slice(this.#caret)
    this.offered = []
    return { text: before + after.replace(/^ /, ''), caret: before.length }
  }

  /** Offers nothing until the text changes. */
  close(text: string, caret: number): void {
    this.#closedAt = `${caret} ${text}`
    this.offered = []
  }
}
