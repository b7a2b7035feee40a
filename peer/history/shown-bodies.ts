/** The bodies that are shown as a message of their own, and the fields of a row that they become. */
import type { BodyOf, MessageBody } from '../../protocol/conversation/message.ts'
import type { MessageRow } from '../store/conversation-entries.ts'

/** A body that people read. */
export type ShownBody = BodyOf<'text' | 'reply' | 'forward' | 'poll'>

/** The fields of a row that a body decides. */
export type BodyFields = Pick<MessageRow, 'kind' | 'text' | 'replyTo' | 'isForwarded' | 'poll'>

/** Of a row that has no body. */
export const NO_BODY = { replyTo: null, isForwarded: false, poll: null } as const

/** @returns undefined for a body that is not shown, or not by this version. */
export function shownBody(body: MessageBody): ShownBody | undefined {
  const { kind } = body
  return kind === 'text' || kind === 'reply' || kind === 'forward' || kind === 'poll' ? body : undefined
}

/** How a body is stored. */
export function fieldsOfBody(body: ShownBody): BodyFields {
  switch (body.kind) {
    case 'text':
      return { ...NO_BODY, kind: 'text', text: body.text }
    case 'reply':
      return { ...NO_BODY, kind: 'text', text: body.text, replyTo: body.target }
    case 'forward':
      return { ...NO_BODY, kind: 'text', text: body.text, isForwarded: true }
    case 'poll':
      return { ...NO_BODY, kind: 'poll', text: body.question, poll: pollOf(body) }
  }
}

/** Reverses {@link fieldsOfBody}: a message that was never sealed is sealed from its row. */
export function bodyOfRow({ text, replyTo, isForwarded, poll }: BodyFields): ShownBody {
  if (poll) return { kind: 'poll', question: text, ...poll }
  if (replyTo) return { kind: 'reply', target: replyTo, text }
  return isForwarded ? { kind: 'forward', text } : { kind: 'text', text }
}

const pollOf = ({ options, isMultiple }: BodyOf<'poll'>): NonNullable<MessageRow['poll']> => ({ options, isMultiple })
