/** What a run of the network leaves behind for the {@link checkHistory | checker}: plain facts, in order of time. */

/** An own message was taken from a user. `sequence` counts a sender device's messages in one conversation. */
export interface SubmitEvent {
  kind: 'submit'
  at: number
  message: string
  sender: string
  conversation: string
  sequence: number
  /** Devices that must show it: every device of the roster but the sender's own. */
  devices: string[]
  expiry: number
}

/** One receipt behind a *sent*, with what an offline check of it said. */
export interface ReceiptFact {
  node: string
  operator: string
  epoch: number
  device: string
  deliveryId: string
  /** Signature and Merkle path verify. */
  valid: boolean
  /** The node is in the replica set of that mailbox in that epoch. */
  replica: boolean
}

/** A sender saw *sent*. */
export interface SentEvent {
  kind: 'sent'
  at: number
  message: string
  receipts: ReceiptFact[]
}

/** A device showed a message. */
export interface DisplayEvent {
  kind: 'display'
  at: number
  device: string
  message: string
}

/** A device showed a hole before a later message of that sender. */
export interface GapEvent {
  kind: 'gap'
  at: number
  device: string
  sender: string
  conversation: string
}

/** A device let go of a delivery; from then on no node may hold it. */
export interface AcknowledgeEvent {
  kind: 'acknowledge'
  at: number
  device: string
  deliveryId: string
}

/** A node signed that it refused or evicted a delivery; signatures are checked by who records the event. */
export interface RemovalEvent {
  kind: 'refused' | 'evicted'
  at: number
  node: string
  device: string
  deliveryId: string
}

/** What the driver did to a node. */
export interface FaultEvent {
  kind: 'fault'
  at: number
  node: string
  fault: 'kill' | 'restart' | 'pause' | 'resume' | 'power-cut' | 'wipe'
}

export type HistoryEvent =
  SubmitEvent | SentEvent | DisplayEvent | GapEvent | AcknowledgeEvent | RemovalEvent | FaultEvent

/** A node's disk, read after everything healed and stopped. */
export interface StoreDump {
  node: string
  /** Delivery ids held, with their mailbox. */
  held: { device: string; deliveryId: string }[]
  /** Delivery ids let go of. */
  tombstones: string[]
  /** Deliveries that were on disk at some time: held, tombstoned or recorded as evicted. */
  everHeld: string[]
}

export interface History {
  events: HistoryEvent[]
  stores: StoreDump[]
  /** Operators that the network lists. */
  operators: number
  /** Receipts of different operators that *sent* needs, before the network's size limits it. */
  receiptsRequired: number
  /** Epoch in force. */
  epoch: number
  /** Time at which the run was over, after healing. */
  end: number
}
