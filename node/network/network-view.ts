import { compareBytes, equalBytes } from '../../protocol/bytes.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import type { Genesis, NetworkId } from '../../protocol/network.ts'
import { replicaSet, shardOf, type Epoch, type ListedNode, type NodeKey } from '../../protocol/wire/placement.ts'
import { byteKey } from '../byte-key.ts'
import { NodeError } from '../errors.ts'

/** Mailboxes and accounts whose shard stays in memory; all are forgotten when there are more. */
const MAX_CACHED_SHARDS = 100_000
/** Epochs that can be in force at once: the current one, and the one before while its nodes hand over. */
const MAX_EPOCHS = 2

export interface NetworkViewComponents {
  crypto: Crypto
  network: NetworkId
  genesis: Genesis
  /** This node's own key. */
  nodeKey: NodeKey
}

/**
 * Who is in the network and who keeps what: the epochs in force and the placement they give. Nothing here knows or asks
 * who is reachable; liveness never changes placement.
 */
export class NetworkView {
  readonly nodeKey: NodeKey
  readonly #components: NetworkViewComponents
  readonly #shards = new Map<string, number>()
  readonly #listeners = new Set<() => void>()
  #epochs: Epoch[] = []
  /** List → for each shard, the nodes that keep it. */
  #placements = new Map<Epoch, ListedNode[][]>()
  /** List → for each shard, the lowest shard of the same replica set. */
  #groups = new Map<Epoch, number[]>()
  #kept: number[] | undefined
  #listed = new Map<string, ListedNode>()

  /** @param epochs - oldest first, the last is current; see {@link setEpochs}. */
  constructor(components: NetworkViewComponents, epochs: Epoch[]) {
    this.#components = components
    this.nodeKey = components.nodeKey
    this.setEpochs(epochs)
  }

  /**
   * Puts lists in force; with two, the first is in transition and its replicas still take part in every write.
   * @throws NodeError `refused` unless there are one or two, of rising numbers.
   */
  setEpochs(epochs: Epoch[]): void {
    const rising = epochs.every((epoch, index) => index === 0 || epoch.number > epochs[index - 1]!.number)
    if (epochs.length < 1 || epochs.length > MAX_EPOCHS || !rising) {
      throw new NodeError('refused', `one or two epochs of rising numbers are needed, got ${epochs.length}`)
    }
    this.#epochs = epochs
    // A list that stays keeps its placement: making one takes a second where there are a hundred nodes.
    for (const known of [this.#placements, this.#groups]) {
      for (const epoch of known.keys()) if (!epochs.includes(epoch)) known.delete(epoch)
    }
    this.#kept = undefined
    this.#listed = new Map(epochs.flatMap(epoch => epoch.nodes.map(node => [byteKey(node.key), node])))
    for (const listener of this.#listeners) listener()
  }

  /** Calls back after every change of epochs. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  /** The list in force for new messages. */
  get current(): Epoch {
    return this.#epochs.at(-1)!
  }

  /** All lists in force, oldest first. */
  get epochs(): readonly Epoch[] {
    return this.#epochs
  }

  epoch(number: number): Epoch | undefined {
    return this.#epochs.find(epoch => epoch.number === number)
  }

  /** Every listed node but this one. */
  get others(): ListedNode[] {
    return [...this.#listed.values()].filter(node => !this.isSelf(node.key))
  }

  listed(key: Uint8Array): ListedNode | undefined {
    return this.#listed.get(byteKey(key))
  }

  isSelf(key: Uint8Array): boolean {
    return equalBytes(key, this.nodeKey)
  }

  /** Whether this node is the one of a pair that dials and opens the stream. */
  isDialer(other: NodeKey): boolean {
    return compareBytes(this.nodeKey, other) < 0
  }

  /** How many different operators the current list names. */
  get operatorCount(): number {
    return new Set(this.current.nodes.map(node => byteKey(node.operator))).size
  }

  get shardCount(): number {
    return this.#components.genesis.shardCount
  }

  /** Shard of a mailbox or account. */
  shardOf(id: Uint8Array): number {
    const key = byteKey(id)
    const known = this.#shards.get(key)
    if (known !== undefined) return known
    const { crypto, network, genesis } = this.#components
    const shard = shardOf(crypto, network, genesis, id)
    if (this.#shards.size >= MAX_CACHED_SHARDS) this.#shards.clear()
    this.#shards.set(key, shard)
    return shard
  }

  /** The nodes that keep a shard in an epoch. */
  replicas(epoch: Epoch, shard: number): ListedNode[] {
    let placement = this.#placements.get(epoch)
    if (!placement) this.#placements.set(epoch, (placement = []))
    const { crypto, network, genesis } = this.#components
    return (placement[shard] ??= replicaSet(crypto, network, genesis, epoch, shard))
  }

  /** The lowest shard of the same replica set: it stands for all of them, whose messages travel in one batch. */
  groupOf(epoch: Epoch, shard: number): number {
    return this.#groupsOf(epoch)[shard]!
  }

  /** The shards that stand for the replica sets of all lists in force. */
  groups(): number[] {
    return [...new Set(this.#epochs.flatMap(epoch => this.#groupsOf(epoch)))]
  }

  /** Those among them that this node keeps in any list: batches for it come on their topics. */
  keptGroups(): number[] {
    return this.groups().filter(shard => this.keeps(shard))
  }

  #groupsOf(epoch: Epoch): number[] {
    const known = this.#groups.get(epoch)
    if (known) return known
    const first = new Map<string, number>()
    const groups = Array.from({ length: this.shardCount }, (_, shard) => {
      const keys = this.replicas(epoch, shard).map(({ key }) => byteKey(key))
      const set = keys.sort().join('')
      if (!first.has(set)) first.set(set, shard)
      return first.get(set)!
    })
    this.#groups.set(epoch, groups)
    return groups
  }

  isReplica(epoch: Epoch, shard: number, key: Uint8Array): boolean {
    return this.replicas(epoch, shard).some(node => equalBytes(node.key, key))
  }

  /** Whether this node keeps a shard in any epoch in force. */
  keeps(shard: number): boolean {
    return this.#epochs.some(epoch => this.isReplica(epoch, shard, this.nodeKey))
  }

  /** Every node that keeps a shard in any epoch in force, without this one. */
  otherReplicas(shard: number): ListedNode[] {
    const found = new Map<string, ListedNode>()
    for (const epoch of this.#epochs) {
      for (const node of this.replicas(epoch, shard)) if (!this.isSelf(node.key)) found.set(byteKey(node.key), node)
    }
    return [...found.values()]
  }

  /** Shards that this node keeps in any epoch in force. */
  keptShards(): readonly number[] {
    this.#kept ??= Array.from({ length: this.shardCount }, (_, shard) => shard).filter(shard => this.keeps(shard))
    return this.#kept
  }
}
