/** An account's entry in the public record, in the form that screens and command line see. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { historyOf } from '../../protocol/directory/account.ts'
import { FINAL_CONFIRMATIONS, SETTLED_CONFIRMATIONS } from '../../protocol/limits.ts'
import type { RecordDetails } from '../api/record-state.ts'
import type { NetworkInfo } from '../network/network-info.ts'
import { countedConfirmations, type Standing } from './agreement.ts'
import { devicesToSealTo, type KnownAccount } from './known-account.ts'

/** Kinds of records that change what messages are sealed to. */
export const DEVICE_RECORDS: ReadonlySet<string> = new Set(['create', 'add', 'revoke', 'rotate', 'recover'])

/** What {@link recordDetails} is told beside the account. */
export interface RecordContext {
  info: NetworkInfo
  standing: Standing
  /** Milliseconds since 1970. */
  now: number
  /** As `RecordDetails.undoneAt`. */
  undoneAt: number | null
}

/** How far the public record confirms the devices of an account. */
export function recordDetails(account: KnownAccount, { info, standing, now, undoneAt }: RecordContext): RecordDetails {
  const { checked } = account
  const history = historyOf(checked.account).filter(({ kind }) => DEVICE_RECORDS.has(kind))
  const recorded = history.findLast(({ order }) => order !== null)
  const place = checked.places.find(({ recordId }) => recorded && equalBytes(recordId, recorded.recordId))
  const isAlone = standing.state === 'single'
  const confirmations = recorded ? countedConfirmations(account, recorded, { now, isAlone }) : 0
  return {
    state: recordState(account, confirmations),
    confirmations,
    transactionId: place?.transactionId ? toHex(place.transactionId) : null,
    blockHeight: recorded?.order?.blockHeight ?? null,
    recordedAt: recorded?.blockTime ?? null,
    network: info.label,
    trust: standing.trust,
    checkedAt: account.checkedAt,
    agreement: { state: standing.state, at: standing.at },
    undoneAt
  }
}

function recordState(account: KnownAccount, confirmations: number): RecordDetails['state'] {
  if (account.contradicted) return 'mismatch'
  if (devicesToSealTo(account).length === 0) return 'removed'
  if (confirmations === 0) return 'pending'
  if (confirmations >= FINAL_CONFIRMATIONS) return 'final'
  return confirmations >= SETTLED_CONFIRMATIONS ? 'settled' : 'recorded'
}
