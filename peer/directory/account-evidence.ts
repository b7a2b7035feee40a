/** What the answers of operators about an account add up to, together with what is known. Pure: everything was asked before. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { compareProofs, type CheckedProof } from '../../protocol/directory/proofs/proof.ts'
import type { OperatorId } from '../../protocol/wire/placement.ts'
import { agreementOf, type Agreement } from './agreement.ts'
import { joinAccount, unitedWith, type KnownAccount, type StoredAccount } from './known-account.ts'

/** Pending records that the node in use does not know (yet) are believed for this long after another told of them. */
const PENDING_TRUST_MS = 5 * 60_000

/** A checked answer of one operator's node. */
export interface Told {
  /** Of the node that answered; undefined if it is in no list. */
  operator: OperatorId | undefined
  /** Encoded. */
  proof: Uint8Array
  checked: CheckedProof
  /** When it was asked, by this device's clock: how long an answer takes is up to who answers. */
  at: number
}

/** Answers to one question: of the node in use, and of another operator's. Each may be missing. */
export interface Evidence {
  here?: Told | undefined
  there?: Told | undefined
}

/** What evidence is weighed by. */
export interface Scales {
  /** Milliseconds since 1970. */
  now: number
  /** Whether the network lists one operator, whose word is all there is. */
  isAlone: boolean
}

/** What evidence comes to. */
export interface Weighed {
  account: KnownAccount
  /** The node in use leaves out what stood in blocks, and no second operator knows better. */
  isWithheld: boolean
}

/**
 * Merges evidence into what is known at the moment of the merge. Records that were seen stay unless two operators leave them
 * out; of two operators the one that knows more is right, since nobody can sign in another's place; every REVOKE that either
 * of them tells stays, in a block or not.
 *
 * @returns undefined if nothing is known of the account.
 */
export function weigh(known: KnownAccount | undefined, evidence: Evidence, scales: Scales): Weighed | undefined {
  const { here, there } = evidence
  const { base, isWithheld } = baseOf(known, evidence, scales)
  if (!base) return undefined
  const compared = there ? compare(base, evidence, scales.now) : base
  const views = [here, there].flatMap(told => told?.checked.account ?? [])
  return { account: unitedWith(compared, known?.revoked ?? [], views, scales.now), isWithheld }
}

/** What the node in use says, or what is known where that is more. */
function baseOf(
  known: KnownAccount | undefined,
  { here, there }: Evidence,
  scales: Scales
): { base: KnownAccount | undefined; isWithheld: boolean } {
  if (!here) return { base: known ?? (there && replaced(undefined, there)), isWithheld: false }
  const fresh = replaced(known, here)
  if (!known) return { base: fresh, isWithheld: false }
  if (isBehind(fresh, known, scales)) return { base: known, isWithheld: false }
  if (!withholds(fresh, known)) return { base: fresh, isWithheld: false }
  const isBacked = there !== undefined && areTwo(here, there) && compareProofs(here.checked, there.checked) === 'same'
  if (isBacked) return { base: fresh, isWithheld: false }
  const isKnownElsewhere =
    there !== undefined && ['same', 'behind'].includes(compareProofs(known.checked, there.checked))
  return { base: isKnownElsewhere ? known : { ...known, agreement: null }, isWithheld: !isKnownElsewhere }
}

/** Holds the answer of another operator against what would be taken without it. */
function compare(base: KnownAccount, { here, there }: Evidence, now: number): KnownAccount {
  switch (compareProofs(base.checked, there!.checked)) {
    case 'contradiction':
      return { ...base, contradicted: true, agreement: null }
    // A matter of blocks, or the other one leaves records out: the agreement is not renewed.
    case 'ahead':
      return { ...base, contradicted: false }
    case 'behind':
      return { ...replaced(base, there!), contradicted: false }
    case 'same': {
      const longer = knowsMorePending(there!.checked, base.checked) ? replaced(base, there!) : base
      // Of two operators, each asked now: what was known before may be the word of the very one that repeats it.
      const isTold = here !== undefined && areTwo(here, there!) && compareProofs(base.checked, here.checked) === 'same'
      const agreement = isTold ? newerAgreement(longer, here, there!, now) : longer.agreement
      return { ...longer, agreement, contradicted: false }
    }
  }
}

function newerAgreement({ agreement }: KnownAccount, here: Told, there: Told, now: number): Agreement | null {
  const at = Math.min(here.at, there.at)
  const isNewer = agreement === null || at >= agreement.at || agreement.at > now
  return (isNewer && agreementOf(here.checked.tip, there.checked.tip, { at, now })) || agreement
}

/** The same person with another proof. Agreement is on records: it ends with the first change. */
function replaced(known: KnownAccount | undefined, { proof, checked, at }: Told): KnownAccount {
  const { accountId } = checked.account
  if (!known) {
    const nothing = { agreement: null, contradicted: false, username: null, displayName: null, claimedName: null }
    return joinAccount({ ...nothing, accountId, proof, checkedAt: at, nameConfirmed: false }, checked)
  }
  const agreement = isUnchanged(checked, known.checked) ? known.agreement : null
  return joinAccount({ ...carriedOver(known), agreement, proof, checkedAt: at }, checked)
}

/** What stays when a fresh proof replaces an older one. */
function carriedOver(known: KnownAccount): StoredAccount {
  const { checked: _checked, current: _current, view: _view, ...stored } = known
  return stored
}

/** Which node belongs to which operator is in the list: two nodes of one operator are one word. */
function areTwo(a: Told, b: Told): boolean {
  return a.operator !== undefined && b.operator !== undefined && !equalBytes(a.operator, b.operator)
}

/**
 * Whether a proof shows less than the one we have, from a source that has not seen as much: fewer records below the height
 * that two operators have seen, or the same records without the pending ones that another node told us of just now.
 */
function isBehind(fresh: KnownAccount, known: KnownAccount, { now, isAlone }: Scales): boolean {
  const [less, more] = [fresh.checked.places, known.checked.places]
  if (less.length >= more.length) return false
  // Asked before what we have: a slow answer is no news.
  if (fresh.checkedAt < known.checkedAt && known.checkedAt <= now) return true
  const height = known.agreement?.height ?? (isAlone ? known.checked.tip.height : 0)
  if (fresh.checked.tip.height < height) return true
  const isPrefix = less.every(({ recordId }, i) => equalBytes(recordId, more[i]!.recordId))
  const isPendingBeyond = more.slice(less.length).every(({ order }) => order === null)
  return isPrefix && isPendingBeyond && now - known.checkedAt < PENDING_TRUST_MS
}

function knowsMorePending(more: CheckedProof, less: CheckedProof): boolean {
  const isExtended = less.places.every(
    ({ recordId }, i) => more.places[i] && equalBytes(recordId, more.places[i].recordId)
  )
  return more.places.length > less.places.length && isExtended
}

/** Whether a proof shows the records of another one, in the same places, and the same pending ones behind them. */
export function isUnchanged(fresh: CheckedProof, known: CheckedProof): boolean {
  return equalBytes(fresh.account.head, known.account.head) && compareProofs(known, fresh) === 'same'
}

/** Whether a proof leaves out records that we have seen in blocks, and has nothing else in their place. */
export function withholds(fresh: Pick<KnownAccount, 'checked'>, known: KnownAccount): boolean {
  const seen = known.checked.places.filter(({ order }) => order !== null)
  const shown = new Set(fresh.checked.places.map(({ recordId }) => toHex(recordId)))
  return seen.some(({ recordId }) => !shown.has(toHex(recordId)))
}
