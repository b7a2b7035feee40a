/** What one source answers about one account, after everything in it was checked. */
import { equalBytes } from '../../../protocol/bytes.ts'
import { historyOf, type AccountState } from '../../../protocol/directory/account.ts'
import { compareOrder, type OrderKey } from '../../../protocol/directory/order.ts'
import { checkProof, type AccountProof, type CheckedProof } from '../../../protocol/directory/proofs/proof.ts'
import { ProtocolError } from '../../../protocol/errors.ts'
import type { AccountId, RecordId } from '../../../protocol/identity/device.ts'
import type { RecordKind } from '../../../protocol/identity/record.ts'
import { ChainError } from '../../errors.ts'
import { VerifyError } from '../errors.ts'
import type { AccountSource } from '../sources/account-source.ts'
import type { Verification } from './verification.ts'

/** A record that waits to be in a block, and fits the account. */
export interface PendingRecord {
  readonly recordId: RecordId
  readonly kind: RecordKind
}

/** A proof that holds. */
export interface Seen {
  readonly kind: 'seen'
  readonly source: AccountSource
  /** As the source sent it. */
  readonly proof: AccountProof
  /** What counts: recorded changes, at the height asked for; pending ones too if none are recorded or all are wanted. */
  readonly checked: CheckedProof
  /** Transactions that were looked at. */
  readonly transactionCount: number
  readonly pending: readonly PendingRecord[]
  /** The account once what is pending is recorded. */
  readonly later: AccountState
}

export type Answer =
  | Seen
  /** The source does not know the account, or no account holds the name. */
  | { readonly kind: 'absent'; readonly source: AccountSource; readonly reason: string }
  /** What the source sends contradicts itself or the question. */
  | { readonly kind: 'refused'; readonly source: AccountSource; readonly reason: string }
  | { readonly kind: 'unreachable'; readonly source: AccountSource; readonly reason: string }
  | { readonly kind: 'unconfirmed'; readonly source: AccountSource; readonly reason: string }

/** Whether a failure says something about the source, and what; `undefined` for anything else, to be thrown on. */
export function judgeFailure(
  error: unknown
): { kind: 'refused' | 'unreachable' | 'unconfirmed'; reason: string } | undefined {
  if (error instanceof ProtocolError) return { kind: 'refused', reason: error.message }
  if (error instanceof VerifyError) {
    if (error.code === 'UNREACHABLE') return { kind: 'unreachable', reason: error.message }
    if (error.code === 'BAD_ANSWER') return { kind: 'refused', reason: error.message }
    return error.code === 'MOVING' ? { kind: 'unconfirmed', reason: error.message } : undefined
  }
  if (!(error instanceof ChainError)) return undefined
  const isSilent = error.code === 'UNREACHABLE' || error.code === 'BUSY' || error.code === 'FORBIDDEN'
  if (error.code === 'TORN_READ') return { kind: 'unconfirmed', reason: error.message }
  return { kind: isSilent ? 'unreachable' : 'refused', reason: error.message }
}

/** Asks a source for an account and checks all it sends. */
export async function askForAccount(run: Verification, source: AccountSource, accountId: AccountId): Promise<Answer> {
  return answering(source, async () => {
    const { signal } = run.init
    const proof = await source.proof(accountId, { signal })
    if (!proof) return { kind: 'absent', source, reason: 'it knows no such account' }
    return check(run, source, accountId, proof)
  })
}

async function answering(source: AccountSource, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask()
  } catch (error) {
    const judged = judgeFailure(error)
    if (!judged) throw error
    return { ...judged, source }
  }
}

async function check(
  run: Verification,
  source: AccountSource,
  accountId: AccountId,
  proof: AccountProof
): Promise<Answer> {
  const { crypto, network, options } = run.init
  const { atHeight, minConf } = options
  const judge = (wanted: AccountProof): Promise<CheckedProof> =>
    checkProof(crypto, network.id, network.genesis.metadataLabel, accountId, wanted)
  run.sawTip(source, proof.tip)
  const transactions = proof.transactions.filter(({ blockHeight }) => blockHeight <= (atHeight ?? Infinity))
  // Everything is checked, whatever height is asked for: a source that lies about later blocks lies.
  const whole = await judge(proof)
  if (atHeight !== undefined && transactions.length === 0) {
    return { kind: 'absent', source, reason: `the account was not recorded at block ${atHeight}` }
  }
  const wantsPending = transactions.length === 0 || (minConf === 0 && atHeight === undefined)
  const isWhole = transactions.length === proof.transactions.length && (wantsPending || proof.pending.length === 0)
  const checked = isWhole ? whole : await judge({ ...proof, transactions, pending: [] })
  const pending = historyOf(whole.account).filter(({ order }) => order === null)
  return { kind: 'seen', source, proof, checked, transactionCount: transactions.length, pending, later: whole.account }
}

/**
 * Asks a source who holds a name, and checks that the account's own records say so. Among several claims the earliest
 * commitment counts.
 * @param nameTag - 32 bytes, made here from the name: what a source sends must be of exactly this name.
 */
export async function askForName(run: Verification, source: AccountSource, nameTag: Uint8Array): Promise<Answer> {
  return answering(source, async () => {
    const claimants = await source.claimants(nameTag, { signal: run.init.signal })
    if (claimants.length === 0) return { kind: 'absent', source, reason: 'nobody holds the name there' }
    const answers = await Promise.all(claimants.map(accountId => askForAccount(run, source, accountId)))
    const holders = answers.filter(
      answer => answer.kind === 'seen' && claimOf(answer.checked.account, nameTag)
    ) as Seen[]
    const [first] = holders.sort((a, b) => compareOrder(commitOrderOf(a, nameTag), commitOrderOf(b, nameTag)))
    return first ?? explainMissing(run, source, nameTag, answers)
  })
}

function explainMissing(run: Verification, source: AccountSource, nameTag: Uint8Array, answers: Answer[]): Answer {
  const problem = answers.find(({ kind }) => kind !== 'seen')
  if (problem) return problem
  if (answers.some(answer => answer.kind === 'seen' && claimOf(answer.later, nameTag))) {
    return run.init.options.atHeight === undefined
      ? { kind: 'unconfirmed', source, reason: 'the name is claimed, and waits to be recorded' }
      : { kind: 'absent', source, reason: 'nobody who holds the name now held it at that block' }
  }
  return { kind: 'refused', source, reason: 'it names an account whose own records do not claim the name' }
}

/** The account's claim of a name; `undefined` if it has none. */
export function claimOf(account: AccountState, nameTag: Uint8Array): AccountState['names'][number] | undefined {
  return account.names.find(name => equalBytes(name.nameTag, nameTag))
}

function commitOrderOf({ checked }: Seen, nameTag: Uint8Array): OrderKey | null {
  return claimOf(checked.account, nameTag)?.commitOrder ?? null
}
