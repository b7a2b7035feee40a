/** Compares the log of a group with that of another device, and brings the two together. */
import { toHex } from '../../protocol/bytes.ts'
import { SEEN_NOTHING, type Seen } from '../../protocol/audit/seen.ts'
import { MAX_GROUP_LOG_MESSAGE_CHANGES } from '../../protocol/conversation/message-kinds.ts'
import type { MessageBody } from '../../protocol/conversation/message.ts'
import type { PacketOrigin } from '../../protocol/conversation/packet-effects.ts'
import type { GroupLog } from '../../protocol/groups/group-log.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { EngineContext } from '../engine-context.ts'
import type { GroupBook } from '../groups/group-book.ts'
import type { GroupKnowledge } from '../groups/group-knowledge.ts'
import type { UnitOfWork } from '../store/state-store.ts'
import type { DifferenceLines } from './difference-lines.ts'
import type { SeenBook } from './seen-book.ts'

/** Changes that another device names and that do not come, although it was asked: after this long a line says so. */
const ROSTER_GRACE_MS = 10 * 60_000
/** It was asked for them at least so often. */
const ROSTER_QUESTIONS = 3
/** Of the changes in one message. */
const MAX_LOG_BYTES = 12 * 1024

export interface GroupAuditComponents {
  context: EngineContext
  book: GroupBook
  knowledge: GroupKnowledge
  seen: SeenBook
  lines: DifferenceLines
}

export class GroupAudit {
  readonly #components: GroupAuditComponents

  constructor(components: GroupAuditComponents) {
    this.#components = components
  }

  /** @returns what the other device is told: the changes that it asks for, or a question for those that are not here. */
  async compare(unit: UnitOfWork, origin: PacketOrigin, { groupHeads, asks }: Seen): Promise<MessageBody[]> {
    const { book, knowledge } = this.#components
    const { conversationId, senderDevice } = origin
    const log = book.within(unit, toHex(conversationId))?.log
    if (!log || groupHeads.length === 0) return []
    const known = groupHeads.filter(id => log.has(id))
    const answers: MessageBody[] = asks ? changesFor(log, conversationId, known) : []
    if (asks) answers.push({ kind: 'seen', ...SEEN_NOTHING, groupHeads: [...log.heads] })
    if (known.length === groupHeads.length) {
      await knowledge.noteNews(unit, conversationId, senderDevice, groupHeads)
      await this.#settle(unit, origin)
      return answers
    }
    return [...answers, ...(await this.#ask(unit, origin, log))]
  }

  async #settle(unit: UnitOfWork, { conversationId, senderDevice }: PacketOrigin): Promise<void> {
    const { seen } = this.#components
    const told = await seen.toldTo(unit, conversationId, senderDevice)
    if (told.asked > 0) seen.noteTold(unit, conversationId, { ...told, lacksSince: 0, asked: 0, mustAsk: false })
  }

  /** The other device has changes that are not here: at once, and then with acknowledgements, until they are. */
  async #ask(unit: UnitOfWork, origin: PacketOrigin, log: GroupLog): Promise<MessageBody[]> {
    const { context, seen, lines } = this.#components
    const { conversationId, senderDevice } = origin
    const told = await seen.toldTo(unit, conversationId, senderDevice)
    const now = context.timers.now()
    const since = told.asked > 0 && told.lacksSince <= now ? told.lacksSince : now
    seen.noteTold(unit, conversationId, { ...told, lacksSince: since, asked: told.asked + 1, mustAsk: true })
    if (told.asked >= ROSTER_QUESTIONS && now - since >= ROSTER_GRACE_MS) {
      await lines.tell(unit, origin, { what: 'roster', of: null })
    }
    return told.asked === 0 ? [{ kind: 'seen', ...SEEN_NOTHING, groupHeads: [...log.heads], asks: true }] : []
  }
}

/** The changes after those that a device has, in messages that fit into packets. */
function changesFor(log: GroupLog, groupId: ConversationId, known: GroupLog['heads']): MessageBody[] {
  const messages: { bytes: number; changes: Uint8Array[] }[] = []
  for (const { encoded } of log.changesAfter(known)) {
    const last = messages.at(-1)
    const fits = last && last.bytes + encoded.length <= MAX_LOG_BYTES
    if (!fits || last.changes.length >= MAX_GROUP_LOG_MESSAGE_CHANGES) messages.push({ bytes: 0, changes: [] })
    const message = messages.at(-1)!
    message.changes.push(encoded)
    message.bytes += encoded.length
  }
  return messages.map(({ changes }) => ({ kind: 'groupLog', groupId, heads: [...log.heads], changes }))
}
