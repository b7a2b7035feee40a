/** What the members of a conversation compare to know that nobody stands between them. */
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import {
  compareCodes,
  formatVerificationCode,
  isSameConversation,
  parseVerificationCode,
  verificationCodeOf,
  type CodeDifference,
  type VerificationCode
} from '../../protocol/conversation/verification-code.ts'
import { conversationNumber, personNumber } from '../../protocol/conversation/safety-number.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { Roster } from '../../protocol/roster/roster.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { KnownAccount } from '../directory/known-account.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { ConversationRoster } from '../groups/conversation-roster.ts'
import type { CheckedCode, ConversationSafety, PersonSafety } from '../peer-api.ts'
import type { StateStore } from '../store/state-store.ts'
import { slots } from '../store/store-layout.ts'
import type { PersonViews } from './person-views.ts'

export interface ConversationSafetyComponents {
  context: EngineContext
  states: StateStore
  directory: DirectoryClient
  roster: ConversationRoster
  people: PersonViews
}

/** The people of a conversation as they are known now. */
interface Seen {
  members: KnownAccount[]
  roster: Roster
  code: VerificationCode | undefined
}

export class ConversationSafetyCheck {
  readonly #components: ConversationSafetyComponents

  constructor(components: ConversationSafetyComponents) {
    this.#components = components
  }

  /** @throws PeerError `no-conversation`, `nobody-to-compare`, `no-account`, `offline`. */
  async of(conversationId: string): Promise<ConversationSafety> {
    const { context } = this.#components
    const { members, roster, code } = await this.#look(conversationId)
    return {
      number: conversationNumber(context.crypto, context.network().id, roster),
      people: members.map(member => this.#person(member, roster)),
      code: code ? formatVerificationCode(code) : null
    }
  }

  #person({ accountId }: KnownAccount, roster: Roster): PersonSafety {
    const { context, people } = this.#components
    const listed = roster.members.find(member => equalBytes(member.accountId, accountId))
    return {
      person: people.person(accountId),
      number: personNumber(context.crypto, context.network().id, accountId),
      devices: listed?.devices.map(({ deviceId }) => toHex(deviceId)) ?? []
    }
  }

  /**
   * Compares a code with what is known here.
   * @returns also the account to be marked as compared, if both see the same and it is another person's code.
   * @throws PeerError as {@link of}.
   */
  async check(conversationId: string, text: string): Promise<CheckedCode & { compared: AccountId | null }> {
    const there = parseVerificationCode(text)
    const nothing = { by: null, differences: [], compared: null }
    if (!there) return { result: 'no-code', ...nothing }
    const { members, code: here } = await this.#look(conversationId)
    if (!here || !isSameConversation(here, there)) return { result: 'elsewhere', ...nothing }
    const { people, context } = this.#components
    const owner = members.find(({ accountId }) => equalBytes(accountId, there.by))
    const by = owner ? people.person(owner.accountId) : null
    const differences = compareCodes(here, there).map(difference => this.#named(members, difference))
    // Somebody whom this device does not count in shows a code of this conversation: that is a difference, too.
    if (differences.length > 0 || !owner) return { result: 'differs', by, differences, compared: null }
    const isMine = equalBytes(owner.accountId, context.accountId())
    return { result: 'same', by, differences, compared: isMine ? null : owner.accountId }
  }

  #named(members: readonly KnownAccount[], { account, device, seenBy }: CodeDifference) {
    const member = members.find(({ accountId }) => toHex(accountId).startsWith(account))
    return { person: member ? this.#components.people.person(member.accountId) : null, device, seenBy }
  }

  async #look(conversationId: string): Promise<Seen> {
    const { context, states, directory, roster: rosters } = this.#components
    const conversation = await states.read(slots.conversation(toHex(fromHex(conversationId))))
    if (!conversation) throw new PeerError('no-conversation')
    if (conversation.kind === 'notes') throw new PeerError('nobody-to-compare')
    const members = await Promise.all(rosters.membersOf(conversation).map(accountId => directory.account(accountId)))
    if (!members.every(member => member !== undefined)) throw new PeerError('no-account')
    const { roster } = rosters.rosterOf(conversation, members)
    const height = Math.min(...members.map(({ checked }) => checked.tip.height))
    const code = verificationCodeOf(context.network().id, roster, { by: context.accountId(), height })
    return { members, roster, code }
  }
}
