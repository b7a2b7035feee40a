/**
 * Placement in networks of 10 to 1,000 nodes, by the code that nodes and clients use: how even the load is, what is lost when
 * nodes are, what moves when one is replaced, and what a message costs on the wires. See docs/decisions/0019-shards.md.
 */
import { createNodeCrypto } from '../../../protocol/crypto/backends/node-crypto.ts'
import { DEFAULT_REPLICA_COUNT, DEFAULT_SHARD_COUNT } from '../../../protocol/limits.ts'
import type { NetworkId } from '../../../protocol/network.ts'
import {
  configuredEpoch,
  replicaSet,
  type Epoch,
  type ListedNode,
  type NodeKey,
  type OperatorId
} from '../../../protocol/wire/placement.ts'
import { messageBytes } from './custody-bytes.ts'
import { SeededRandom } from '../../support/seeded-random.ts'

/** The heaviest node's shards over the mean, in networks of up to so many nodes. */
export const HEAVIEST = 1.3
export const EVEN_UP_TO_NODES = 100
/** Bytes per byte of payload, over one copy for each replica and one for the device. */
export const WIRE_OVERHEAD = 1.2
/** Nodes lost together, as a share of all, each tried so often. */
const LOST_SHARES = [0.1, 0.01]
const LOSSES = 200
const NODES_PER_OPERATOR = 4
const BATCHES = [1, 16, 64]
const PAYLOAD_BYTES = 1_024

const crypto = createNodeCrypto()

export interface PlacementInit {
  seed: number
  nodes: number
  shardCount?: number
}

/** What one network of a size shows. */
export interface PlacementFigures {
  nodes: number
  shardCount: number
  /** Shards of the heaviest node over the mean. */
  heaviest: number
  /** Replica sets of the network, and the most that one node is in: topics that it listens to. */
  sets: number
  setsOfNode: number
  /** Of all places, the part that moves when one node is replaced, over the part that it has. */
  movedOverOwn: number
  /** Share of nodes lost together → chance that any mailbox is lost, and part of all mailboxes that is. */
  lostTogether: Record<string, { chance: number; part: number }>
  /** Shards without a living replica after some nodes went one after another, each replaced before the next. */
  lostOneByOne: number
  /** Shards of which one operator has more than one replica, where each has {@link NODES_PER_OPERATOR} nodes. */
  withinOneOperator: number
}

/** Measures a network of a size. */
export function measurePlacement({ seed, nodes, shardCount = DEFAULT_SHARD_COUNT }: PlacementInit): PlacementFigures {
  const random = new SeededRandom(seed)
  const draw = (): number => random.fraction()
  const network = hashOf('network', seed) as NetworkId
  const place = (epoch: Epoch): ListedNode[][] =>
    Array.from({ length: shardCount }, (_, shard) =>
      replicaSet(crypto, network, { replicaCount: DEFAULT_REPLICA_COUNT }, epoch, shard)
    )
  const epoch = configuredEpoch(0, hashOf('seed', seed), nodesOf(seed, nodes, 1))
  const sets = place(epoch)
  const load = countBy(sets.flat())
  const names = sets.map(nameOf)
  const mean = (shardCount * DEFAULT_REPLICA_COUNT) / nodes
  return {
    nodes,
    shardCount,
    heaviest: Math.max(...load.values()) / mean,
    sets: new Set(names).size,
    setsOfNode: Math.max(...countBy(distinctSets(sets).flat()).values()),
    ...replaceOneByOne(epoch, sets, place, seed),
    lostTogether: Object.fromEntries(LOST_SHARES.map(share => [String(share), loseTogether(epoch, sets, share, draw)])),
    withinOneOperator: nodes < DEFAULT_REPLICA_COUNT * NODES_PER_OPERATOR ? 0 : sharedOperators(seed, nodes, place)
  }
}

/** The campaign: each size, and the wires. @param largest - network of so many nodes at most. */
export async function runPlacement(
  seed: number,
  largest: number
): Promise<{
  networks: PlacementFigures[]
  bytesPerPayloadByte: Record<string, number>
  problems: string[]
}> {
  const sizes = [10, 20, 50, 100, 300, 1_000].filter(size => size <= largest)
  const networks = sizes.map(nodes => measurePlacement({ seed, nodes }))
  const wires = await Promise.all(BATCHES.map(batch => messageBytes(batch, PAYLOAD_BYTES, DEFAULT_REPLICA_COUNT)))
  const bytesPerPayloadByte = Object.fromEntries(wires.map(wire => [String(wire.batch), rounded(wire.perPayloadByte)]))
  const most = WIRE_OVERHEAD * (DEFAULT_REPLICA_COUNT + 1)
  const problems = networks.flatMap(problemsOf)
  if (wires.at(-1)!.perPayloadByte > most)
    problems.push(`a message of a full batch takes more than ${most} times its bytes`)
  return { networks, bytesPerPayloadByte, problems }
}

/** What must hold of a network and does not, as sentences. */
export function problemsOf(figures: PlacementFigures): string[] {
  const { nodes, heaviest, movedOverOwn, lostOneByOne, withinOneOperator } = figures
  const claims: [boolean, string][] = [
    [nodes > EVEN_UP_TO_NODES || heaviest <= HEAVIEST, `the heaviest has ${heaviest.toFixed(2)} times the mean`],
    [movedOverOwn <= 2.2, `a replaced node moves ${movedOverOwn.toFixed(2)} times what it keeps`],
    [lostOneByOne === 0, `${lostOneByOne} shards are lost although nodes go one after another`],
    [withinOneOperator === 0, `${withinOneOperator} shards have two replicas of one operator`]
  ]
  return claims.filter(([holds]) => !holds).map(([, problem]) => `${nodes} nodes: ${problem}`)
}

/** Of sets that are the same, one. */
function distinctSets(sets: ListedNode[][]): ListedNode[][] {
  return [...new Map(sets.map(set => [nameOf(set), set])).values()]
}

/** Some nodes, one after another: what each kept is copied from the others before the next goes. */
function replaceOneByOne(
  first: Epoch,
  firstSets: ListedNode[][],
  place: (epoch: Epoch) => ListedNode[][],
  seed: number
): Pick<PlacementFigures, 'movedOverOwn' | 'lostOneByOne'> {
  let [epoch, sets] = [first, firstSets]
  let [moved, own, lost] = [0, 0, 0]
  // Ranking anew takes long in a large network, and every step is like the one before it.
  const { length } = first.nodes
  const steps = length > EVEN_UP_TO_NODES ? 1 : Math.min(5, Math.max(1, Math.round(length / 10)))
  for (let step = 0; step < steps; step++) {
    const gone = epoch.nodes[step]!
    const newcomer = nodesOf(seed + 1 + step, 1, 1)[0]!
    const next = followed(epoch, gone, newcomer, hashOf('boundary', step))
    const nextSets = place(next)
    for (const [shard, set] of sets.entries()) {
      own += set.includes(gone) ? 1 : 0
      moved += nextSets[shard]!.filter(node => !set.includes(node)).length
      // Whoever keeps it now has it from one that kept it and is still here.
      if (!set.some(node => node !== gone)) lost += 1
    }
    ;[epoch, sets] = [next, nextSets]
  }
  return { movedOverOwn: moved / own, lostOneByOne: lost }
}

function loseTogether(
  { nodes }: Epoch,
  sets: ListedNode[][],
  share: number,
  draw: () => number
): { chance: number; part: number } {
  let [hit, lostShards] = [0, 0]
  for (let loss = 0; loss < LOSSES; loss++) {
    const lost = new Set<ListedNode>()
    while (lost.size < Math.max(1, Math.round(nodes.length * share)))
      lost.add(nodes[Math.floor(draw() * nodes.length)]!)
    const shards = sets.filter(set => set.every(node => lost.has(node))).length
    hit += shards > 0 ? 1 : 0
    lostShards += shards
  }
  return { chance: rounded(hit / LOSSES), part: lostShards / LOSSES / sets.length }
}

function sharedOperators(seed: number, nodes: number, place: (epoch: Epoch) => ListedNode[][]): number {
  const sets = place(configuredEpoch(0, hashOf('seed', seed), nodesOf(seed, nodes, NODES_PER_OPERATOR)))
  return sets.filter(set => new Set(set.map(({ operator }) => operator.join())).size < set.length).length
}

function followed(
  { nodes, nodeSeeds, number }: Epoch,
  gone: ListedNode,
  newcomer: ListedNode,
  seed: Uint8Array
): Epoch {
  const stays = (index: number): boolean => nodes[index] !== gone
  return {
    number: number + 1,
    seed,
    nodes: [...nodes.filter((_, index) => stays(index)), newcomer],
    nodeSeeds: [...nodeSeeds.filter((_, index) => stays(index)), seed]
  }
}

function nodesOf(seed: number, count: number, perOperator: number): ListedNode[] {
  return Array.from({ length: count }, (_, index) => ({
    key: hashOf('key', seed * 10_000 + index) as NodeKey,
    operator: hashOf('operator', seed * 10_000 + Math.floor(index / perOperator)) as OperatorId,
    url: '',
    link: ''
  }))
}

const nameOf = (set: ListedNode[]): string =>
  set
    .map(({ key }) => key.join())
    .sort()
    .join('|')

function countBy(nodes: ListedNode[]): Map<ListedNode, number> {
  const counts = new Map<ListedNode, number>()
  for (const node of nodes) counts.set(node, (counts.get(node) ?? 0) + 1)
  return counts
}

const hashOf = (what: string, number: number): Uint8Array =>
  crypto.sha256(new TextEncoder().encode(`${what} ${number}`))
const rounded = (value: number): number => Number(value.toPrecision(3))
