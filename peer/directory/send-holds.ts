/** Why nothing may be sent to somebody now: the one place that all who send, and all who show it, ask. */
import { deviceOf, isLive } from '../../protocol/directory/account.ts'
import { toHex } from '../../protocol/bytes.ts'
import type { Me } from '../peer-api.ts'
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

  /** @param name - how the person is called. @returns plain words; null if all is well. */
  reason(account: KnownAccount, name: string): string | null {
    if (this.deviceState !== 'live') {
      return 'This device was removed from your account. It can no longer send or receive; its messages stay on it.'
    }
    return holdReason(account, name) ?? this.#alertReason(account, name)
  }

  #alertReason({ accountId, username }: KnownAccount, name: string): string | null {
    const alert = this.#marks.alertOf(accountId)
    if (!alert || this.#marks.of(accountId).verifiedAt === null) return null
    switch (alert.kind) {
      case 'key':
        return `The devices of ${name} on the public record are not those that you compared.`
      case 'recovered':
        return `${name} replaced all devices with a recovery code. Compare your safety number again.`
      case 'lost-name':
        return `The username @${alert.username ?? username ?? ''} no longer leads to ${name}.`
      case 'new-holder':
        return `The username @${alert.username ?? username ?? ''} led to somebody else before.`
      case 'withheld':
        return `Entries of ${name} are missing in the only answer that could be had, so their keys are unconfirmed.`
    }
  }
}
