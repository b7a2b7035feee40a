/**
 * When each own device was last on, to the hour. Two sources, the later one counts: a device tells the others once a day that
 * it is on, and whatever a device sends was taken by a node at some time. So a device in use is known to the hour, and one
 * that only listens to the day; nobody else learns of it.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import type { EngineContext } from '../engine-context.ts'
import { deviceSeenEntry, ownDeviceSlots } from '../store/own-device-slots.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import type { OwnSync } from './own-sync.ts'
import { lastSeenItem, timeIn, timeValue, type SyncItems } from './sync-items.ts'

const HOUR_MS = 60 * 60_000
const DAY_MS = 24 * HOUR_MS

export interface DevicePresenceComponents {
  context: EngineContext
  states: StateStore
  items: SyncItems
  sync: Pick<OwnSync, 'setItem' | 'hasOthers'>
}

export class DevicePresence {
  readonly #components: DevicePresenceComponents
  /** Hour in which each own device was last heard here, milliseconds, by device in hex. */
  readonly #heard = new Map<string, number>()
  #cancelTimer: (() => void) | undefined
  #stopped = true

  constructor(components: DevicePresenceComponents) {
    this.#components = components
  }

  async start(): Promise<void> {
    this.#stopped = false
    for (const { deviceId, at } of await this.#components.states.all('own-device-seen', deviceSeenEntry)) {
      this.#heard.set(toHex(deviceId), at)
    }
    this.#schedule()
  }

  stop(): void {
    this.#stopped = true
    this.#cancelTimer?.()
  }

  #schedule(): void {
    if (this.#stopped) return
    this.#cancelTimer = this.#components.context.timers.after(HOUR_MS, () => {
      void this.tell()
      this.#schedule()
    })
  }

  /** Tells the other devices that this one is on, once a day. Never rejects. */
  async tell(): Promise<void> {
    const { context, items, sync } = this.#components
    try {
      const name = lastSeenItem(toHex(context.device().deviceId))
      const told = timeIn(items.get(name))
      const now = hourOf(context.timers.now())
      // A clock that was put back tells again, too.
      if (told !== null && Math.abs(now - told) < DAY_MS) return
      if (await sync.hasOthers()) await sync.setItem(name, timeValue(now))
    } catch (error) {
      context.log.debug('the other devices do not know yet that this one is on', { reason: String(error) })
    }
  }

  /**
   * A packet of a device was read; of other accounts' devices nothing is kept. Writes at most once an hour for each device.
   * @param storedAt - when a node had the packet, milliseconds.
   */
  note(unit: UnitOfWork, from: { senderAccount: AccountId; senderDevice: DeviceId }, storedAt: number): void {
    const { context } = this.#components
    if (!equalBytes(from.senderAccount, context.accountId())) return
    const deviceId = from.senderDevice
    const device = toHex(deviceId)
    const at = hourOf(Math.min(storedAt, context.timers.now()))
    if (at <= (this.#heard.get(device) ?? 0)) return
    unit.write(ownDeviceSlots.deviceSeen(device), { deviceId, at })
    unit.after(() => this.#heard.set(device, at))
  }

  /** The hour in which a device was last on, milliseconds; null if that is not known. @param device - lower-case hex. */
  lastSeen(device: string): number | null {
    const { context, items } = this.#components
    const now = hourOf(context.timers.now())
    if (device === toHex(context.device().deviceId)) return now
    const known = [timeIn(items.get(lastSeenItem(device))), this.#heard.get(device) ?? null]
    const times = known.filter(time => time !== null)
    // The clock of the other device may be ahead.
    return times.length === 0 ? null : Math.min(now, Math.max(...times))
  }
}

const hourOf = (time: number): number => time - (time % HOUR_MS)
