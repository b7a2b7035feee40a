/** Why nothing may be sent to a person now. Sending and showing both ask here, so that they cannot disagree. */
import { deviceOf, isLive } from '../../protocol/directory/account.ts'
import { toHex } from '../../protocol/bytes.ts'
import type { Me } from '../peer-api.ts'
import type { HoldReason } from '../problems.ts'
import type { EngineContext } from '../engine-context.ts'
import type { DirectoryClient } from './directory-client.ts'
import { holdReason, type KnownAccount } from './known-account.ts'
import type { PersonTrust } from './person-trust.ts'

export class SendHolds {
  readonly #context: EngineContext
  readonly #directory: DirectoryClient
  readonly #trust: PersonTrust
  readonly #isReadOnly: () => boolean

  /** @param isReadOnly - whether this device only shows a backup. */
  constructor(
    context: EngineContext,
    directory: DirectoryClient,
    trust: PersonTrust,
    isReadOnly: () => boolean = () => false
  ) {
    this.#isReadOnly = isReadOnly
    this.#context = context
    this.#directory = directory
    this.#trust = trust
  }

  /** Whether this device may still act for its account, as its own record says. */
  get deviceState(): Me['deviceState'] {
    if (this.#isReadOnly()) return 'read-only'
    const own = this.#directory.peek(toHex(this.#context.accountId()))
    const device = own && deviceOf(own.current, this.#context.device().deviceId)
    if (!device || isLive(device)) return 'live'
    return device.revocation!.order === null ? 'removing' : 'removed'
  }

  /** @returns null if all is well. */
  reason(account: KnownAccount): HoldReason | null {
    const { deviceState } = this
    if (deviceState !== 'live') return deviceState === 'read-only' ? 'read-only' : 'device-removed'
    return holdReason(account) ?? this.#alertReason(account) ?? this.#agreementReason(account)
  }

  /**
   * One node alone can withhold that a device was removed: from the other account, or from ours. Who compared the safety number
   * asked to be safe from that, so that nothing is sent on one node's word for long.
   */
  #agreementReason(account: KnownAccount): HoldReason | null {
    if (this.#trust.of(account.accountId).verifiedAt === null) return null
    const own = this.#directory.peek(toHex(this.#context.accountId()))
    const isLost = [account, own].some(known => known && this.#directory.standingOf(known).state === 'lost')
    return isLost ? 'not-agreed' : null
  }

  #alertReason({ accountId }: KnownAccount): HoldReason | null {
    const alert = this.#trust.alertOf(accountId)
    return alert && this.#trust.of(accountId).verifiedAt !== null ? alert.kind : null
  }
}
