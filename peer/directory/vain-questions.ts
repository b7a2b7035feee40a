import { toHex } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { AccountHex } from '../peer-api.ts'
import type { Timers } from '../ports.ts'
import { AGREEMENT_GRACE_MS } from './agreement.ts'
import type { KnownAccount } from './known-account.ts'

/** A second operator that was asked in vain is not asked again before something is sealed for this long. */
const LATELY_MS = 20_000
/** Accounts remembered; past it all are forgotten, and the grace of each begins again. */
const MAX_REMEMBERED = 2_000

/** About which accounts two operators were asked and did not agree, and since when. Kept in this process only. */
export class VainQuestions {
  readonly #timers: Timers
  /** Both on the monotonic clock. */
  readonly #vain = new Map<AccountHex, { since: number; last: number }>()

  constructor(timers: Timers) {
    this.#timers = timers
  }

  note(accountId: AccountId): void {
    const key = toHex(accountId)
    const last = this.#timers.monotonic()
    const since = this.#vain.get(key)?.since ?? last
    if (this.#vain.size >= MAX_REMEMBERED) this.#vain.clear()
    this.#vain.set(key, { since, last })
  }

  /** Two operators agree. */
  forget(accountId: AccountId): void {
    this.#vain.delete(toHex(accountId))
  }

  isLately(accountId: AccountId): boolean {
    const vain = this.#vain.get(toHex(accountId))
    return vain !== undefined && this.#timers.monotonic() - vain.last < LATELY_MS
  }

  /**
   * Whether the grace is over: it runs from the last agreement, also from one of an earlier process, and only once a second
   * operator was asked in vain. A device that was offline for days asks first.
   */
  isOver({ accountId, agreement }: Pick<KnownAccount, 'accountId' | 'agreement'>, now: number): boolean {
    const vain = this.#vain.get(toHex(accountId))
    if (!vain) return false
    const waited = this.#timers.monotonic() - vain.since
    // A clock that was put back says nothing about how long ago it was.
    const since = agreement && agreement.at <= now ? now - agreement.at : 0
    return Math.max(waited, since) >= AGREEMENT_GRACE_MS
  }
}
