import type { PeerFailure } from '../errors.ts'
import type { Me } from './account-api.ts'
import type { CallTable } from './call-table.ts'

/** `peer.linking`: a further device of an account. How far it is shows in the snapshot, as {@link LinkingState}. */
export interface LinkingApi {
  /**
   * On a device of the account: makes a code and waits for the new device. One that is under way goes on with its code.
   * @returns once the code can be used. Rejects with `not-registered`, `held`, `offline`, `refused`.
   */
  show(): Promise<LinkingState>
  /** The person's answer to "add this device?". Without a question it does nothing. */
  answer(isYes: boolean): Promise<void>
  /** Ends the linking on this side, or puts away what it came to. Without one it does nothing. */
  cancel(): Promise<void>
  /**
   * On a device without an account: uses a code, typed or read from a picture.
   *
   * @returns once the device is on the account and usable. Rejects with `already-registered`, `link-code`, `other-network`,
   * `offline`, `refused`, and every other code that begins with `link-`.
   */
  join(code: string, deviceName: string): Promise<Me>
}

/** The calls of {@link LinkingApi}. */
export const LINKING_CALLS: CallTable<LinkingApi> = {
  show: 'give-up',
  answer: 'give-up',
  cancel: 'repeat',
  join: 'give-up'
}

/** How far a linking is. */
export interface LinkingState {
  /** `old` shows the code, `new` uses it. */
  side: 'old' | 'new'
  /** `asking`: the person compares the words and answers on the old device. `failed` stays until it is put away. */
  step: 'waiting' | 'asking' | 'adding' | 'done' | 'failed'
  /** Of the old side: the code as words, the text of its QR code, and when it ends. */
  code: { words: string; address: string; expiresAt: number } | null
  /** Name of the new device, once the old one knows it. */
  deviceName: string | null
  /** Two words, the same on both devices. */
  checkWords: [string, string] | null
  /** Why it failed. */
  failure: PeerFailure | null
}
