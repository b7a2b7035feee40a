/** An account as the report tells it, for programs and for people. */
import { toHex } from '../../../protocol/bytes.ts'
import { groupDigits, personNumber } from '../../../protocol/conversation/safety-number.ts'
import { historyOf, type DeviceState, type RecordMark } from '../../../protocol/directory/account.ts'
import type { RecordPlace } from '../../../protocol/directory/proofs/proof.ts'
import { bytesKey } from '../../../protocol/directory/order.ts'
import { counted } from '../report/render-human.ts'
import type { VerifiedAccount } from './verify-account.ts'
import type { Verification } from './verification.ts'

/** The place of a record, as JSON; `null` while it is pending. */
export function placeFacts(place: RecordPlace | undefined): Record<string, unknown> | null {
  if (!place?.order || !place.transactionId || !place.blockHash) return null
  const { blockHeight, txIndex, recordIndex } = place.order
  return {
    block: blockHeight,
    blockHash: toHex(place.blockHash),
    txIndex,
    transaction: toHex(place.transactionId),
    recordIndex
  }
}

function markFacts({ recordId, order, blockTime }: RecordMark): Record<string, unknown> {
  return { record: toHex(recordId), block: order?.blockHeight ?? null, time: blockTime }
}

export function deviceFacts(device: DeviceState): Record<string, unknown> {
  const { deviceId, keys, messagingKeyHash, seniority, added, addedBy, revocation } = device
  return {
    deviceId: toHex(deviceId),
    state: revocation ? 'revoked' : 'live',
    signingKey: toHex(keys.signingKey),
    messagingKeyHash: toHex(messagingKeyHash),
    seniority,
    added: { ...markFacts(added), by: addedBy && toHex(addedBy) },
    revoked: revocation && {
      ...markFacts(revocation),
      by: revocation.by && toHex(revocation.by),
      reason: revocation.reason
    }
  }
}

/** Everything about an account. */
export function accountFacts(run: Verification, account: VerifiedAccount): Record<string, unknown> {
  const { crypto, network } = run.init
  const { state, best, confirmations, name, subject } = account
  const places = new Map(best.checked.places.map(place => [bytesKey(place.recordId), place]))
  return {
    accountId: toHex(state.accountId),
    username: subject.kind === 'name' ? subject.username : null,
    fingerprint: personNumber(crypto, network.id, state.accountId),
    head: toHex(state.head),
    confirmations,
    recoverable: state.recoveryKey !== null,
    devices: state.devices.map(deviceFacts),
    name: name ? { tag: toHex(name.tag), ...markFacts(name.claim) } : null,
    nameTags: state.names.map(({ nameTag }) => toHex(nameTag)),
    nodes: state.nodes.map(({ nodeKey, addresses }) => ({ nodeKey: toHex(nodeKey), addresses })),
    records: historyOf(state).map(({ recordId, kind, blockTime }) => ({
      record: toHex(recordId),
      kind,
      time: blockTime,
      place: placeFacts(places.get(bytesKey(recordId)))
    })),
    pending: best.pending.map(({ recordId, kind }) => ({ record: toHex(recordId), kind })),
    rejected: rejectedOf(account)
  }
}

/** Records that were skipped, from the source that knows them; `null` if none does, as nodes prove accepted ones only. */
function rejectedOf({ seen, state }: VerifiedAccount): unknown {
  for (const { source } of seen) {
    const rejected = source.rejected?.(state.accountId)
    if (rejected) return rejected
  }
  return null
}

const day = (time: number): string => new Date(time).toISOString().slice(0, 16).replace('T', ' ')

/** One line on a device. */
export function deviceLine({ deviceId, keys, added, revocation }: DeviceState): string {
  const since = added.order
    ? `since block ${added.order.blockHeight} (${day(added.blockTime)} UTC)`
    : 'waits to be recorded'
  const end = revocation ? `, revoked ${endOf(revocation)} (${revocation.reason})` : ''
  return `${revocation ? 'revoked' : 'live   '} device ${toHex(deviceId)}, key ${toHex(keys.signingKey)}, ${since}${end}`
}

const endOf = ({ order, blockTime }: RecordMark): string =>
  order ? `in block ${order.blockHeight} (${day(blockTime)} UTC)` : 'by a record that waits to be recorded'

/** The account for people, a line each. */
export function accountLines(run: Verification, account: VerifiedAccount): string[] {
  const { crypto, network } = run.init
  const { state, best } = account
  const rejected = rejectedOf(account)
  return [
    `account ${toHex(state.accountId)}`,
    `fingerprint ${groupDigits(personNumber(crypto, network.id, state.accountId))}`,
    ...state.devices.map(deviceLine),
    ...state.nodes.map(({ nodeKey, addresses }) => `node ${toHex(nodeKey)} at ${addresses.join(', ')}`),
    `${counted(state.recordCount, 'record')}, ${state.recoveryKey ? 'with' : 'without'} a recovery key`,
    ...best.pending.map(({ kind }) => `pending ${kind}: waits to be recorded`),
    ...(Array.isArray(rejected) && rejected.length > 0
      ? [`${counted(rejected.length, 'rejected record')} (see --json)`]
      : [])
  ]
}
