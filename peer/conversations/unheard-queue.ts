import { toHex } from '../../protocol/bytes.ts'
import type { ChatMessage, Person } from '../peer-api.ts'
import type { PersonViews } from '../people/person-views.ts'
import { isErased } from '../history/amendment-traces.ts'
import type { MessageRow, ShownId } from '../store/conversation-entries.ts'
import { slots, unheardEntry, type ChatEventEntry } from '../store/store-layout.ts'
import type { StateStore } from '../store/state-store.ts'

/** What a person did that is not a message. */
export type ChatEvent = ChatEventEntry['what'] & {
  conversationId: string
  /** Name of the message that it is about; null for the timer. */
  messageId: string | null
  sentAt: number
}

/** Something that `listen` has not printed yet. */
export interface Unheard {
  /** Its place in the line. */
  order: string
  /** Who wrote or did it. */
  person: Person
  /** The message, or the one that an event is about, as it is now; null if that has not come. */
  message: ChatMessage | null
  /** Null for a message. */
  event: ChatEvent | null
}

/** Received messages and events in the order they came, until `listen` has printed them. */
export class UnheardQueue {
  readonly #states: StateStore
  readonly #people: PersonViews
  readonly #nameOf: (row: Pick<MessageRow, 'from'>) => Promise<void>

  /** @param nameOf - waits until a sender's name has been looked up, if that is under way. */
  constructor(states: StateStore, people: PersonViews, nameOf: (row: Pick<MessageRow, 'from'>) => Promise<void>) {
    this.#states = states
    this.#people = people
    this.#nameOf = nameOf
  }

  /** The first of the line, oldest first. A message that was deleted meanwhile is left out. */
  async first(limit: number): Promise<Unheard[]> {
    const unheard: Unheard[] = []
    for (const { order, value } of await this.#states.range('unheard', undefined, unheardEntry, { limit })) {
      const found = value.event
        ? await this.#event(order, toHex(value.conversationId), value.event)
        : await this.#message(order, await this.#states.read(slots.message(toHex(value.conversationId), value.order)))
      if (found) unheard.push(found)
      else await this.leave({ order })
    }
    return unheard
  }

  async #message(order: string, row: MessageRow | undefined): Promise<Unheard | undefined> {
    if (!row || isErased(row)) return undefined
    await this.#nameOf(row)
    return { order, message: this.#people.message(row), person: this.#people.person(row.from), event: null }
  }

  async #event(order: string, conversationId: string, event: ChatEventEntry): Promise<Unheard> {
    await this.#nameOf(event)
    const messageId = event.message && toHex(event.message)
    const place = messageId === null ? undefined : await this.#states.read(slots.place(messageId as ShownId))
    const row = place && (await this.#states.read(slots.message(conversationId, place.order)))
    return {
      order,
      person: this.#people.person(event.from),
      message: row ? this.#people.message(row) : null,
      event: { ...event.what, conversationId, messageId, sentAt: event.sentAt }
    }
  }

  /** Takes something off the line. */
  async leave({ order }: Pick<Unheard, 'order'>): Promise<void> {
    await this.#states.unit(async unit => unit.remove(slots.unheard(order)))
  }
}
