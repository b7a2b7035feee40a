/** What this device was shown in a conversation, and what it has told each other device of it. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import {
  MAX_SEEN_ACCOUNTS,
  MAX_SEEN_SENDERS,
  SEEN_NOTHING,
  seenHashOf,
  SETTLED_BLOCKS,
  type AppRelease,
  type MessageHead,
  type Seen
} from '../../protocol/audit/seen.ts'
import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { ConversationRoster } from '../groups/conversation-roster.ts'
import type { GroupBook } from '../groups/group-book.ts'
import { auditSlots, MAX_RECENT_HEADS, nothingTold, type ToldDevice } from '../store/audit-slots.ts'
import type { Conversation } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { UnitOfWork } from '../store/state-store.ts'
import type { MemberRecords } from './member-records.ts'

export interface SeenBookComponents {
  book: GroupBook
  roster: ConversationRoster
  records: MemberRecords
  /** The build of the app that runs here; null where it is not known. */
  release: () => AppRelease | null
}

/** What a device is told now, and what it was told once that is said. */
export interface NextWord {
  seen: Seen
  told: ToldDevice
}

export class SeenBook {
  readonly #components: SeenBookComponents

  constructor(components: SeenBookComponents) {
    this.#components = components
  }

  /** Keeps the hashes of messages of a sender, which may be this device. @returns all of it that are kept. */
  async noteHeads(
    unit: UnitOfWork,
    conversationId: ConversationId,
    deviceId: DeviceId,
    fresh: readonly MessageHead[]
  ): Promise<MessageHead[]> {
    const key = toHex(conversationId)
    const slot = auditSlots.recent(key, toHex(deviceId))
    const before = (await unit.read(slot))?.heads ?? []
    const added = fresh.map(({ next, hash }) => ({ next, hash: seenHashOf(hash) }))
    const merged = [...new Map([...before, ...added].map(head => [head.next, head])).values()]
    const heads = merged.sort((a, b) => a.next - b.next).slice(-MAX_RECENT_HEADS)
    unit.write(slot, { deviceId, heads })
    const last = heads.at(-1)!
    if (before.at(-1)?.next !== last.next) await this.#noteLatest(unit, conversationId, { deviceId, ...last })
    return heads
  }

  async #noteLatest(
    unit: UnitOfWork,
    conversationId: ConversationId,
    sender: { deviceId: DeviceId; next: number; hash: Uint8Array }
  ): Promise<void> {
    const slot = auditSlots.latest(toHex(conversationId))
    const before = await unit.read(slot)
    const changes = (before?.changes ?? 0) + 1
    const others = before?.senders.filter(({ deviceId }) => !equalBytes(deviceId, sender.deviceId)) ?? []
    const senders = [...others, { ...sender, change: changes }].slice(-MAX_SEEN_SENDERS)
    unit.write(slot, { conversationId, changes, senders })
  }

  /** The messages of a sender whose hashes are kept. */
  async headsOf(unit: UnitOfWork, conversationId: ConversationId, deviceId: DeviceId): Promise<MessageHead[]> {
    return (await unit.read(auditSlots.recent(toHex(conversationId), toHex(deviceId))))?.heads ?? []
  }

  async toldTo(unit: UnitOfWork, conversationId: ConversationId, deviceId: DeviceId): Promise<ToldDevice> {
    return (await unit.read(auditSlots.told(toHex(conversationId), toHex(deviceId)))) ?? nothingTold(deviceId)
  }

  noteTold(unit: UnitOfWork, conversationId: ConversationId, told: ToldDevice): void {
    unit.write(auditSlots.told(toHex(conversationId), toHex(told.deviceId)), told)
  }

  /** What has changed since a device was told; undefined if nothing has. The caller says it, and then notes that it was told. */
  async next(unit: UnitOfWork, conversationId: ConversationId, deviceId: DeviceId): Promise<NextWord | undefined> {
    const conversation = await unit.read(slots.conversation(toHex(conversationId)))
    if (!conversation) return undefined
    const told = await this.toldTo(unit, conversationId, deviceId)
    const { senders, change } = await this.#freshSenders(unit, conversationId, told.change)
    const now = await this.#state(unit, conversation)
    const seen: Seen = {
      ...SEEN_NOTHING,
      senders,
      groupHeads: isSame(now.groupHeads, told.seen.groupHeads) && !told.mustAsk ? [] : now.groupHeads,
      records: isNewsOf(now.records, told.seen.records) ? now.records : null,
      release: now.release && !isSameRelease(now.release, told.seen.release) ? now.release : null,
      asks: told.mustAsk
    }
    const isNews = senders.length + seen.groupHeads.length > 0 || seen.records !== null || seen.release !== null
    if (!isNews) return undefined
    return {
      seen,
      told: { ...told, change, seen: { ...now, records: seen.records ?? told.seen.records }, mustAsk: false }
    }
  }

  async #freshSenders(unit: UnitOfWork, conversationId: ConversationId, since: number) {
    const latest = await unit.read(auditSlots.latest(toHex(conversationId)))
    const fresh = latest?.senders.filter(({ change }) => change > since) ?? []
    return {
      senders: fresh.map(({ deviceId, next, hash }) => ({ deviceId, next, hash })),
      change: Math.max(since, latest?.changes ?? 0)
    }
  }

  /** All but the senders. */
  async #state(unit: UnitOfWork, conversation: Conversation): Promise<Seen> {
    const { book, records, release } = this.#components
    const groupHeads = [...(book.within(unit, toHex(conversation.conversationId))?.log.heads ?? [])]
    const settled = await records.settled(this.membersOf(conversation))
    return { ...SEEN_NOTHING, groupHeads, records: settled ?? null, release: release() }
  }

  /** The accounts whose records are compared. */
  membersOf(conversation: Conversation): AccountId[] {
    return this.#components.roster.membersOf(conversation).sort(byBytes).slice(0, MAX_SEEN_ACCOUNTS)
  }
}

const byBytes = (a: Uint8Array, b: Uint8Array): number => (toHex(a) < toHex(b) ? -1 : 1)

const isSame = (a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean =>
  a.length === b.length && a.every((bytes, i) => equalBytes(bytes, b[i]!))

const isSameRelease = (a: AppRelease, b: AppRelease | null): boolean =>
  b !== null && a.version === b.version && equalBytes(a.hash, b.hash)

/** The same root is told again now and then, because it holds for later blocks, too. */
function isNewsOf(now: Seen['records'], told: Seen['records']): boolean {
  if (!now || !told) return now !== null
  return !equalBytes(now.root, told.root) || now.height >= told.height + SETTLED_BLOCKS
}
