import type { HoldReason, MessageProblem, StatusProblemFacts } from '../../../peer/problems.ts'

/** Whom a sentence is about: how the person is called here, and the username in question. */
export interface AboutPerson {
  name: string
  username: string
}

/** Why sending is paused, one sentence for every code. */
export type HoldSentences = Record<HoldReason, (person: AboutPerson) => string>
/** Why an own message waits or failed, one sentence for every code that is not a {@link HoldReason}. */
export type MessageSentences = Record<Exclude<MessageProblem, HoldReason>, string>
/** What needs attention about the connection, one sentence for every code. */
export type StatusSentences = { [C in keyof StatusProblemFacts]: (facts: StatusProblemFacts[C]) => string }
