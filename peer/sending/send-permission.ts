import { toHex } from '../../protocol/bytes.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { SendHolds } from '../directory/send-holds.ts'
import { PeerError } from '../errors.ts'
import type { ConversationRoster } from '../groups/conversation-roster.ts'
import type { PersonMarksBook } from '../people/person-marks.ts'
import type { Conversation } from '../store/conversation-entries.ts'
import type { UnitOfWork } from '../store/state-store.ts'

export interface SendPermissionComponents {
  directory: DirectoryClient
  roster: ConversationRoster
  holds: SendHolds
  marks: PersonMarksBook
  /** Notes that the user takes part in a group. */
  groups: { accept(unit: UnitOfWork, groupId: ConversationId): void }
}

/** Whether the user may say something in a conversation now. */
export class SendPermission {
  readonly #components: SendPermissionComponents

  constructor(components: SendPermissionComponents) {
    this.#components = components
  }

  /**
   * As part of the unit of work that says something. Who writes to a person accepts them; who writes in a group takes part in it.
   * @throws PeerError `not-in-group`, `blocked`, `held`.
   */
  async require(unit: UnitOfWork, conversation: Conversation): Promise<void> {
    const { roster, marks, groups } = this.#components
    this.check(conversation)
    if (conversation.kind === 'group') return groups.accept(unit, conversation.conversationId)
    for (const accountId of roster.othersOf(conversation)) await marks.set(unit, accountId, { answer: 'accepted' })
  }

  /** @throws PeerError `not-in-group`, `blocked`, `held`. */
  check(conversation: Conversation): void {
    const { directory, roster, holds, marks } = this.#components
    if (!roster.mayWrite(conversation)) throw new PeerError('not-in-group')
    const isGroup = conversation.kind === 'group'
    for (const accountId of roster.partnersOf(conversation)) {
      const known = directory.peek(toHex(accountId))
      if (!isGroup && marks.isBlocked(accountId)) throw new PeerError('blocked', { username: known?.username ?? null })
      const reason = known && holds.reason(known)
      // What waits for a second operator needs no decision of the user: it is kept, and sent once operators agree.
      if (reason && reason !== 'not-agreed') throw new PeerError('held', { reason, username: known.username })
    }
  }
}
