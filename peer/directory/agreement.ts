/**
 * How long what two operators said about an account counts. Agreement belongs to the records, to the block up to which both
 * have looked, and to a moment: one lying node can withhold a REVOKE from an account that was confirmed long ago.
 */
import { nullable, struct, uint, type TypeOf } from '../../protocol/codec.ts'
import type { AccountProof } from '../../protocol/directory/proofs/proof.ts'
import type { OrderKey } from '../../protocol/directory/order.ts'

/** Two operators are asked again after this; nothing is sealed on an older agreement while a second one answers. */
export const AGREEMENT_MAX_AGE_MS = 5 * 60_000
/** Agreement on accounts in use is renewed at this age, so that it does not end while a second operator answers. */
export const AGREEMENT_RENEW_MS = 3 * 60_000
/** Without a second operator for longer, sending to people whose safety number was compared is held (decision 11). */
export const AGREEMENT_GRACE_MS = 30 * 60_000
/** A second operator whose newest block is older than the first one's by more does not see the chain as it is. */
export const MAX_TIP_LAG_MS = 10 * 60_000
/** A chain has at most one block in a slot, and slots of a second or more. */
const MIN_BLOCK_INTERVAL_MS = 1_000

/** When two operators gave the same records (by this device's clock), and the height that both have seen. */
export const agreementCodec = nullable(struct({ at: uint(), height: uint() }))
export type Agreement = NonNullable<TypeOf<typeof agreementCodec>>

/** What agreement is about; a `KnownAccount` has it. */
export interface Agreeable {
  agreement: Agreement | null
  checked: { readonly tip: { readonly height: number } }
}

/**
 * - `single` the network lists one operator: nobody could agree
 * - `agreed` two operators gave the same records less than {@link AGREEMENT_MAX_AGE_MS} ago
 * - `waiting` they did not lately, or never; a second operator is asked before the next Open
 * - `lost` a second operator was asked in vain, and the grace is over
 */
export type AgreementState = 'single' | 'agreed' | 'waiting' | 'lost'

/** How an account stands by what operators said of it. */
export interface Standing {
  state: AgreementState
  /** When two operators agreed last on these records; null if they never did. */
  at: number | null
  /** As `RecordDetails.trust`. */
  trust: 'L1' | 'L2'
}

/**
 * Whether the agreement is younger than `maxAgeMs`. A time in the future was noted before the clock was put back: how long ago
 * that is, is not known, so it does not count.
 */
export function isAgreed({ agreement }: Pick<Agreeable, 'agreement'>, now: number, maxAgeMs: number): boolean {
  return agreement !== null && agreement.at <= now && now - agreement.at < maxAgeMs
}

/** The agreement that two tips allow; null if the second operator is too far behind to know. @param at - when both were asked. */
export function agreementOf(
  here: AccountProof['tip'],
  there: AccountProof['tip'],
  { at, now }: { at: number; now: number }
): Agreement | null {
  // What the first one says about the future counts for nothing: it would make every second operator look late.
  const isLate = there.time < Math.min(here.time, now) - MAX_TIP_LAG_MS
  return isLate ? null : { at, height: Math.min(here.height, there.height) }
}

/** Where a record stands; the mark of a name, commitment or device has it. */
export interface RecordedPlace {
  /** `null` while pending. */
  readonly order: OrderKey | null
  readonly blockTime: number
}

/**
 * Confirmations of a record that count: a lone node's height counts for nothing where a second operator could be asked, and
 * no height for more blocks than fit between the block and the device's clock.
 *
 * @param isAlone - whether the network lists one operator.
 * @returns 0 while pending, at least 1 in a block.
 */
export function countedConfirmations(
  { agreement, checked }: Agreeable,
  place: RecordedPlace,
  { now, isAlone }: { now: number; isAlone: boolean }
): number {
  if (!place.order) return 0
  const height = agreement?.height ?? (isAlone ? checked.tip.height : 0)
  const possible = Math.floor((now - place.blockTime) / MIN_BLOCK_INTERVAL_MS) + 1
  return Math.max(1, Math.min(height - place.order.blockHeight + 1, possible))
}
