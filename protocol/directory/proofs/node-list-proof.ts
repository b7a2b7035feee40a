/**
 * What a node answers when it is asked why its list of nodes is the list: the raw transactions with the records of the
 * listed operators, and of those that vouched for them, up to the epoch's boundary. A liar cannot put a node into such a list
 * that no admitted operator announced; a lone source can leave operators out, which a second one settles.
 */
import { compareBytes, equalBytes } from '../../bytes.ts'
import { constant, decode, encode, list, struct, type TypeOf } from '../../codec.ts'
import type { Crypto } from '../../crypto/crypto.ts'
import { ProtocolError } from '../../errors.ts'
import { MAX_NODE_LIST_PROOF_BYTES, MAX_PROOF_TRANSACTIONS } from '../../limits.ts'
import type { ChainPlacement, Genesis, NetworkId } from '../../network.ts'
import { configuredSeed, type Epoch } from '../../wire/placement.ts'
import type { AccountState } from '../account.ts'
import { historyOf } from '../account.ts'
import { Directory } from '../directory.ts'
import { isSameList, listedNodeOf } from '../node-list.ts'
import { bytesKey, compareOrder, type OrderKey } from '../order.ts'
import { proofTransactionCodec, readTransaction, requirePlaces } from './proof.ts'

const nodeListProofCodec = struct({
  version: constant(1),
  /** In chain order. */
  transactions: list(proofTransactionCodec, MAX_PROOF_TRANSACTIONS)
})

/** Decoded, not checked yet: see {@link checkNodeList}. */
export type NodeListProof = TypeOf<typeof nodeListProofCodec>

/** Canonical bytes of a proof. */
export function encodeNodeListProof(proof: NodeListProof): Uint8Array {
  return encode(nodeListProofCodec, proof)
}

/** @throws ProtocolError `MALFORMED`, `TOO_LARGE`. */
export function decodeNodeListProof(proof: Uint8Array): NodeListProof {
  return decode(nodeListProofCodec, proof, { maxBytes: MAX_NODE_LIST_PROOF_BYTES, maxDepth: 5 })
}

/**
 * Places of the records that prove a list, in chain order.
 *
 * @param height - of the epoch's boundary: nothing above it counts.
 */
export function nodeListRecords(directory: Directory, nodes: Epoch['nodes'], height: number): OrderKey[] {
  const accounts = new Map<string, AccountState>()
  const add = (accountId: Uint8Array): void => {
    const account = directory.account(accountId)
    if (account === undefined || accounts.has(bytesKey(accountId))) return
    accounts.set(bytesKey(accountId), account)
    for (const voucher of directory.vouchersOf(accountId)) add(voucher)
  }
  // By operator: a node may have been withdrawn since.
  for (const { operator } of nodes) {
    const account = directory.accountOfOperator(operator)
    if (account) add(account.accountId)
  }
  return [...accounts.values()]
    .flatMap(account => historyOf(account).flatMap(({ order }) => order ?? []))
    .filter(({ blockHeight }) => blockHeight <= height)
    .sort(compareOrder)
}

/**
 * Checks a list of nodes against the network's genesis and, from the first epoch of the chain on, against its proof.
 *
 * @param proof - undefined is enough for epoch 0.
 * @throws ProtocolError `INVALID` if the list is not what genesis or the records make it, `MALFORMED`, `TOO_LARGE`.
 */
export async function checkNodeList(
  crypto: Crypto,
  network: NetworkId,
  genesis: Genesis & { placement: ChainPlacement },
  epoch: Epoch,
  proof: NodeListProof | undefined
): Promise<void> {
  const { epochBlocks, firstList } = genesis.placement
  if (epoch.number === 0) {
    const seeds = [configuredSeed(crypto, epoch.nodes), epoch.seed, ...epoch.nodeSeeds]
    if (!seeds.every(seed => equalBytes(seed, firstList)))
      throw contradiction('the first list is not the one that the network began with')
    return
  }
  if (proof === undefined) throw contradiction('the list comes without a proof')
  const { transactions } = proof
  const height = epoch.number * epochBlocks
  if (!Number.isSafeInteger(height)) throw contradiction('no chain is that long')
  requirePlaces({ transactions, tip: { height, hash: epoch.seed, time: 0 } })
  const directory = Directory.create(crypto, network, genesis)
  for (const transaction of transactions) {
    for (const record of readTransaction(transaction, genesis.metadataLabel).records) {
      const verdict = await directory.apply(record)
      if (verdict.kind === 'rejected') throw contradiction(`a recorded entry is not acceptable: ${verdict.code}`)
    }
  }
  epoch.nodes.forEach((node, index) => {
    const previous = epoch.nodes[index - 1]
    if (previous && compareBytes(previous.key, node.key) >= 0) throw contradiction('the list is not in its order')
    const announced = directory.node(node.key)
    const listed = announced && listedNodeOf(directory, announced)
    if (!listed || !isSameList([listed], [node])) {
      throw contradiction('the list names a node that no admitted operator announced so')
    }
  })
}

const contradiction = (message: string): ProtocolError => new ProtocolError('INVALID', message)
