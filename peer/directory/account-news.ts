/** What a fresh proof of an account says beside the one that we have. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { compareProofs } from '../../protocol/directory/proofs/proof.ts'
import type { KnownAccount, StoredAccount } from './known-account.ts'

/** Pending records that the node in use does not know (yet) are believed for this long after another told of them. */
const PENDING_TRUST_MS = 5 * 60_000

/** What stays when a fresh proof replaces an older one. */
export function carriedOver(known: KnownAccount): StoredAccount {
  const { checked: _checked, current: _current, view: _view, ...stored } = known
  return stored
}

export const pickFresh = ({ proof, checkedAt }: StoredAccount): Pick<StoredAccount, 'proof' | 'checkedAt'> => ({
  proof,
  checkedAt
})

/**
 * Whether a proof shows less than the one we have, from a source that has not seen as much: fewer records at an older tip,
 * or the same records without the pending ones that another node told us of just now.
 */
export function isBehind(fresh: KnownAccount, known: KnownAccount, now: number): boolean {
  const [less, more] = [fresh.checked.places, known.checked.places]
  if (less.length >= more.length) return false
  if (fresh.checked.tip.height < known.checked.tip.height) return true
  const isPrefix = less.every(({ recordId }, i) => equalBytes(recordId, more[i]!.recordId))
  const isPendingBeyond = more.slice(less.length).every(({ order }) => order === null)
  return isPrefix && isPendingBeyond && now - known.checkedAt < PENDING_TRUST_MS
}

/** Whether a proof shows the records that we have, in the same places, and the same pending ones behind them. */
export function isUnchanged(fresh: KnownAccount, known: KnownAccount): boolean {
  const [head, before] = [fresh, known].map(({ checked }) => checked.account.head)
  return equalBytes(head!, before!) && compareProofs(known.checked, fresh.checked) === 'same'
}

/** Whether a proof leaves out records that we have seen in blocks, and has nothing else in their place. */
export function withholds(fresh: KnownAccount, known: KnownAccount): boolean {
  const seen = known.checked.places.filter(({ order }) => order !== null)
  const shown = new Set(fresh.checked.places.map(({ recordId }) => toHex(recordId)))
  return seen.some(({ recordId }) => !shown.has(toHex(recordId)))
}
