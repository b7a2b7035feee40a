import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { isNodeOrigin } from '../../protocol/node-origin.ts'
import { epochToJson, genesisToJson, readNetworkAnswer } from '../../protocol/network-json.ts'
import type { Genesis, NetworkId } from '../../protocol/network.ts'
import { replicaSet, shardOf, type Epoch, type ListedNode } from '../../protocol/wire/placement.ts'
import { PeerError } from '../errors.ts'
import { isLoopback } from './node-address.ts'

/** What a peer knows of its network: learned from the first node, kept for when that node is gone. */
export interface NetworkInfo {
  id: NetworkId
  genesis: Genesis
  epoch: Epoch
  /** For people, such as "preprod". */
  label: string
  /** The node says that its chain is an emulation. For people: what follows from it is {@link isLocalDevnet}'s to say. */
  emulated: boolean
  /** Origin of the node that the user chose. */
  entry: string
}

/**
 * Parses the answer of `GET /v1/network` (docs/http-api).
 *
 * @param entry - origin that was asked.
 * @throws PeerError `not-a-node` if anything is missing, of the wrong type, out of bounds, or the id is not that of the genesis.
 */
export function parseNetworkInfo(crypto: Crypto, answer: unknown, entry: string): NetworkInfo {
  try {
    const { id, genesis, epoch, chain } = readNetworkAnswer(crypto, answer)
    // Addresses are compared with `entry` as text. The rule is the same for operators, the chain and clients.
    const wrong = epoch.nodes.find(({ url }) => !isNodeOrigin(url))
    if (wrong) throw new Error('a listed node has an address that browsers cannot use')
    return { id, genesis, epoch, ...chain, entry }
  } catch (error) {
    throw new PeerError('not-a-node', { origin: entry }, { cause: error })
  }
}

/** The form that {@link parseNetworkInfo} reads, for the store. */
export function networkInfoToJson(info: NetworkInfo): unknown {
  return {
    networkId: toHex(info.id),
    genesis: genesisToJson(info.genesis),
    epoch: epochToJson(info.epoch),
    chain: { label: info.label, emulated: info.emulated }
  }
}

/** The nodes that keep a mailbox, in placement order. */
export function replicasOf(crypto: Crypto, info: NetworkInfo, mailbox: Uint8Array): ListedNode[] {
  const shard = shardOf(crypto, info.id, info.genesis, mailbox)
  return replicaSet(crypto, info.id, info.genesis, info.epoch, shard)
}

/**
 * The order in which a device tries nodes: the entry node if it keeps the mailbox (people expect to use the node they
 * opened), the mailbox's other nodes in placement order, then all others, which can at least take messages.
 */
export function candidateNodes(crypto: Crypto, info: NetworkInfo, mailbox: Uint8Array): ListedNode[] {
  const replicas = replicasOf(crypto, info, mailbox)
  const isEntry = (node: ListedNode): boolean => node.url === info.entry
  const others = info.epoch.nodes.filter(node => !replicas.includes(node))
  return [
    ...replicas.filter(isEntry),
    ...replicas.filter(node => !isEntry(node)),
    ...others.filter(isEntry),
    ...others.filter(node => !isEntry(node))
  ]
}

/** Whether this is a devnet of this machine: an emulated chain, learned from a node here. Nobody else's word makes it one. */
export function isLocalDevnet({ emulated, entry }: Pick<NetworkInfo, 'emulated' | 'entry'>): boolean {
  return emulated && isLoopback(new URL(entry).hostname)
}

/**
 * Whether a told list of nodes is worth looking at. The number only rises; on a devnet of this machine the same number may
 * come with other addresses, since a restart may change ports. Who may replace the list is `epoch-agreement.ts`'s to say.
 */
export function isNewerEpoch(info: NetworkInfo, told: Epoch): boolean {
  if (told.number !== info.epoch.number) return told.number > info.epoch.number
  return isLocalDevnet(info) && !isSameEpoch(info.epoch, told)
}

/** Whether two lists are the same: number, seeds and nodes. */
export function isSameEpoch(a: Epoch, b: Epoch): boolean {
  const sameNode = (x: ListedNode, y: ListedNode | undefined): boolean =>
    y !== undefined && equalBytes(x.key, y.key) && equalBytes(x.operator, y.operator) && x.url === y.url
  return (
    a.number === b.number &&
    equalBytes(a.seed, b.seed) &&
    a.nodes.length === b.nodes.length &&
    a.nodes.every((node, i) => sameNode(node, b.nodes[i]) && equalBytes(a.nodeSeeds[i]!, b.nodeSeeds[i]!))
  )
}
