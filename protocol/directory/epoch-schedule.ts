/**
 * Which list of nodes is in force at which height: a pure function of the final chain, so that all nodes change over to
 * the same lists at the same blocks, whatever each has seen of the blocks above.
 */
import { equalBytes } from '../bytes.ts'
import type { ChainPlacement } from '../network.ts'
import type { ListedNode } from '../wire/placement.ts'
import type { Directory } from './directory.ts'
import { isSameList, nodeListOf, operatorsOf } from './node-list.ts'

/** A list and the boundary from which it holds; its seed is the hash of the block there. */
export interface ScheduledEpoch {
  /** Which boundary: 0 for the configured list, else height / `epochBlocks`. */
  readonly number: number
  /** Height of the boundary's block. */
  readonly height: number
  readonly nodes: readonly ListedNode[]
  /** For each node the number of the list with which it came, and since which it was in every one. */
  readonly since: readonly number[]
}

/** A list that the chain has made and that is not taken. */
export interface HeldBack {
  readonly operators: number
  /** Operators that it takes. */
  readonly required: number
}

/**
 * Goes through the boundaries, the blocks whose height is a multiple of `epochBlocks`. At each the list of the directory
 * is looked at: if it is another one, a new epoch begins, and the one before holds beside it until the next boundary. A
 * list of fewer operators than the one in force has, and than a shard has replicas, is not taken.
 */
export class EpochSchedule {
  readonly #placement: Pick<ChainPlacement, 'epochBlocks'>
  readonly #replicaCount: number
  #boundary = 0
  #current: ScheduledEpoch
  #previous: ScheduledEpoch | undefined
  #heldBack: HeldBack | undefined

  /** @param configured - the list that holds until the chain makes one. */
  constructor(placement: Pick<ChainPlacement, 'epochBlocks'>, replicaCount: number, configured: readonly ListedNode[]) {
    this.#placement = placement
    this.#replicaCount = replicaCount
    this.#current = { number: 0, height: 0, nodes: configured, since: configured.map(() => 0) }
  }

  /** The last boundary that was passed, as a number of boundaries from the start of the chain. */
  get boundary(): number {
    return this.#boundary
  }

  /** Why the list that the chain made last is not in force; undefined if it is. */
  get heldBack(): HeldBack | undefined {
    return this.#heldBack
  }

  /** Lists in force, oldest first: two from the boundary at which one begins to the next. */
  inForce(): ScheduledEpoch[] {
    const isChanging = this.#previous !== undefined && this.#current.number === this.#boundary
    return isChanging ? [this.#previous!, this.#current] : [this.#current]
  }

  /**
   * Passes every boundary up to a height.
   *
   * @param directory - with all final records up to that height, and none above it.
   */
  reach(directory: Directory, height: number): void {
    const last = Math.floor(height / this.#placement.epochBlocks)
    if (last <= this.#boundary) return
    // Nothing changed since the first boundary that was not passed: the ones after it see the same list.
    this.#look(directory, this.#boundary + 1)
    this.#boundary = last
  }

  #look(directory: Directory, number: number): void {
    const nodes = nodeListOf(directory)
    this.#heldBack = undefined
    if (isSameList(nodes, this.#current.nodes)) return
    const operators = operatorsOf(nodes)
    const required = Math.max(1, Math.min(this.#replicaCount, operatorsOf(this.#current.nodes)))
    if (operators < required) {
      this.#heldBack = { operators, required }
      return
    }
    const since = nodes.map(node => sinceIn(this.#current, node) ?? number)
    this.#previous = this.#current
    this.#current = { number, height: number * this.#placement.epochBlocks, nodes, since }
  }
}

function sinceIn({ nodes, since }: ScheduledEpoch, { key }: ListedNode): number | undefined {
  return since[nodes.findIndex(node => equalBytes(node.key, key))]
}
