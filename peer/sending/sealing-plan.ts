import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { rosterDevices, type Roster } from '../../protocol/roster/roster.ts'
import type { DeviceBundle } from '../../protocol/identity/bundle.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { devicesWithoutKey } from '../../protocol/session/conversation-keys.ts'
import { renewalReason } from '../../protocol/session/outbound.ts'
import type { EngineContext } from '../engine-context.ts'
import type { MessageProblem } from '../problems.ts'
import { AGREEMENT_MAX_AGE_MS } from '../directory/agreement.ts'
import { FRESH_MS, PRESENT_MS, type DirectoryClient } from '../directory/directory-client.ts'
import type { SendHolds } from '../directory/send-holds.ts'
import { isFresh, type KnownAccount } from '../directory/known-account.ts'
import type { ConversationRoster, SealTo } from '../groups/conversation-roster.ts'
import type { Conversation } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { StateStore } from '../store/state-store.ts'

/** Both operators are asked again before an Open if they were asked longer ago. */
const FRESH_FOR_OPEN_MS = 2_000

/** All that the sealer must know from the network before it seals messages of a conversation. */
export interface SealingPlan extends SealTo {
  conversation: Conversation
  /** Of devices that an Open is sealed to for the first time; empty if no Open is needed. */
  bundles: DeviceBundle[]
  /** Whether `bundles` were fetched: without them no session may be opened. */
  canOpen: boolean
}

/** Nothing may be sent there now, and why. */
export interface Held {
  held: MessageProblem
}

/** How old an answer of the directory may be. All members of a large group are not asked for that often. */
const freshMs = ({ kind }: Conversation): number => (kind === 'group' ? FRESH_MS : PRESENT_MS)

/** Asks the directory who is in a conversation and with which keys. */
export class SealingPlanner {
  readonly #context: EngineContext
  readonly #states: StateStore
  readonly #directory: DirectoryClient
  readonly #holds: SendHolds
  readonly #roster: ConversationRoster

  constructor(
    context: EngineContext,
    states: StateStore,
    directory: DirectoryClient,
    holds: SendHolds,
    roster: ConversationRoster
  ) {
    this.#context = context
    this.#states = states
    this.#directory = directory
    this.#holds = holds
    this.#roster = roster
  }

  /**
   * @returns undefined if there is no such conversation.
   * @throws PeerError `offline`, ConnectionLost.
   */
  async plan(conversationId: string): Promise<SealingPlan | Held | undefined> {
    const conversation = await this.#states.read(slots.conversation(conversationId))
    if (!conversation) return undefined
    if (!this.#roster.isMember(conversation)) return { held: 'not-in-group' }
    const session = (await this.#states.read(slots.outbound(conversationId)))?.session
    const members: KnownAccount[] = []
    for (const memberId of this.#roster.membersOf(conversation)) {
      const account = session
        ? await this.#known(memberId, freshMs(conversation))
        : await this.#directory.agree(memberId, FRESH_FOR_OPEN_MS)
      if (!account) return { held: 'no-account' }
      const held = this.#holds.reason(account)
      if (held !== null) return { held }
      members.push(account)
    }
    const sealTo = this.#roster.rosterOf(conversation, members)
    const canOpen = await this.#mustOpen(conversationId, sealTo.rosterHash)
    const bundles = canOpen ? await this.#bundles(conversationId, sealTo.roster) : []
    return { conversation, ...sealTo, bundles, canOpen }
  }

  /** For a session under way: what one node says now, as long as two operators agreed on it minutes ago. */
  async #known(memberId: AccountId, maxAgeMs: number): Promise<KnownAccount | undefined> {
    const account = await this.#directory.account(memberId, maxAgeMs)
    const isSettled = !account || this.#directory.isSettledFor(account)
    return isSettled ? account : this.#directory.agree(memberId, AGREEMENT_MAX_AGE_MS)
  }

  /** A plan from what is known already; undefined if that does not suffice, such as where a session has to be opened. */
  async readyPlan(conversationId: string): Promise<SealingPlan | undefined> {
    const conversation = await this.#states.read(slots.conversation(conversationId))
    if (!conversation || !this.#roster.isMember(conversation)) return undefined
    const members: KnownAccount[] = []
    for (const memberId of this.#roster.membersOf(conversation)) {
      const account = this.#directory.peek(toHex(memberId))
      if (!account || !isFresh(account, this.#context.timers.now(), freshMs(conversation))) return undefined
      if (!this.#directory.isSettledFor(account) || this.#holds.reason(account) !== null) return undefined
      members.push(account)
    }
    const sealTo = this.#roster.rosterOf(conversation, members)
    if (await this.#mustOpen(conversationId, sealTo.rosterHash)) return undefined
    return { conversation, ...sealTo, bundles: [], canOpen: false }
  }

  /**
   * Whether a plan still holds: devices are asked for before a unit of work, and one may be seen revoked before it begins. Sealing
   * to a revoked device stops at once.
   */
  isCurrent({ conversation, rosterHash }: SealingPlan): boolean {
    if (!this.#roster.isMember(conversation)) return false
    const members: KnownAccount[] = []
    for (const memberId of this.#roster.membersOf(conversation)) {
      const account = this.#directory.peek(toHex(memberId))
      if (!account || this.#holds.reason(account) !== null) return false
      members.push(account)
    }
    return equalBytes(this.#roster.rosterOf(conversation, members).rosterHash, rosterHash)
  }

  async #mustOpen(conversationId: string, rosterHash: Uint8Array): Promise<boolean> {
    const outbound = await this.#states.read(slots.outbound(conversationId))
    return !outbound || renewalReason(outbound, rosterHash, this.#context.timers.now()) !== undefined
  }

  /** Bundles of the devices that an Open could not be sealed to otherwise. */
  async #bundles(conversationId: string, roster: Roster): Promise<DeviceBundle[]> {
    const entries = await this.#states.range('peer-key', conversationId, slots.peerKey('', '').codec)
    const held = entries.map(({ value }) => value)
    const recipients = new Set(this.#roster.recipientsIn(roster).map(toHex))
    const listed = rosterDevices(roster).map(({ device }) => device)
    const others = listed.filter(({ deviceId }) => recipients.has(toHex(deviceId)))
    const missing = new Set(devicesWithoutKey(others, held).map(device => toHex(device.deviceId)))
    const accounts: AccountId[] = roster.members
      .filter(({ devices }) => devices.some(device => missing.has(toHex(device.deviceId))))
      .map(({ accountId }) => accountId)
    return (await Promise.all(accounts.map(accountId => this.#directory.bundles.of(accountId)))).flat()
  }
}
