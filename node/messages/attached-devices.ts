import type { DeviceId } from '../../protocol/identity/device.ts'
import type { Delivery } from '../../protocol/wire/envelope.ts'
import { byteKey } from '../byte-key.ts'
import type { Logger } from '../ports.ts'
import type { CustodyEvents } from './custody-events.ts'
import type { DeliverySession } from './delivery-session.ts'

/** A device that gets its messages at this node. */
export interface AttachedDevice {
  mailbox: DeviceId
  session: DeliverySession
  /** Per other replica: the sequence there up to which everything is known here. */
  cursors: Map<string, number>
}

/** The devices that get their messages here. Passes what happens in custody on to their sessions. */
export class AttachedDevices implements CustodyEvents {
  readonly #log: Logger
  readonly #attached = new Map<string, AttachedDevice>()

  constructor(components: { logger: Logger }) {
    this.#log = components.logger.forComponent('volo:delivery-service')
  }

  get size(): number {
    return this.#attached.size
  }

  add(device: AttachedDevice): void {
    this.#attached.set(byteKey(device.mailbox), device)
  }

  get(mailbox: DeviceId): AttachedDevice | undefined {
    return this.#attached.get(byteKey(mailbox))
  }

  delete(mailbox: DeviceId): void {
    this.#attached.delete(byteKey(mailbox))
  }

  /** All devices, which are no longer attached afterwards. */
  clear(): AttachedDevice[] {
    const all = [...this.#attached.values()]
    this.#attached.clear()
    return all
  }

  values(): Iterable<AttachedDevice> {
    return this.#attached.values()
  }

  onArriving(mailbox: DeviceId, delivery: Delivery): void {
    this.#sendAhead(mailbox, session => session.sendAhead(delivery))
  }

  onWriting(mailbox: DeviceId, sequence: number, delivery: Delivery): void {
    this.#sendAhead(mailbox, session => session.offer(sequence, delivery))
  }

  onStored(mailbox: DeviceId, sequence: number, delivery: Delivery): void {
    this.get(mailbox)?.session.onStored(sequence, delivery)
  }

  #sendAhead(mailbox: DeviceId, send: (session: DeliverySession) => void): void {
    const attached = this.get(mailbox)
    if (attached === undefined) return
    try {
      send(attached.session)
    } catch (error) {
      this.#log.warn('a delivery could not be sent ahead', { reason: (error as Error).message })
    }
  }
}
