/**
 * What a device that this one has added does not get by itself, because the sender did not know of it yet. Each of it stands
 * in line here until the new device has it, however late it comes, and whatever any clock says.
 *
 *     packet of X ── X has said from where on the new device gets what it says ──▶ earlier: in line
 *          └──────── X has not said so yet ──▶ in line
 *
 * A sender says it with the first Open whose roster has the new device (`joined`).
 */
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import { isAmending } from '../../protocol/conversation/amendments.ts'
import type { PacketOrigin, Row } from '../../protocol/conversation/packet-effects.ts'
import { decodeMessage, type MessageBody } from '../../protocol/conversation/message.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { JoinedDevice } from '../../protocol/session/accept.ts'
import type { EngineContext } from '../engine-context.ts'
import { targetOf } from '../history/amendment-target.ts'
import { ownShownId } from '../history/shown-id.ts'
import {
  historyGrantEntry,
  lateEntry,
  ownDeviceSlots,
  reachedEntry,
  type LateEntry
} from '../store/own-device-slots.ts'
import type { ShownId } from '../store/conversation-entries.ts'
import { nextOrder, type Unsent } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'

/** Entries of one device; past it nothing more is put in line. A device that is gone for good gathers no more. */
const MAX_LATE = 100_000

export interface LateHistoryInit {
  /** Something stands in line for a device again. */
  onLate: (device: string) => void
}

export class LateHistory {
  readonly #context: EngineContext
  readonly #states: StateStore
  readonly #init: LateHistoryInit
  /** Entries in line, by device in hex. */
  readonly #waiting = new Map<string, number>()
  /** Devices that get everything again, because this device has got more of the history itself. */
  readonly #again = new Set<string>()

  constructor(context: EngineContext, states: StateStore, init: LateHistoryInit) {
    this.#context = context
    this.#states = states
    this.#init = init
  }

  async start(): Promise<void> {
    for (const { deviceId } of await this.#states.all('history-grant', historyGrantEntry)) {
      const device = toHex(deviceId)
      this.#waiting.set(device, (await this.#states.range('late-history', device, lateEntry)).length)
      if (await this.#states.read(ownDeviceSlots.historyAgain(device))) this.#again.add(device)
    }
  }

  /** Devices for which something stands in line, in hex. */
  get owed(): string[] {
    return [...this.#waiting]
      .filter(([device, count]) => count > 0 || this.#again.has(device))
      .map(([device]) => device)
  }

  /**
   * A message came from another own device as history. Devices that were added here may have asked for that place already.
   * @param isLate - whether it stands behind one message of many; else it is a part of the whole, and the whole is shipped again.
   */
  async noteShipped(unit: UnitOfWork, message: ShownId, isLate: boolean): Promise<void> {
    for (const device of this.#waiting.keys()) {
      if (isLate) await this.#put(unit, device, [{ message: fromHex(message), item: null }])
      else await this.#putAll(unit, device)
    }
  }

  /** Other own devices agreed on something before this one was told, or before it was there. */
  async noteItems(unit: UnitOfWork, names: string[]): Promise<void> {
    const entries = names.map(item => ({ message: null, item }))
    for (const device of this.#waiting.keys()) await this.#put(unit, device, entries)
  }

  async #putAll(unit: UnitOfWork, device: string): Promise<void> {
    const slot = ownDeviceSlots.historyAgain(device)
    if ((await unit.read(slot))?.transferId === null) return
    unit.write(slot, { transferId: null })
    unit.after(() => this.#again.add(device))
    unit.after(() => this.#init.onLate(device))
  }

  /**
   * Whether a device that has everything is told to begin again. It is told until it does, under another name of the transfer.
   */
  async beginsAgain(unit: UnitOfWork, device: string, transferId: Uint8Array): Promise<boolean> {
    const slot = ownDeviceSlots.historyAgain(device)
    const again = await unit.read(slot)
    if (!again) return false
    if (again.transferId === null || equalBytes(again.transferId, transferId)) {
      unit.write(slot, { transferId })
      return true
    }
    unit.remove(slot)
    unit.after(() => this.#again.delete(device))
    return false
  }

  /** A device has said from where on others get what it says. The first word of it stays. */
  async noteJoined(unit: UnitOfWork, origin: PacketOrigin, joined: readonly JoinedDevice[]): Promise<void> {
    if (this.#waiting.size === 0) return
    for (const { deviceId, since } of joined) {
      if (!this.#waiting.has(toHex(deviceId))) continue
      const slot = reachedSlot(toHex(deviceId), origin)
      if (!(await unit.read(slot))) unit.write(slot, { since })
    }
  }

  /** A packet showed or changed something here. @param shown - the name of what it showed. */
  async noteRow(
    unit: UnitOfWork,
    origin: PacketOrigin,
    row: Extract<Row, { kind: 'message' | 'unreadable' }>,
    shown: ShownId | undefined
  ): Promise<void> {
    if (this.#waiting.size === 0) return
    const entries = entriesOf(row.kind === 'message' ? row.message.body : undefined, shown)
    if (entries.length === 0) return
    for (const device of this.#waiting.keys()) {
      if (device === toHex(origin.senderDevice)) continue
      const reached = await unit.read(reachedSlot(device, origin))
      if (!reached || row.sequence < reached.since) await this.#put(unit, device, entries)
    }
  }

  /** A message of this device was sealed. @param messageId - null for one that is not shown. */
  async noteSent(
    unit: UnitOfWork,
    { conversationId, messageId, content }: Pick<Unsent, 'conversationId' | 'messageId' | 'content'>,
    recipients: readonly DeviceId[]
  ): Promise<void> {
    if (this.#waiting.size === 0) return
    const reached = new Set(recipients.map(toHex))
    for (const device of this.#waiting.keys()) {
      if (reached.has(device)) continue
      const { body } = decodeMessage(content)
      const shown = messageId
        ? ownShownId(this.#context, { conversationId, messageId })
        : isAmending(body)
          ? targetOf(this.#context, conversationId, body, this.#context.accountId())
          : undefined
      await this.#put(unit, device, entriesOf(body, shown))
    }
  }

  /** A device may ask from now on. @param sealed - messages that were sealed without it and are not kept by nodes yet. */
  async begin(unit: UnitOfWork, deviceId: DeviceId, sealed: Iterable<ShownId>): Promise<void> {
    const device = toHex(deviceId)
    const entries = [...sealed].map(message => ({ message: fromHex(message), item: null }))
    for (const entry of entries) unit.write(ownDeviceSlots.late(device, await nextOrder(unit)), entry)
    unit.after(() => this.#waiting.set(device, entries.length))
  }

  async #put(unit: UnitOfWork, device: string, entries: LateEntry[]): Promise<void> {
    if (this.#waiting.get(device)! + entries.length > MAX_LATE) return
    for (const entry of entries) unit.write(ownDeviceSlots.late(device, await nextOrder(unit)), entry)
    unit.after(() => this.#count(device, entries.length))
    unit.after(() => this.#init.onLate(device))
  }

  #count(device: string, change: number): void {
    const before = this.#waiting.get(device)
    if (before !== undefined) this.#waiting.set(device, before + change)
  }

  /** What stands in line after a place, oldest first. */
  after(device: string, place: string, limit: number): Promise<{ order: string; value: LateEntry }[]> {
    return this.#states.range('late-history', device, lateEntry, { after: place, limit })
  }

  /** The device has everything up to a place. */
  async forget(unit: UnitOfWork, device: string, place: string): Promise<void> {
    if ((this.#waiting.get(device) ?? 0) === 0) return
    // Not the whole line: each request forgets what the one before it got.
    const arrived = await this.#states.range('late-history', device, lateEntry, { before: `${place}~` })
    for (const { order } of arrived) unit.remove(ownDeviceSlots.late(device, order))
    unit.after(() => this.#count(device, -arrived.length))
  }

  /** Forgets a device. */
  async end(unit: UnitOfWork, device: string): Promise<void> {
    for (const { order } of await unit.range('late-history', device, lateEntry)) {
      unit.remove(ownDeviceSlots.late(device, order))
    }
    for (const { order } of await unit.range('reached-from', device, reachedEntry)) {
      const [conversation, sender] = order.split('.') as [string, string]
      unit.remove(ownDeviceSlots.reached(device, conversation, sender))
    }
    unit.remove(ownDeviceSlots.historyAgain(device))
    unit.after(() => this.#waiting.delete(device))
    unit.after(() => this.#again.delete(device))
  }
}

const reachedSlot = (
  device: string,
  { conversationId, senderDevice }: { conversationId: ConversationId; senderDevice: DeviceId }
) => ownDeviceSlots.reached(device, toHex(conversationId), toHex(senderDevice))

/** What a device misses without a message: its message, or what own devices told each other in it. */
function entriesOf(body: MessageBody | undefined, shown: ShownId | undefined): LateEntry[] {
  const ofMessage = (message: Uint8Array): LateEntry => ({ message, item: null })
  if (body?.kind === 'sync') return body.items.map(({ name }) => ({ message: null, item: name }))
  if (body?.kind === 'ownMarks') return body.messages.map(ofMessage)
  return shown ? [ofMessage(fromHex(shown))] : []
}
