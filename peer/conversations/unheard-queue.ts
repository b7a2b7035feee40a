import { toHex } from '../../protocol/bytes.ts'
import type { ChatMessage, Person } from '../peer-api.ts'
import type { PersonViews } from '../people/person-views.ts'
import { slots, unheardEntry, type MessageRow } from '../store/store-layout.ts'
import type { StateStore } from '../store/state-store.ts'

/** A received message that `listen` has not printed yet. */
export interface Unheard {
  /** Its place in the line. */
  order: string
  message: ChatMessage
  person: Person
}

/** Received messages in the order they came, until `listen` has printed them. */
export class UnheardQueue {
  readonly #states: StateStore
  readonly #people: PersonViews
  readonly #nameOf: (row: MessageRow) => Promise<void>

  /** @param nameOf - waits until a sender's name has been looked up, if that is under way. */
  constructor(states: StateStore, people: PersonViews, nameOf: (row: MessageRow) => Promise<void>) {
    this.#states = states
    this.#people = people
    this.#nameOf = nameOf
  }

  /** The first of the line, oldest first. */
  async first(limit: number): Promise<Unheard[]> {
    const unheard: Unheard[] = []
    for (const { order, value } of await this.#states.range('unheard', undefined, unheardEntry, { limit })) {
      const row = await this.#states.read(slots.message(toHex(value.conversationId), value.order))
      if (!row) continue
      await this.#nameOf(row)
      unheard.push({ order, message: this.#people.message(row), person: this.#people.person(row.from) })
    }
    return unheard
  }

  /** Takes a message off the line. */
  async leave({ order }: Pick<Unheard, 'order'>): Promise<void> {
    await this.#states.unit(async unit => unit.remove(slots.unheard(order)))
  }
}
