/**
 * Compares what other devices of a conversation were shown with what this one was shown. Every acknowledgement brings it. Two
 * devices that are in one world always agree on it, whatever was lost, late, or came twice: only what both know for certain is
 * compared, and what may still come is waited for. So a difference means that a sender, an admin or a node shows one world to
 * one of them and another to the other, or that the other device does not tell the truth.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { MessageHead, Seen, SeenSender } from '../../protocol/audit/seen.ts'
import { SEEN_NOTHING } from '../../protocol/audit/seen.ts'
import type { MessageBody } from '../../protocol/conversation/message.ts'
import type { PacketOrigin } from '../../protocol/conversation/packet-effects.ts'
import { auditSlots, claimEntry, claimsOf } from '../store/audit-slots.ts'
import type { EngineContext } from '../engine-context.ts'
import type { Teller } from './teller.ts'
import { slots } from '../store/store-layout.ts'
import type { UnitOfWork } from '../store/state-store.ts'
import type { DifferenceLines } from './difference-lines.ts'
import type { GroupAudit } from './group-audit.ts'
import type { RecordAudit } from './record-audit.ts'
import type { ReleaseAudit } from './release-audit.ts'
import type { SeenBook } from './seen-book.ts'

export interface AuditorComponents {
  seen: SeenBook
  lines: DifferenceLines
  groups: GroupAudit
  records: RecordAudit
  releases: ReleaseAudit
  pairs: Teller
  context: EngineContext
}

/** Packets of one device that are answered in one {@link ANSWER_WINDOW_MS}: an answer may be longer than its question. */
const MAX_ANSWERS = 8
const ANSWER_WINDOW_MS = 60_000
const MAX_ASKERS = 2_000

export class Auditor {
  readonly #components: AuditorComponents
  /** Since when, on the monotonic clock, how many packets of a device were answered, by conversation and device. */
  readonly #answered = new Map<string, { since: number; count: number }>()

  constructor(components: AuditorComponents) {
    this.#components = components
  }

  /** Messages of a sender are shown: keeps their hashes, and compares what others said of them before they came here. */
  async noteHeads(unit: UnitOfWork, origin: PacketOrigin, fresh: readonly MessageHead[]): Promise<void> {
    if (fresh.length === 0) return
    const { conversationId, senderDevice } = origin
    const heads = await this.#components.seen.noteHeads(unit, conversationId, senderDevice, fresh)
    const key = toHex(conversationId)
    const sender = toHex(senderDevice)
    for (const { value, order } of await unit.range('seen-claim', claimsOf(key, sender), claimEntry)) {
      if (value.head.next > heads.at(-1)!.next) continue
      unit.remove(auditSlots.claim(key, sender, order))
      const { accountId, deviceId } = value.by
      const by = { conversationId, senderAccount: accountId, senderDevice: deviceId }
      await this.#compareSender(unit, by, { deviceId: senderDevice, ...value.head }, heads)
    }
  }

  /** Another device says what it was shown. */
  async take(unit: UnitOfWork, origin: PacketOrigin, seen: Seen): Promise<void> {
    const { groups, records, releases } = this.#components
    const key = toHex(origin.conversationId)
    const conversation = await unit.read(slots.conversation(key))
    if (!conversation) return
    for (const sender of seen.senders) await this.#takeSender(unit, origin, sender)
    const answers: MessageBody[] = await groups.compare(unit, origin, seen)
    if (seen.release) await releases.compare(unit, origin, seen.release)
    if (seen.records) answers.push(...(await records.compare(unit, origin, conversation, seen)))
    if (answers.length > 0 && this.#mayAnswer(origin)) await this.#answer(unit, origin, answers)
  }

  #mayAnswer({ conversationId, senderDevice }: PacketOrigin): boolean {
    const key = `${toHex(conversationId)}/${toHex(senderDevice)}`
    const now = this.#components.context.timers.monotonic()
    const held = this.#answered.get(key)
    const window = held && now - held.since < ANSWER_WINDOW_MS ? held : { since: now, count: 0 }
    if (this.#answered.size >= MAX_ASKERS) this.#answered.clear()
    this.#answered.set(key, { ...window, count: window.count + 1 })
    return window.count < MAX_ANSWERS
  }

  async #takeSender(unit: UnitOfWork, origin: PacketOrigin, sender: SeenSender): Promise<void> {
    const { conversationId, senderAccount: accountId, senderDevice: deviceId } = origin
    const heads = await this.#components.seen.headsOf(unit, conversationId, sender.deviceId)
    if (sender.next <= (heads.at(-1)?.next ?? 0)) return this.#compareSender(unit, origin, sender, heads)
    const { next, hash } = sender
    const slot = auditSlots.claim(toHex(conversationId), toHex(sender.deviceId), toHex(deviceId))
    unit.write(slot, { by: { accountId, deviceId }, head: { next, hash } })
  }

  async #compareSender(
    unit: UnitOfWork,
    origin: PacketOrigin,
    { deviceId, next, hash }: SeenSender,
    heads: readonly MessageHead[]
  ): Promise<void> {
    const here = heads.find(head => head.next === next)
    if (!here || equalBytes(here.hash, hash)) return
    const isNew = await this.#components.lines.tell(unit, origin, { what: 'history', of: deviceId })
    // The other one has the right to know, too.
    if (isNew) await this.#answer(unit, origin, [{ kind: 'seen', ...SEEN_NOTHING, senders: [{ deviceId, ...here }] }])
  }

  async #answer(
    unit: UnitOfWork,
    { conversationId, senderDevice }: PacketOrigin,
    bodies: MessageBody[]
  ): Promise<void> {
    await this.#components.pairs.tell(unit, conversationId, senderDevice, bodies)
  }
}
