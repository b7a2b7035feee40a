import type { Cbor } from '../cbor.ts'
import type { Crypto } from '../crypto/crypto.ts'
import { compareBytes } from '../bytes.ts'
import { labelledHash } from '../labels.ts'
import type { NetworkId } from '../network.ts'
import type { AccountState, DeviceState, RecordMark } from './account.ts'
import type { Directory } from './directory.ts'
import type { OrderKey } from './order.ts'

function orderCbor(order: OrderKey | null): Cbor {
  return order && [order.blockHeight, order.txIndex, order.recordIndex]
}

function markCbor({ recordId, order, blockTime }: RecordMark): Cbor[] {
  return [recordId, orderCbor(order), blockTime]
}

function deviceCbor({ deviceId, messagingKeyHash, added, addedBy, revocation, countered }: DeviceState): Cbor {
  const ended = revocation && [...markCbor(revocation), revocation.by, revocation.counterUntil]
  return [deviceId, messagingKeyHash, markCbor(added), addedBy, ended, [...countered]]
}

/**
 * Names the state of one account: equal for two who took in the same records at the same places.
 * @returns 32 bytes.
 */
export function accountDigest(crypto: Crypto, network: NetworkId, account: AccountState): Uint8Array {
  const { accountId, head, devices, recoveryKey, recordCount, limitedCount, commitments, names, nodes } = account
  const { waitingRecovery: waiting } = account
  return labelledHash(
    crypto,
    'directory-state',
    network,
    'account',
    [accountId, head, recordCount, limitedCount, recoveryKey],
    waiting && [waiting.key, waiting.by, waiting.from, ...markCbor(waiting)],
    devices.map(deviceCbor),
    commitments.map(({ commitment, ...mark }) => [commitment, ...markCbor(mark)]),
    names.map(({ nameTag, commitOrder, ...mark }) => [nameTag, orderCbor(commitOrder), ...markCbor(mark)]),
    nodes.map(({ nodeKey, addresses, ...mark }) => [nodeKey, [...addresses], ...markCbor(mark)])
  )
}

/**
 * Names the state of a whole directory, so that two who folded the same chain can compare 32 bytes. Rejected records are
 * left out: they change nothing. Takes time and memory in proportion to the directory.
 */
export function directoryDigest(crypto: Crypto, network: NetworkId, directory: Directory): Uint8Array {
  const accounts = [...directory.accounts()].map(account => accountDigest(crypto, network, account))
  const names = [...directory.names()].map(({ nameTag, accountId, commitOrder, heldSince }) =>
    labelledHash(
      crypto,
      'directory-state',
      network,
      'name',
      nameTag,
      accountId,
      orderCbor(commitOrder),
      orderCbor(heldSince)
    )
  )
  const nodes = directory
    .nodes()
    .map(({ nodeKey, operator, addresses, announced }) =>
      labelledHash(crypto, 'directory-state', network, 'node', nodeKey, operator, [...addresses], orderCbor(announced))
    )
  const releases = directory.releases().map(({ recordId, order }) => [recordId, orderCbor(order)])
  const parts: Cbor[] = [accounts, names, nodes, directory.admittedOperators()].map(hashes => hashes.sort(compareBytes))
  return labelledHash(crypto, 'directory-state', network, 'directory', ...parts, releases)
}
