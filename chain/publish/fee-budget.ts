const HOUR_MS = 3_600_000
/** Of the budget, kept for records that must not wait: a burst of sign-ups cannot stop a revocation. */
const URGENT_SHARE = 5n

/** Lovelace spent on fees in the last hour, against a limit. */
export class FeeBudget {
  readonly #limit: bigint
  #spendings: { at: number; fee: bigint }[]

  constructor(limit: bigint, spendings: { at: number; fee: bigint }[] = []) {
    this.#limit = limit
    this.#spendings = spendings
  }

  /** Whether a fee fits; ordinary records leave a fifth of the budget to urgent ones. */
  allows(fee: bigint, now: number, isUrgent: boolean): boolean {
    const limit = isUrgent ? this.#limit : this.#limit - this.#limit / URGENT_SHARE
    return this.spent(now) + fee <= limit
  }

  spend(fee: bigint, now: number): void {
    this.#spendings.push({ at: now, fee })
  }

  /** @returns lovelace spent in the hour before `now`. */
  spent(now: number): bigint {
    // Booked while the clock ran ahead: from the first look after its correction on, it leaves within an hour too.
    const dated = this.#spendings.map(spending => (spending.at > now ? { ...spending, at: now } : spending))
    this.#spendings = dated.filter(({ at }) => at > this.oldest(now))
    return this.#spendings.reduce((sum, { fee }) => sum + fee, 0n)
  }

  /** Spendings up to this time no longer count. */
  oldest(now: number): number {
    return now - HOUR_MS
  }
}
