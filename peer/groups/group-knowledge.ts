/** Which changes of a group other devices have, so that an Open brings what one of them lacks and no more. */
import { toHex } from '../../protocol/bytes.ts'
import type { GroupChange, GroupChangeId } from '../../protocol/groups/group-change.ts'
import type { GroupLog } from '../../protocol/groups/group-log.ts'
import { sealGroupLog } from '../../protocol/groups/sealed-log.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { ConversationId, Roster } from '../../protocol/roster/roster.ts'
import type { Outbound } from '../../protocol/session/outbound.ts'
import type { SessionId } from '../../protocol/session/context.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import { groupKnownEntry, groupOpenEntry, groupSlots } from '../store/group-slots.ts'
import type { UnitOfWork } from '../store/state-store.ts'
import { noteFormerDevices, withFormerDevices } from './former-devices.ts'
import type { GroupBook } from './group-book.ts'

/** Sessions of a group whose acknowledgements still tell something. */
const MAX_OPENS = 32

/** A session that was just opened. */
export interface NewSession {
  sessionId: SessionId
  /** The session secret. */
  secret: Uint8Array
}

export class GroupKnowledge {
  readonly #context: EngineContext
  readonly #book: GroupBook

  constructor(context: EngineContext, book: GroupBook) {
    this.#context = context
    this.#book = book
  }

  /** The sending side before a session is opened, see {@link withFormerDevices}. */
  rejoined(unit: UnitOfWork, roster: Roster, outbound: Outbound): Promise<Outbound> {
    return withFormerDevices(unit, this.#book, roster, outbound)
  }

  /** Keeps which devices a new session leaves out. @param before - the sending side before it. */
  async noteLeftOut(unit: UnitOfWork, before: Outbound, after: Outbound): Promise<void> {
    const group = toHex(before.conversationId)
    const last = before.session && (await unit.read(groupSlots.open(group, toHex(before.session.sessionId))))
    if (last) noteFormerDevices(unit, group, before, after, last.heads)
  }

  /** A device has these changes and all before them: it named them itself, or acknowledged an Open that did. */
  noteHas(unit: UnitOfWork, groupId: ConversationId, deviceId: DeviceId, heads: readonly GroupChangeId[]): void {
    unit.write(groupSlots.known(toHex(groupId), toHex(deviceId)), { deviceId, heads: [...heads] })
  }

  /** A device has accepted a session of this one. */
  async noteAcknowledged(
    unit: UnitOfWork,
    groupId: ConversationId,
    deviceId: DeviceId,
    sessionId: SessionId
  ): Promise<void> {
    const open = await unit.read(groupSlots.open(toHex(groupId), toHex(sessionId)))
    if (open) await this.noteNews(unit, groupId, deviceId, open.heads)
  }

  /** As {@link noteHas}, unless more is known: what an older packet says may come later. */
  async noteNews(
    unit: UnitOfWork,
    groupId: ConversationId,
    deviceId: DeviceId,
    heads: readonly GroupChangeId[]
  ): Promise<void> {
    const log = this.#book.within(unit, toHex(groupId))?.log
    const known = await unit.read(groupSlots.known(toHex(groupId), toHex(deviceId)))
    const isNews = !log || !known || log.changesAfter(known.heads).length > log.changesAfter(heads).length
    if (isNews) this.noteHas(unit, groupId, deviceId, heads)
  }

  /**
   * The changes that some of these devices may lack, sealed to those who get the session secret; empty if none lacks any.
   * @throws ProtocolError `TOO_LARGE`.
   */
  async sealedFor(
    unit: UnitOfWork,
    groupId: ConversationId,
    { sessionId, secret }: NewSession,
    devices: readonly DeviceId[]
  ): Promise<Uint8Array> {
    const log = this.#book.within(unit, toHex(groupId))?.log
    if (!log) return new Uint8Array(0)
    const lacking = await this.#lacking(unit, log, devices)
    if (lacking.length === 0) return new Uint8Array(0)
    const env = sessionEnvironment(this.#context)
    return sealGroupLog(
      env,
      secret,
      sessionId,
      lacking.map(({ encoded }) => encoded)
    )
  }

  /** The changes that a device may lack. */
  async lackingAt(unit: UnitOfWork, log: GroupLog, deviceId: DeviceId): Promise<GroupChange[]> {
    const known = await unit.read(groupSlots.known(toHex(log.groupId), toHex(deviceId)))
    return log.changesAfter(known?.heads ?? [])
  }

  async #lacking(unit: UnitOfWork, log: GroupLog, devices: readonly DeviceId[]): Promise<GroupChange[]> {
    const entries = await unit.range('group-known', toHex(log.groupId), groupKnownEntry)
    const heads = new Map(entries.map(({ value }) => [toHex(value.deviceId), value.heads]))
    const lacking = new Set<string>()
    const seen = new Set<string>()
    for (const device of devices) {
      const known = heads.get(toHex(device)) ?? []
      // Most devices have the same.
      const key = known.map(toHex).join()
      if (seen.has(key)) continue
      seen.add(key)
      for (const { id } of log.changesAfter(known)) lacking.add(toHex(id))
    }
    return log.changes().filter(({ id }) => lacking.has(toHex(id)))
  }

  /** Keeps the last changes that a session was opened with. */
  async noteOpened(
    unit: UnitOfWork,
    groupId: ConversationId,
    sessionId: SessionId,
    heads: readonly GroupChangeId[]
  ): Promise<void> {
    const group = toHex(groupId)
    const openedAt = this.#context.timers.now()
    unit.write(groupSlots.open(group, toHex(sessionId)), { sessionId, heads: [...heads], openedAt })
    const opens = await unit.range('group-open', group, groupOpenEntry)
    const surplus = opens.map(({ value }) => value).sort((a, b) => b.openedAt - a.openedAt)
    for (const old of surplus.slice(MAX_OPENS)) unit.remove(groupSlots.open(group, toHex(old.sessionId)))
  }
}
