/** What goes into the pending store, what becomes of it, and what the store tells its node while it works. */
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { Delivery, DeliveryId, EnvelopeClass } from '../../protocol/wire/envelope.ts'

/** What became of a delivery: `stored` now, `known` before, gone for good, or `full`: refused to keep within limits. */
export type StoreOutcome =
  { state: 'stored'; sequence: number } | { state: 'known' | 'acknowledged' | 'evicted' | 'full' }

export interface StoreItem {
  mailbox: DeviceId
  delivery: Delivery
  /** That it counts as, see `MailboxTokens`; its own where nothing is said. */
  countsAs?: EnvelopeClass
  /** Tag of the node that it counts against, see {@link originTag}: the one that took it, or the replica that brought it. */
  origin: number
  /** Whether a replica brought it, which cannot show the batch that its origin signed: it pushes out nothing. */
  isBrought?: boolean
}

/** What the store tells while it works. */
export interface StoreEvents {
  /** Signs the removal of deliveries that make room. @returns the encoded eviction. */
  signEviction(mailbox: DeviceId, ids: DeliveryId[]): Promise<Uint8Array>
  /** Removed to make room, fsynced. */
  onEvicted(mailbox: DeviceId, eviction: Uint8Array): void
  /** Bytes that are not what was stored: removed here, to be fetched from a replica. */
  onCorrupt(mailbox: DeviceId, ids: DeliveryId[]): void
  /** The store is unusable from now on. */
  onFatal(error: Error): void
}
