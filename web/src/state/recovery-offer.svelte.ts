import type { RecoveryState } from '../../../peer/peer-api.ts'

/** A person who has written so many messages here, or used this device for so long, has something to lose. */
const SENT_ENOUGH = 20
const USED_ENOUGH_MS = 24 * 60 * 60_000
const STORAGE_KEY = 'volo-recovery-offer'

/** What is kept on this device: no more than how long it is in use. */
interface Kept {
  since: number
  sent: number
  /** `due`: a code was used up just now; `done`: the offer was made. */
  offer: 'later' | 'due' | 'done'
}

type OfferStorage = Pick<Storage, 'getItem' | 'setItem'> | null

/** Offers a recovery code once, after some use. */
export class RecoveryOffer {
  #kept = $state.raw<Kept>({ since: 0, sent: 0, offer: 'later' })
  readonly #storage: OfferStorage

  /** @param storage - null where the browser keeps nothing: then the offer may come again. */
  constructor(storage: OfferStorage, now = Date.now()) {
    this.#storage = storage
    this.#kept = parseKept(storage?.getItem(STORAGE_KEY) ?? null) ?? { since: now, sent: 0, offer: 'later' }
  }

  /** The device has an account: from now on it counts as in use. */
  begin(): void {
    this.#keep({})
  }

  /** Counts a message that was written here. */
  wrote(): void {
    if (this.#kept.sent < SENT_ENOUGH) this.#keep({ sent: this.#kept.sent + 1 })
  }

  /** The code of the account was used up: a new one is offered at once. */
  renew(): void {
    this.#keep({ offer: 'due' })
  }

  /** The person took it, or does not want it. */
  finish(): void {
    this.#keep({ offer: 'done' })
  }

  /** Whether to offer a code now. @param state - null while it is not known. */
  isDue(state: RecoveryState | null, now: number): boolean {
    const { since, sent, offer } = this.#kept
    if (offer === 'done' || state === null || state.isSet || state.waiting !== null) return false
    return offer === 'due' || sent >= SENT_ENOUGH || now - since >= USED_ENOUGH_MS
  }

  #keep(change: Partial<Kept>): void {
    this.#kept = { ...this.#kept, ...change }
    try {
      this.#storage?.setItem(STORAGE_KEY, JSON.stringify(this.#kept))
    } catch {
      // A full storage: the offer may come again.
    }
  }
}

function parseKept(text: string | null): Kept | null {
  try {
    const { since, sent, offer } = JSON.parse(text ?? '') as Record<string, unknown>
    const isKnown = offer === 'later' || offer === 'due' || offer === 'done'
    return Number.isSafeInteger(since) && Number.isSafeInteger(sent) && isKnown
      ? { since: since as number, sent: sent as number, offer }
      : null
  } catch {
    return null
  }
}
