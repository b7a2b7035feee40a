import type { AccountProof } from '../../../protocol/directory/proofs/proof.ts'
import type { AccountId } from '../../../protocol/identity/device.ts'
import type { ReportSource } from '../report/report.ts'

export interface CallOptions {
  signal?: AbortSignal | undefined
  /** Longest pause in milliseconds if the source asks for one; by default as long as a person waits. */
  maxPauseMs?: number
}

/** What a source may know of an account besides its accepted records. */
export interface RejectedEntry {
  /** Lower-case hex of the record's id; `null` when the bytes were no record. */
  readonly record: string | null
  readonly code: string
  readonly blockHeight: number
  readonly txIndex: number
  readonly recordIndex: number
}

/** Something that happened to a name. */
export interface NameEvent {
  readonly kind: 'held' | 'taken' | 'released'
  /** Lower-case hex: who opened or released it. */
  readonly account: string
  /** Lower-case hex: who held it before (`held`), or holds it on (`taken`). */
  readonly other: string | null
  readonly blockHeight: number
  readonly txIndex: number
  readonly recordIndex: number
}

/**
 * One party that says what is on the chain: a node, a Blockfrost server, or a file. Everything it says is checked by
 * the caller. All methods throw VerifyError `UNREACHABLE`, `BAD_ANSWER` or `MOVING`, and ChainError.
 */
export interface AccountSource extends ReportSource {
  /** Who is behind it, to tell whether two sources are independent; `undefined` for a file. */
  readonly party: SourceParty | undefined
  /** The records of an account, not checked; `undefined` if the source knows no such account. */
  proof(accountId: AccountId, options?: CallOptions): Promise<AccountProof | undefined>
  /** The accounts that hold or claim a name, as the source says. @param nameTag - 32 bytes. */
  claimants(nameTag: Uint8Array, options?: CallOptions): Promise<AccountId[]>
  /** Records that named the account and were skipped; absent where the source cannot know. */
  rejected?(accountId: AccountId): readonly RejectedEntry[]
  /** All that happened to a name; absent where the source cannot know. */
  nameEvents?(nameTag: Uint8Array): readonly NameEvent[]
  /** Forgets what was read, so that the next question sees the chain as it is then. */
  refresh(): void
}

export interface SourceParty {
  /** Origin of its address. */
  origin: string
  /** Lower-case hex; only a node's. */
  nodeKey?: string
  /** Lower-case hex; only a node's that is listed. */
  operator?: string | undefined
}

/** Whether two sources can be taken for two parties: other address, other key, other operator. */
export function areIndependent(a: AccountSource, b: AccountSource): boolean {
  const [left, right] = [a.party, b.party]
  if (!left || !right || left.origin === right.origin) return false
  if (left.nodeKey !== undefined && left.nodeKey === right.nodeKey) return false
  return left.operator === undefined || left.operator !== right.operator
}
