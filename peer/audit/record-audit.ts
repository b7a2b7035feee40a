/** Compares the public records of the members, as of one block, with those that another device was shown. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { SEEN_NOTHING, type Seen, type SeenAccount } from '../../protocol/audit/seen.ts'
import type { MessageBody } from '../../protocol/conversation/message.ts'
import type { PacketOrigin } from '../../protocol/conversation/packet-effects.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { EngineContext } from '../engine-context.ts'
import type { GroupBook } from '../groups/group-book.ts'
import type { Teller } from './teller.ts'
import { groupSlots } from '../store/group-slots.ts'
import type { Conversation } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import type { DifferenceLines } from './difference-lines.ts'
import type { MemberRecords } from './member-records.ts'
import type { SeenBook } from './seen-book.ts'

/** Records that are older than what another device has seen are fetched for one conversation at most this often. */
const REFRESH_PAUSE_MS = 60_000
const MAX_REFRESHED = 1_000

export interface RecordAuditComponents {
  context: EngineContext
  states: StateStore
  directory: DirectoryClient
  book: GroupBook
  seen: SeenBook
  records: MemberRecords
  lines: DifferenceLines
  pairs: Teller
}

export class RecordAudit {
  readonly #components: RecordAuditComponents
  /** When records were fetched last, on the monotonic clock, by conversation. */
  readonly #refreshedAt = new Map<string, number>()

  constructor(components: RecordAuditComponents) {
    this.#components = components
  }

  /** @returns what the other device is told so that both can name the account whose record differs. */
  async compare(
    unit: UnitOfWork,
    origin: PacketOrigin,
    conversation: Conversation,
    { records, accounts, asks }: Seen,
    isRetry = false
  ): Promise<MessageBody[]> {
    const { seen, records: members } = this.#components
    if (!records || !(await this.#hasSameMembers(unit, origin))) return []
    const here = await members.at(seen.membersOf(conversation), records.height)
    if (!here) {
      if (!isRetry)
        unit.after(() => void this.#compareLater(origin, conversation, { ...SEEN_NOTHING, records, accounts, asks }))
      return []
    }
    const root = members.rootOf(here)
    if (equalBytes(root, records.root)) return []
    await this.#name(unit, origin, here, accounts)
    // Once with each: the one who notices asks, and the other one answers.
    if (accounts.length > 0 && !asks) return []
    const own = { height: records.height, root }
    return [{ kind: 'seen', ...SEEN_NOTHING, records: own, accounts: here, asks: accounts.length === 0 }]
  }

  /** In a group only those who know the same log have the same members. */
  async #hasSameMembers(unit: UnitOfWork, { conversationId, senderDevice }: PacketOrigin): Promise<boolean> {
    const key = toHex(conversationId)
    const log = this.#components.book.within(unit, key)?.log
    if (!log) return true
    const known = await unit.read(groupSlots.known(key, toHex(senderDevice)))
    return known !== undefined && log.changesAfter(known.heads).length === 0
  }

  async #name(
    unit: UnitOfWork,
    origin: PacketOrigin,
    here: readonly SeenAccount[],
    there: readonly SeenAccount[]
  ): Promise<void> {
    if (there.length === 0) return
    const heads = new Map(there.map(({ accountId, head }) => [toHex(accountId), head]))
    for (const { accountId, head } of here) {
      const other = heads.get(toHex(accountId))
      heads.delete(toHex(accountId))
      if (other && equalBytes(other, head)) continue
      await this.#components.lines.tell(unit, origin, { what: 'records', of: accountId })
    }
    const rest = there.filter(({ accountId }) => heads.has(toHex(accountId)))
    for (const { accountId } of rest) await this.#tellIfMember(unit, origin, accountId)
  }

  async #tellIfMember(unit: UnitOfWork, origin: PacketOrigin, accountId: AccountId): Promise<void> {
    const { seen, lines } = this.#components
    const conversation = await unit.read(slots.conversation(toHex(origin.conversationId)))
    const isMember = conversation && seen.membersOf(conversation).some(member => equalBytes(member, accountId))
    if (isMember) await lines.tell(unit, origin, { what: 'records', of: accountId })
  }

  /** Fetches the records of the members, and compares again. Never rejects: the next acknowledgement is another occasion. */
  async #compareLater(origin: PacketOrigin, conversation: Conversation, told: Seen): Promise<void> {
    const { context, states, directory, seen, pairs } = this.#components
    const key = toHex(origin.conversationId)
    const now = context.timers.monotonic()
    if (now - (this.#refreshedAt.get(key) ?? -Infinity) < REFRESH_PAUSE_MS) return
    if (this.#refreshedAt.size >= MAX_REFRESHED) this.#refreshedAt.clear()
    this.#refreshedAt.set(key, now)
    try {
      for (const accountId of seen.membersOf(conversation)) {
        const known = await directory.load(accountId)
        if (!known || known.checked.tip.height < told.records!.height) await directory.refresh(accountId)
      }
      await states.unit(async unit => {
        const answers = await this.compare(unit, origin, conversation, told, true)
        if (answers.length > 0) await pairs.tell(unit, origin.conversationId, origin.senderDevice, answers)
      })
    } catch (error) {
      context.log.debug('records could not be compared yet', { reason: String(error) })
    }
  }
}
