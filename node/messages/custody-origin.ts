import { byteKey } from '../byte-key.ts'
import { equalBytes } from '../../protocol/bytes.ts'
import type { Clock, Crypto, SigningKey } from '../../protocol/crypto/crypto.ts'
import { RECEIPTS_REQUIRED } from '../../protocol/limits.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { verifyReceipt, verifyRefusal, type Receipt, type Refusal } from '../../protocol/wire/custody.ts'
import {
  encodeBatch,
  MAX_ASKED_DELIVERIES,
  shardTopic,
  signBatch,
  type NodeLinkFrameOf
} from '../../protocol/wire/node-frames.ts'
import { receiptsRequired, type Epoch, type ListedNode, type NodeKey } from '../../protocol/wire/placement.ts'
import {
  localBatchId,
  progressOf,
  treeOf,
  type BatchInFlight,
  type CustodyRequest,
  type CustodyResult,
  type Progress,
  type ShardEnvelope
} from './batch-in-flight.ts'
import type { CustodyReplica } from './custody-replica.ts'
import { NodeError } from '../errors.ts'
import type { Gossip } from '../network/gossip.ts'
import type { NetworkView } from '../network/network-view.ts'
import type { NodeLinks } from '../network/node-links.ts'
import type { Logger } from '../ports.ts'

/** Replicas that have not answered are asked on the stream after these waits, in turn. */
const ASK_AFTER_MS = [500, 1_000, 2_000, 4_000, 6_000]
/** By then every delivery has its result. */
export const CUSTODY_DEADLINE_MS = 8_000
/** How often batches on their way are looked at: one timer for all costs less than six for each. */
const LOOK_INTERVAL_MS = 100
/** Batches whose senders wait; beyond it clients are told to come back. */
const MAX_UNSETTLED_BATCHES = 4_096
/**
 * Batches whose senders have their answer, and that a slow replica still lacks. Past it the oldest are left to that replica's
 * repair: a replica that never answers must not take room from those whose senders wait.
 */
export const MAX_FOLLOWED_BATCHES = 512

export interface CustodyOriginComponents {
  crypto: Crypto
  network: NetworkId
  key: SigningKey
  view: NetworkView
  gossip: Gossip
  links: NodeLinks
  replica: CustodyReplica
  clock: Clock
  /** Milliseconds of a clock that never goes back. */
  now: () => number
  logger: Logger
}

/**
 * Brings batches to the replicas of their shard and collects receipts: gossip first, then, for those that did not answer,
 * the question "have you got these?" and the batch itself on the stream. It keeps nothing: what was not settled when the
 * node ends, the client sends again.
 */
export class CustodyOrigin {
  readonly #components: CustodyOriginComponents
  readonly #log: Logger
  readonly #inFlight = new Map<string, BatchInFlight>()
  /** Settled ones among them, the oldest first. */
  readonly #followed = new Set<BatchInFlight>()
  #localIds = 0
  #timer: NodeJS.Timeout | undefined
  /** Batches sent, those that needed the stream, and receipts that did not verify. */
  batches = 0
  repaired = 0
  badReceipts = 0

  constructor(components: CustodyOriginComponents) {
    this.#components = components
    this.#log = components.logger.forComponent('volo:custody')
  }

  /** Batches that are on their way, also those of which only a replica that is away has not heard. */
  get size(): number {
    return this.#inFlight.size
  }

  /** Batches whose senders still wait. */
  unsettledCount = 0

  start(): void {
    this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS)
  }

  /** Settles everything as it stands. */
  stop(): void {
    clearInterval(this.#timer)
    for (const batch of this.#inFlight.values()) this.#finish(batch)
  }

  /** Hands over envelopes of one shard. Each delivery is settled within {@link CUSTODY_DEADLINE_MS}; never throws. */
  async send(epoch: Epoch, shard: number, envelopes: ShardEnvelope[]): Promise<void> {
    const requests = envelopes.flatMap(envelope => envelope.requests)
    if (this.unsettledCount >= MAX_UNSETTLED_BATCHES) {
      for (const request of requests) request.settle({ state: 'waiting', receipts: [] })
      return
    }
    this.#components.replica.tellArriving(requests)
    try {
      const batch = await this.#open(epoch, shard, envelopes, requests)
      this.batches += 1
      if (batch.replicas.some(node => this.#components.view.isSelf(node.key))) void this.#keepHere(batch)
      if (batch.encoded !== undefined) await this.#publish(batch, batch.encoded)
    } catch (error) {
      this.#log.error('a batch could not be made', { reason: (error as Error).message })
      for (const request of requests) request.settle({ state: 'waiting', receipts: [] })
    }
  }

  /** Takes what a replica says about a batch. */
  async onStored(frame: NodeLinkFrameOf<'stored'>, from: NodeKey): Promise<void> {
    const batch = this.#inFlight.get(byteKey(frame.batch))
    const node = batch?.replicas.find(replica => equalBytes(replica.key, from))
    if (batch === undefined || node === undefined || batch.answered.has(byteKey(from))) return
    const refused = new Map(frame.refused.map(({ index, refusal }) => [index, refusal]))
    const covered = batch.items.filter((_, index) => !refused.has(index))
    if (frame.receipt !== null && !(await this.#acceptReceipt(batch, node, frame.receipt, covered))) return
    if (frame.receipt === null && covered.length > 0) return
    for (const [index, refusal] of refused) await this.#acceptRefusal(batch, node, batch.items[index], refusal)
    this.#answered(batch, node)
  }

  async #open(
    epoch: Epoch,
    shard: number,
    envelopes: ShardEnvelope[],
    requests: CustodyRequest[]
  ): Promise<BatchInFlight> {
    const { crypto, network, key, view, clock, now } = this.#components
    const replicas = view.replicas(epoch, shard)
    const fields = {
      origin: view.nodeKey,
      epoch: epoch.number,
      shard,
      time: clock(),
      envelopes: envelopes.map(e => e.encoded)
    }
    const isAlone = replicas.length === 1 && view.isSelf(replicas[0]!.key)
    const signed = isAlone ? undefined : await signBatch(crypto, network, key, fields)
    const id = signed?.id ?? localBatchId(++this.#localIds)
    const items = requests.map(progressOf)
    const batch: BatchInFlight = {
      id,
      epoch,
      shard,
      replicas,
      required: receiptsRequired(replicas, RECEIPTS_REQUIRED),
      items,
      encoded: signed && encodeBatch(signed.batch),
      answered: new Set(),
      unsettled: items.length,
      sentAt: now(),
      asked: 0,
      tree: undefined
    }
    this.#inFlight.set(byteKey(id), batch)
    this.unsettledCount += 1
    return batch
  }

  /** Asks replicas that are due to be asked, and ends what is past its deadline. */
  #look(): void {
    const now = this.#components.now()
    for (const batch of this.#inFlight.values()) {
      const age = now - batch.sentAt
      if (age >= CUSTODY_DEADLINE_MS) this.#finish(batch)
      else if (age >= (ASK_AFTER_MS[batch.asked] ?? Infinity)) {
        batch.asked += 1
        this.#askMissing(batch)
      }
    }
  }

  async #keepHere(batch: BatchInFlight): Promise<void> {
    const { replica, view } = this.#components
    const self = view.listed(view.nodeKey)!
    try {
      const { receipt, refused } = await replica.accept({
        id: batch.id,
        origin: view.nodeKey,
        epoch: batch.epoch.number,
        shard: batch.shard,
        deliveries: batch.items,
        // Not now: it would keep the batch from leaving.
        root: () => treeOf(this.#components.crypto, batch, batch.items).root
      })
      const indexes = new Set(refused.map(({ index }) => index))
      const covered = batch.items.filter((_, index) => !indexes.has(index))
      if (receipt) this.#record(batch, self, receipt, covered)
      for (const { index, refusal } of refused) this.#recordRefusal(batch, self, batch.items[index]!, refusal)
      this.#answered(batch, self)
    } catch (error) {
      // Nowhere else to go: the client is told to wait now, not at the deadline.
      if (batch.replicas.length === 1) this.#finish(batch)
      this.#log.warn('a batch could not be kept here', { reason: (error as Error).message })
    }
  }

  async #publish(batch: BatchInFlight, encoded: Uint8Array): Promise<void> {
    const { gossip, links, view } = this.#components
    let reached = new Set<string>()
    try {
      reached = await gossip.publish(shardTopic(batch.shard), encoded)
    } catch (error) {
      this.#log.warn('a batch could not be published', { reason: (error as Error).message })
    }
    // Who is not even among the recipients need not be waited for.
    for (const node of batch.replicas) {
      if (!view.isSelf(node.key) && !reached.has(byteKey(node.key)) && links.isUp(node.key))
        void this.#sendDirectly(batch, node)
    }
  }

  #askMissing(batch: BatchInFlight): void {
    const { links, view } = this.#components
    for (const node of batch.replicas) {
      const missing = !view.isSelf(node.key) && !batch.answered.has(byteKey(node.key))
      if (missing && links.isUp(node.key)) void this.#ask(batch, node)
    }
  }

  /** Asks a silent replica what it holds, and sends it the batch if it lacks anything. */
  async #ask(batch: BatchInFlight, node: ListedNode): Promise<void> {
    this.repaired += 1
    try {
      let complete = true
      for (let from = 0; from < batch.items.length; from += MAX_ASKED_DELIVERIES) {
        const asked = batch.items.slice(from, from + MAX_ASKED_DELIVERIES)
        complete = (await this.#askSome(batch, node, asked)) && complete
      }
      if (complete) this.#answered(batch, node)
      else await this.#sendDirectly(batch, node)
    } catch (error) {
      this.#log.debug('a replica did not answer', { node: node.url, reason: (error as Error).message })
    }
  }

  async #askSome(batch: BatchInFlight, node: ListedNode, asked: Progress[]): Promise<boolean> {
    const answer = await this.#components.links.request<'have'>(node.key, {
      kind: 'have',
      epoch: batch.epoch.number,
      shard: batch.shard,
      deliveries: asked.map(({ mailbox, delivery: { id, expiry } }) => ({ mailbox, id, expiry }))
    })
    const denied = new Set(answer.denied.map(({ index }) => index))
    const covered = asked.filter((_, index) => !denied.has(index))
    if (answer.receipt === null) return asked.length === 0
    return (await this.#acceptReceipt(batch, node, answer.receipt, covered)) && denied.size === 0
  }

  async #sendDirectly(batch: BatchInFlight, node: ListedNode): Promise<void> {
    try {
      const answer = await this.#components.links.request<'batch'>(node.key, { kind: 'batch', batch: batch.encoded! })
      if (answer.kind === 'stored') await this.onStored(answer, node.key)
    } catch (error) {
      const reason = error instanceof NodeError ? error.code : String(error)
      this.#log.debug('a batch could not be handed over', { node: node.url, reason })
    }
  }

  /** Checks a receipt against what it must cover. */
  async #acceptReceipt(
    batch: BatchInFlight,
    node: ListedNode,
    receipt: Receipt,
    covered: Progress[]
  ): Promise<boolean> {
    const { crypto, network } = this.#components
    const matches =
      equalBytes(receipt.node, node.key) &&
      receipt.epoch === batch.epoch.number &&
      receipt.shard === batch.shard &&
      receipt.count === covered.length &&
      equalBytes(receipt.root, treeOf(this.#components.crypto, batch, covered).root)
    if (!matches || !(await verifyReceipt(crypto, network, receipt))) {
      this.badReceipts += 1
      this.#log.error('a replica gave a receipt that does not verify', { node: node.url })
      return false
    }
    this.#record(batch, node, receipt, covered)
    return true
  }

  #record(batch: BatchInFlight, node: ListedNode, receipt: Receipt, covered: Progress[]): void {
    const { paths } = treeOf(this.#components.crypto, batch, covered)
    const operator = byteKey(node.operator)
    for (const [index, item] of covered.entries()) {
      // Two nodes of one operator count as one, whatever the placement says.
      if (!item.receipts.has(operator)) item.receipts.set(operator, { receipt, index, path: paths[index]! })
      if (!item.isSettled && item.receipts.size >= batch.required)
        this.#settle(batch, item, { state: 'stored', receipts: [] })
    }
  }

  async #acceptRefusal(
    batch: BatchInFlight,
    node: ListedNode,
    item: Progress | undefined,
    refusal: Refusal
  ): Promise<void> {
    const { crypto, network } = this.#components
    const matches =
      item !== undefined &&
      equalBytes(refusal.node, node.key) &&
      equalBytes(refusal.id, item.delivery.id) &&
      equalBytes(refusal.mailbox, item.mailbox)
    if (matches && (await verifyRefusal(crypto, network, refusal))) this.#recordRefusal(batch, node, item, refusal)
  }

  #recordRefusal(batch: BatchInFlight, node: ListedNode, item: Progress, refusal: Refusal): void {
    item.refusals.set(byteKey(node.operator), refusal)
    // Refused for good once the others cannot make up the number.
    if (!item.isSettled && batch.replicas.length - item.refusals.size < batch.required) {
      this.#settle(batch, item, { state: 'refused', receipts: [], refusal })
    }
  }

  #settle(batch: BatchInFlight, item: Progress, result: CustodyResult): void {
    item.isSettled = true
    batch.unsettled -= 1
    item.settle({ ...result, receipts: [...item.receipts.values()] })
    if (batch.unsettled > 0) return
    this.unsettledCount -= 1
    this.#closeIfDone(batch)
  }

  #answered(batch: BatchInFlight, node: ListedNode): void {
    batch.answered.add(byteKey(node.key))
    this.#closeIfDone(batch)
  }

  /** A batch is followed until every replica that can be reached has it, also when its senders have long been told. */
  #closeIfDone(batch: BatchInFlight): void {
    if (batch.unsettled > 0) return
    const { links, view } = this.#components
    // A replica without a link is not waited for: it repairs itself when it is back.
    const isAwaited = ({ key }: ListedNode): boolean =>
      !batch.answered.has(byteKey(key)) && (view.isSelf(key) || links.isUp(key))
    if (!batch.replicas.some(isAwaited)) return this.#finish(batch)
    this.#followed.add(batch)
    if (this.#followed.size > MAX_FOLLOWED_BATCHES) this.#finish(this.#followed.values().next().value!)
  }

  #finish(batch: BatchInFlight): void {
    this.#followed.delete(batch)
    if (!this.#inFlight.delete(byteKey(batch.id)) || batch.unsettled === 0) return
    this.unsettledCount -= 1
    for (const item of batch.items) {
      if (item.isSettled) continue
      item.isSettled = true
      item.settle({ state: 'waiting', receipts: [...item.receipts.values()] })
    }
  }
}
