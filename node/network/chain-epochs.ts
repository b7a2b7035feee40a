/**
 * Brings the lists of nodes that the chain makes into force: the schedule says which ones hold, this part finds their
 * seeds, keeps them on disk, and hands them to the network. A node that starts goes on with the lists of its last run.
 */
import type { Block } from '../../chain/source/chain-source.ts'
import { SYNCED, type ChainStore } from '../../chain/chain-store.ts'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { decode, encode } from '../../protocol/codec.ts'
import type { Directory } from '../../protocol/directory/directory.ts'
import { EpochSchedule, type ScheduledEpoch } from '../../protocol/directory/epoch-schedule.ts'
import { isSameList } from '../../protocol/directory/node-list.ts'
import { SerialQueue } from '../../protocol/serial-queue.ts'
import type { ChainPlacement, Genesis, NetworkId } from '../../protocol/network.ts'
import { epochCodec, type Epoch, type ListedNode } from '../../protocol/wire/placement.ts'
import type { FinalWatcher } from '../key-directory/key-directory.ts'
import type { Logger, MetricSample, ReadinessReason } from '../ports.ts'

const MAX_EPOCH_BYTES = 1024 * 1024

export interface ChainEpochsComponents {
  logger: Logger
  store: ChainStore
}

export interface ChainEpochsInit {
  network: NetworkId
  genesis: Pick<Genesis, 'replicaCount'>
  placement: ChainPlacement
  /** Epoch 0, from the network file. */
  configured: Epoch
}

/** Opens the lists of nodes from the chain, if genesis says that they come from there. */
export async function openEpochs(
  components: ChainEpochsComponents,
  { network, genesis, configured }: { network: NetworkId; genesis: Genesis; configured: Epoch }
): Promise<ChainEpochs | undefined> {
  const { placement } = genesis
  return placement && ChainEpochs.open(components, { network, genesis, placement, configured })
}

/** The parts that {@link ChainEpochs.settle} needs, which are built after it. */
export interface EpochUser {
  /** The block at a height, on the chain as it is now. */
  blockAt(height: number): Promise<Block | undefined>
  /** Puts lists in force, oldest first. */
  setEpochs(epochs: Epoch[]): void
}

interface Stored {
  boundary: number
  epochs: string[]
}

export class ChainEpochs implements FinalWatcher {
  readonly #log: Logger
  readonly #store: ChainStore
  readonly #key: string
  readonly #configured: Epoch
  readonly #schedule: EpochSchedule
  readonly #placement: ChainPlacement
  #epochs: Epoch[]
  #boundary = 0
  /** Two blocks may come while a seed is asked for: the older lists must not end up in force. */
  readonly #turns = new SerialQueue()
  #problem: string | undefined

  private constructor({ logger, store }: ChainEpochsComponents, init: ChainEpochsInit) {
    const { network, genesis, placement, configured } = init
    this.#log = logger.forComponent('volo:chain-epochs')
    this.#store = store
    this.#key = `in-force/${toHex(network)}`
    this.#configured = configured
    this.#placement = placement
    this.#schedule = new EpochSchedule(placement, genesis.replicaCount, configured.nodes)
    this.#epochs = [configured]
  }

  /** Reads which lists were in force when the node stopped; at the first start it is the configured one. */
  static async open(components: ChainEpochsComponents, init: ChainEpochsInit): Promise<ChainEpochs> {
    const epochs = new ChainEpochs(components, init)
    const text = await epochs.#store.get(epochs.#key)
    if (text !== undefined) {
      const stored = JSON.parse(text) as Stored
      epochs.#boundary = stored.boundary
      epochs.#epochs = stored.epochs.map(hex => decode(epochCodec, fromHex(hex), { maxBytes: MAX_EPOCH_BYTES }))
    }
    // The configured list comes with today's addresses.
    epochs.#epochs = epochs.#epochs.map(epoch => (epoch.number === 0 ? init.configured : epoch))
    return epochs
  }

  /** Lists in force, oldest first. */
  get inForce(): Epoch[] {
    return this.#epochs
  }

  /** Height of an epoch's boundary. */
  heightOf(epoch: Pick<Epoch, 'number'>): number {
    return epoch.number * this.#placement.epochBlocks
  }

  reach(directory: Directory, height: number): void {
    this.#schedule.reach(directory, height)
  }

  /**
   * Brings into force what the schedule has come to; to be called once the final log is whole. Never rejects: a seed that
   * cannot be read is told by {@link warnings} and asked for again the next time.
   */
  settle(user: EpochUser): Promise<void> {
    return this.#turns.run(() => this.#settle(user))
  }

  async #settle(user: EpochUser): Promise<void> {
    const { boundary } = this.#schedule
    // A source that is behind: what was in force stays.
    if (boundary < this.#boundary) return
    try {
      const scheduled = this.#schedule.inForce()
      const epochs = await Promise.all(scheduled.map(epoch => this.#withSeeds(epoch, user)))
      this.#problem = undefined
      const isSame = numbersOf(epochs) === numbersOf(this.#epochs)
      // That of these lists: the schedule may have gone on while a seed was asked for.
      this.#boundary = boundary
      if (isSame) return
      const stored: Stored = { boundary: this.#boundary, epochs: epochs.map(epoch => toHex(encode(epochCodec, epoch))) }
      await this.#store.put(this.#key, JSON.stringify(stored), SYNCED)
      this.#epochs = epochs
      user.setEpochs(epochs)
      const current = epochs.at(-1)!
      this.#log.info('lists of nodes in force', { epochs: numbersOf(epochs), nodes: current.nodes.length })
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error)
      this.#log.warn('the next list of nodes could not be put in force', { reason: this.#problem })
    }
  }

  /** What an operator should look at. */
  warnings(): ReadinessReason[] {
    const warnings: ReadinessReason[] = []
    const held = this.#schedule.heldBack
    if (held) {
      const message = `The chain lists nodes of ${held.operators} operators and ${held.required} are needed: the list in force stays. Operators announce nodes with "volo-node announce".`
      warnings.push({ code: 'list-held-back', message })
    }
    if (this.#problem) {
      const message = `The next list of nodes could not be put in force: ${this.#problem}. It is tried again with the next block.`
      warnings.push({ code: 'list-delayed', message })
    }
    return warnings
  }

  metrics(): MetricSample[] {
    const gauge = (name: string, help: string, value: number): MetricSample => ({ name, help, type: 'gauge', value })
    const isHeld = this.#schedule.heldBack !== undefined || this.#problem !== undefined
    return [
      gauge(
        'volo_placement_boundary',
        'Boundaries of the chain at which lists of nodes were looked at',
        this.#boundary
      ),
      gauge('volo_placement_lists', 'Lists of nodes in force: 2 while one follows another', this.#epochs.length),
      gauge('volo_placement_held_back', 'Whether the list that the chain made last is not in force', isHeld ? 1 : 0)
    ]
  }

  async #withSeeds({ number, nodes, since }: ScheduledEpoch, user: EpochUser): Promise<Epoch> {
    if (number === 0) return this.#configured
    const known = this.#epochs.find(epoch => epoch.number === number && isSameList(epoch.nodes, nodes))
    if (known) return known
    const seeds = new Map<number, Uint8Array>()
    for (const list of new Set([number, ...since])) seeds.set(list, await this.#seedOf(list, user))
    const nodeSeeds = since.map(list => seeds.get(list)!)
    return { number, seed: seeds.get(number)!, nodes: nodes as ListedNode[], nodeSeeds }
  }

  async #seedOf(number: number, user: EpochUser): Promise<Uint8Array> {
    const known = this.#epochs.find(epoch => epoch.number === number)
    if (known) return known.seed
    if (number === 0) return this.#configured.seed
    const height = this.heightOf({ number })
    const block = await user.blockAt(height)
    if (block?.height !== height) throw new Error(`the chain source has no block of height ${height}`)
    return fromHex(block.hash)
  }
}

const numbersOf = (epochs: readonly Epoch[]): string => epochs.map(({ number }) => number).join(' ')
