/** Why nothing may be sent to a person now. Sending and showing both ask here, so that they cannot disagree. */
import { deviceOf, isLive } from '../../protocol/directory/account.ts'
import { toHex } from '../../protocol/bytes.ts'
import type { Me } from '../peer-api.ts'
import type { HoldReason } from '../problems.ts'
import type { Core } from '../engine-context.ts'
import type { DirectoryClient } from './directory-client.ts'
import { holdReason, type KnownAccount } from './known-account.ts'
import type { PersonMarks } from './person-trust.ts'

export class Holds {
  readonly #core: Core
  readonly #directory: DirectoryClient
  readonly #marks: PersonMarks

  constructor(core: Core, directory: DirectoryClient, marks: PersonMarks) {
    this.#core = core
    this.#directory = directory
    this.#marks = marks
  }

  /** Whether this device may still act for its account, as its own record says. */
  get deviceState(): Me['deviceState'] {
    const own = this.#directory.peek(toHex(this.#core.accountId()))
    const device = own && deviceOf(own.current, this.#core.device().deviceId)
    if (!device || isLive(device)) return 'live'
    return device.revocation!.order === null ? 'removing' : 'removed'
  }

  /** @returns null if all is well. */
  reason(account: KnownAccount): HoldReason | null {
    if (this.deviceState !== 'live') return 'device-removed'
    return holdReason(account) ?? this.#alertReason(account)
  }

  #alertReason({ accountId }: KnownAccount): HoldReason | null {
    const alert = this.#marks.alertOf(accountId)
    return alert && this.#marks.of(accountId).verifiedAt !== null ? alert.kind : null
  }
}
