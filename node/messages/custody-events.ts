import type { DeviceId } from '../../protocol/identity/device.ts'
import type { Delivery } from '../../protocol/wire/envelope.ts'

/** What happens to deliveries at this replica, in this order. No method throws. */
export interface CustodyEvents {
  /** A delivery came from the node that made its batch. Called before duplicates are dropped. */
  onArriving(mailbox: DeviceId, delivery: Delivery): void
  /** A delivery is new here, and the disk is at work. @param sequence - its place in the mailbox's order of arrival. */
  onWriting(mailbox: DeviceId, sequence: number, delivery: Delivery): void
  /** A delivery is fsynced here for the first time. */
  onStored(mailbox: DeviceId, sequence: number, delivery: Delivery): void
}
