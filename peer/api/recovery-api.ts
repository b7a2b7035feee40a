import type { Me } from './account-api.ts'
import type { CallTable } from './call-table.ts'

/** `peer.recovery`: the printed code that regains an account without any of its devices. */
export interface RecoveryApi {
  /** Whether the account has a code, as far as the public record is known. Asks a node where one answers. */
  state(): Promise<RecoveryState>
  /** Makes a code. Nothing is changed and nothing is kept: the caller shows or saves it, then hands it to {@link set}. */
  draft(): Promise<RecoveryDraft>
  /**
   * Makes a code the account's own. Doing it twice does no harm.
   * Rejects with `offline`, `recovery-code`, `recovery-waits`, `refused`, `held`.
   */
  set(code: string): Promise<RecoveryState>
  /** Takes back a code that does not count yet. Rejects as {@link set}. Does nothing if none waits. */
  refuse(): Promise<RecoveryState>
  /**
   * Regains an account on a device that has none: ends all its other devices. The code is used up.
   * Rejects with `already-registered`, `invalid-name`, `recovery-code`, `no-account`, `no-recovery`, `offline`, `refused`.
   */
  use(choice: RecoveryChoice): Promise<Me>
}

/** The calls of {@link RecoveryApi}. */
export const RECOVERY_CALLS: CallTable<RecoveryApi> = {
  state: 'repeat',
  draft: 'repeat',
  set: 'repeat',
  refuse: 'repeat',
  use: 'give-up'
}

/** Whether an account can be regained with a code. */
export interface RecoveryState {
  /** A code counts now. */
  isSet: boolean
  /** A code that a device has made, and that counts later. Until then an older device can refuse it. */
  waiting: { byDevice: string; isByThis: boolean; countsFrom: number } | null
}

/** A code, and the text of a file that holds it. */
export interface RecoveryDraft {
  /** Eight groups of four characters. */
  code: string
  /** For a file or a printer: whose code it is, the code on a line of its own, what to do with it. */
  text: string
}

/** Whose account is regained, and as which device. */
export interface RecoveryChoice {
  username: string
  /** The code as typed, or the text of a file that holds it. */
  code: string
  deviceName: string
}
