import type { AccountId } from '../../protocol/identity/device.ts'
import { PRESENT_MS, type DirectoryClient } from '../directory/directory-client.ts'
import { isFresh, type KnownAccount } from '../directory/known-account.ts'
import type { EngineContext } from '../engine-context.ts'
import type { ConversationRoster } from '../groups/conversation-roster.ts'
import type { Conversation } from '../store/conversation-entries.ts'

/** Accounts asked for by one look; of a large group those that were not asked for the longest. */
const MAX_LOOKED = 8

export interface PartnerLookComponents {
  context: EngineContext
  directory: DirectoryClient
  roster: ConversationRoster
}

/**
 * Asks again about the accounts of a conversation that is on a screen or that the user writes in. So a new device of a contact,
 * or a recovery, is known before the next message is sealed, and the screen tells it.
 */
export class PartnerLook {
  readonly #components: PartnerLookComponents

  constructor(components: PartnerLookComponents) {
    this.#components = components
  }

  /** Asks for those that were not asked for in the last {@link PRESENT_MS}. Never rejects. */
  async look(conversation: Conversation): Promise<void> {
    const { context, directory, roster } = this.#components
    try {
      const now = context.timers.now()
      const known = await Promise.all(roster.membersOf(conversation).map(accountId => directory.load(accountId)))
      const due = known
        .filter((account): account is KnownAccount => account !== undefined && !isFresh(account, now, PRESENT_MS))
        .sort((a, b) => a.checkedAt - b.checkedAt)
        .slice(0, MAX_LOOKED)
      await Promise.all(due.map(({ accountId }) => this.#ask(accountId)))
    } catch (error) {
      context.log.debug('the people of a conversation were not asked for', { reason: String(error) })
    }
  }

  async #ask(accountId: AccountId): Promise<void> {
    await this.#components.directory.account(accountId, PRESENT_MS)
  }
}
