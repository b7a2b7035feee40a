import type { Brand } from '../brand.ts'
import { compareBytes } from '../bytes.ts'
import { encodeCbor } from '../cbor.ts'
import { bytes, list, refine, struct, text, uint, type TypeOf } from '../codec.ts'
import { KEY_BYTES, type Crypto } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { labelledHash } from '../labels.ts'
import { MAX_LISTED_NODES } from '../limits.ts'
import type { Genesis, NetworkId } from '../network.ts'

/** 32-byte Ed25519 public key of a node: its libp2p identity, and the key of its receipts. */
export type NodeKey = Brand<Uint8Array, 'NodeKey'>
/**
 * 32 bytes that name an operator: its entry in `admittedOperators` of genesis, the account id of one that was vouched for,
 * or any agreed id where lists do not follow the chain.
 */
export type OperatorId = Brand<Uint8Array, 'OperatorId'>

export const nodeKeyCodec = bytes<NodeKey>(KEY_BYTES)
export const operatorIdCodec = bytes<OperatorId>(32)

/** Longest address of a node. */
export const MAX_ADDRESS_LENGTH = 256

export const listedNodeCodec = struct({
  key: nodeKeyCodec,
  operator: operatorIdCodec,
  /** Public origin of its HTTP API and WebSocket, such as `https://node.example` or `http://127.0.0.1:8801`. */
  url: text(MAX_ADDRESS_LENGTH),
  /** Multiaddr for links between nodes, such as `/ip4/192.0.2.1/tcp/4001`. */
  link: text(MAX_ADDRESS_LENGTH)
})

/** A node that takes part in placement. */
export type ListedNode = TypeOf<typeof listedNodeCodec>

export const epochCodec = refine(
  struct({
    number: uint(),
    /** 32 bytes that no one could choose: the hash of the boundary block, or of the configured list for epoch 0. */
    seed: bytes(32),
    nodes: list(listedNodeCodec, MAX_LISTED_NODES, 1),
    /** For each node, in the same order, the seed of the list with which it came and since which it was never away. */
    nodeSeeds: list(bytes(32), MAX_LISTED_NODES, 1)
  }),
  (epoch, path) => {
    if (epoch.nodes.length !== epoch.nodeSeeds.length) {
      throw new ProtocolError('MALFORMED', `"${path}" has a seed for each node`)
    }
    return epoch
  }
)

/** One settled list of nodes. Liveness never changes it. */
export type Epoch = TypeOf<typeof epochCodec>

/** Seed of a configured list: its hash, so that its author had to choose the nodes before the placement. */
export function configuredSeed(crypto: Crypto, nodes: readonly Pick<ListedNode, 'key' | 'operator'>[]): Uint8Array {
  return crypto.sha256(encodeCbor(['volo/1/epoch-seed', nodes.map(({ key, operator }) => [key, operator])]))
}

/** A configured list: all of its nodes come with it. */
export function configuredEpoch(number: number, seed: Uint8Array, nodes: ListedNode[]): Epoch {
  return { number, seed, nodes, nodeSeeds: nodes.map(() => seed) }
}

/** Shard of a mailbox or account id. @returns 0 to `shardCount` - 1. */
export function shardOf(
  crypto: Crypto,
  network: NetworkId,
  genesis: Pick<Genesis, 'shardCount'>,
  id: Uint8Array
): number {
  const digest = labelledHash(crypto, 'shard', network, id)
  const number = ((digest[0]! << 24) | (digest[1]! << 16) | (digest[2]! << 8) | digest[3]!) >>> 0
  return number % genesis.shardCount
}

/**
 * The nodes that keep a shard: highest hash first, one per operator, so that a set is of `replicaCount` different
 * operators wherever the network has that many.
 *
 * A node is ranked by the seed with which it came, so a list that follows another moves only the shards of nodes that came or
 * went. Nobody knows that seed when a node's key is announced, so no key can be chosen for a shard.
 */
export function replicaSet(
  crypto: Crypto,
  network: NetworkId,
  genesis: Pick<Genesis, 'replicaCount'>,
  epoch: Epoch,
  shard: number
): ListedNode[] {
  const ranked = epoch.nodes
    .map((node, index) => ({ node, rank: rankOf(crypto, network, epoch.nodeSeeds[index]!, shard, node.key) }))
    .sort((a, b) => compareBytes(b.rank, a.rank))
  const operators = new Set<string>()
  const chosen: ListedNode[] = []
  for (const { node } of ranked) {
    const operator = node.operator.join()
    if (operators.has(operator)) continue
    operators.add(operator)
    chosen.push(node)
    if (chosen.length === genesis.replicaCount) break
  }
  return chosen
}

function rankOf(crypto: Crypto, network: NetworkId, seed: Uint8Array, shard: number, key: NodeKey): Uint8Array {
  return labelledHash(crypto, 'placement', network, seed, shard, key)
}

/** How many receipts of different operators make a message *sent* with this replica set; never by liveness. */
export function receiptsRequired(replicas: ListedNode[], required: number): number {
  return Math.min(required, replicas.length)
}
