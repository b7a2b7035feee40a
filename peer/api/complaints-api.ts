import type { CallTable } from './call-table.ts'
import type { MessageHex } from './ids.ts'

/** `peer.complaints`: what nodes promised about own messages, and whether they keep it. */
export interface ComplaintsApi {
  /**
   * Asks each node that signed for a *sent* message whether it still holds it. A node that signs that it does not, although it
   * had to, has broken its promise: the complaint is kept here and published at the nodes of the network.
   * Empty for a message without receipts.
   */
  check(messageId: MessageHex): Promise<PromiseView[]>
  /** All complaints of this device, the newest denial first. */
  list(): Promise<ComplaintView[]>
}

/** The calls of {@link ComplaintsApi}. */
export const COMPLAINTS_CALLS: CallTable<ComplaintsApi> = { check: 'repeat', list: 'repeat' }

/**
 * What came of one node's promise about one device of a recipient. `kept`: it signed again, or the device has taken the message.
 * `broken`: there is a complaint. `ended`: the rules let it go, such as by its expiry. `unclear`: it denies, but the two words
 * prove nothing. `silent`: no answer.
 */
export interface PromiseView {
  node: string
  /** Empty if the node is not in the list any more. */
  operator: string
  mailbox: string
  deliveryId: string
  promisedAt: number
  state: 'kept' | 'broken' | 'ended' | 'unclear' | 'silent'
  /** What the verdict says; null without a denial. */
  sentence: string | null
}

/** A complaint that holds, keys and ids as lower-case hex. */
export interface ComplaintView {
  node: string
  mailbox: string
  deliveryId: string
  promisedAt: number
  deniedAt: number
  sentence: string
  /** The complaint file, for `volo-verify complaint`. */
  text: string
}
