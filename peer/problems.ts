/**
 * Reasons that snapshots and messages carry, as codes. The sentences are in the catalogues of the app (`web/src/i18n`) and
 * of the command line (`peer/cli/words.ts`); the person or message that carries a code has the facts for its sentence.
 */
import type { PeerErrorCode } from '../protocol/wire/peer-error-codes.ts'

/**
 * Why nothing may be sent. `device-removed`: this device was removed from the account. `contradicted`: two operators
 * disagree about the person's keys. `no-devices`: the person removed every device. `not-agreed`: no second operator confirms
 * the records of a person whose safety number was compared, for longer than a grace. The others are the alert of a person
 * whose safety number was compared, see `RecordAlert`.
 */
export const HOLD_REASONS = [
  'device-removed',
  /** This device only shows a backup. */
  'read-only',
  'contradicted',
  'no-devices',
  'not-agreed',
  'key',
  'lost-name',
  'new-holder',
  'recovered',
  'withheld'
] as const
export type HoldReason = (typeof HOLD_REASONS)[number]

/** Why an own message waits or failed. Stored with the message: a code is never renamed. */
export const MESSAGE_PROBLEMS = [
  ...HOLD_REASONS,
  /** Failed: it could not be sent for as long as the network keeps messages. */
  'expired',
  /** Failed: nodes of as many operators as keep a message say that it is malformed or too large. */
  'not-accepted',
  /** A node refused; another one is tried. */
  'refused',
  'too-few-receipts',
  /** The node says that it is sealed too long ago, or in the future. */
  'clock-behind',
  'clock-ahead',
  'mailbox-full',
  'rate-limited',
  /** The network does not know a device of the other side yet. */
  'unknown-device',
  'contacts-only',
  /** The disks of the nodes are full. */
  'nodes-full',
  'no-account',
  /** No device of the other side has published keys. */
  'no-keys',
  /** This account has left the group, or was removed from it. */
  'not-in-group',
  /** What the network says about the other side does not hold, or is not complete. */
  'not-prepared',
  /** Failed: the account has used its share at the nodes, or their storage is full. */
  'storage-full',
  /** Failed: the nodes do not take the file. */
  'file-refused',
  /** Failed: the user stopped the upload. */
  'file-stopped',
  /** Failed: the file is not on this device any more. */
  'file-lost'
] as const
export type MessageProblem = (typeof MESSAGE_PROBLEMS)[number]

/** What needs attention about the connection as a whole, with its facts. */
export interface StatusProblemFacts {
  /** Received messages cannot be written to this device's store. */
  'not-stored': Record<never, never>
  /** The chosen node belongs to another network than the account. */
  'other-network': { origin: string }
  /**
   * The node's time differs from this device's by more than ten minutes. One node's word: it is said and changes nothing.
   * `offMs` is how far this device is ahead of the node, below zero if it is behind.
   */
  'clock-wrong': { offMs: number }
  'no-node-known': Record<never, never>
  unreachable: Record<never, never>
  'device-removed': Record<never, never>
  /** The node does not know this device yet. */
  'device-unknown': Record<never, never>
  refused: { origin: string; refusal: PeerErrorCode }
}
export type StatusProblem = {
  [C in keyof StatusProblemFacts]: { code: C; facts: StatusProblemFacts[C] }
}[keyof StatusProblemFacts]
