import type { Clock, Crypto, SigningKey } from '../../protocol/crypto/crypto.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { NetworkId } from '../../protocol/network.ts'
import {
  custodyLeaf,
  signDenial,
  signReceipt,
  signRefusal,
  type Denial,
  type Receipt,
  type Refusal
} from '../../protocol/wire/custody.ts'
import { expiryProblem, type EnvelopeClass } from '../../protocol/wire/envelope.ts'
import type { DeliveryReference, NodeLinkFrameOf } from '../../protocol/wire/node-frames.ts'
import type { NodeKey } from '../../protocol/wire/placement.ts'
import { checkBatch, type BatchDelivery, type CheckedBatch } from './custody-batch.ts'
import type { CustodyEvents } from './custody-events.ts'
import type { MailboxTokens } from './mailbox-tokens.ts'
import { NodeError } from '../errors.ts'
import type { Verdict } from '../network/gossip.ts'
import type { NetworkView } from '../network/network-view.ts'
import type { LinkNotice } from '../network/node-link.ts'
import type { NodeLinks } from '../network/node-links.ts'
import { originTag, type PendingMessageStore } from '../pending-messages/pending-message-store.ts'
import type { StoreOutcome } from '../pending-messages/store-item.ts'
import type { Entry } from '../pending-messages/pending-records.ts'
import type { Logger } from '../ports.ts'

/** What a replica did with a batch. */
export interface BatchReceipt {
  /** Over all deliveries of the batch but the refused; undefined if all were refused. */
  receipt: Receipt | undefined
  refused: { index: number; refusal: Refusal }[]
}

export interface CustodyReplicaComponents {
  crypto: Crypto
  network: NetworkId
  key: SigningKey
  view: NetworkView
  store: PendingMessageStore
  links: NodeLinks
  clock: Clock
  logger: Logger
  /** Whether the disk has room for more. */
  hasRoom: () => boolean
  events: CustodyEvents
  mailboxTokens: MailboxTokens
}

/**
 * Keeps the shards of this node: stores batches in one fsynced group commit, signs one receipt for each, answers what it
 * holds. It asks nobody and decides nothing about when a message counts as sent.
 */
export class CustodyReplica {
  readonly #components: CustodyReplicaComponents
  readonly #log: Logger
  /** Deliveries stored for the first time, receipts and refusals signed. */
  stored = 0
  receipts = 0
  refusals = 0

  constructor(components: CustodyReplicaComponents) {
    this.#components = components
    this.#log = components.logger.forComponent('volo:custody')
  }

  /** Judges a batch from gossip at once; storing and the receipt follow. */
  async onGossip(data: Uint8Array, shard: number, from: NodeKey): Promise<Verdict> {
    let batch: CheckedBatch
    try {
      batch = await checkBatch(this.#components, data, { shard, from }, deliveries => this.tellArriving(deliveries))
    } catch (error) {
      return error instanceof ProtocolError ? 'reject' : 'ignore'
    }
    this.#storeAndTell(batch).catch((error: Error) => {
      this.#log.warn('a batch could not be stored', { reason: error.message })
    })
    return 'accept'
  }

  async #storeAndTell(batch: CheckedBatch): Promise<void> {
    const answer = await this.accept(batch).then(storedFrame(batch.id), (error: unknown) => {
      if (error instanceof NodeError && error.code === 'busy') return this.#rejected(batch.id, 'busy')
      throw error
    })
    this.#components.links.notify(batch.origin, answer)
  }

  /** Answers a batch that came on a stream. */
  async onBatch(encoded: Uint8Array): Promise<LinkNotice> {
    const batch = await checkBatch(this.#components, encoded).catch((error: unknown) => {
      if (error instanceof ProtocolError) throw new NodeError('malformed', error.message, { cause: error })
      if (error instanceof NodeError && error.code === 'wrong-epoch') return undefined
      throw error
    })
    if (batch === undefined) return this.#rejected(new Uint8Array(32), 'wrong-epoch')
    return this.accept(batch).then(storedFrame(batch.id))
  }

  #rejected(batch: Uint8Array, code: 'busy' | 'wrong-epoch'): LinkNotice {
    return { kind: 'rejected', batch, code, epoch: code === 'wrong-epoch' ? this.#components.view.current : null }
  }

  /**
   * Stores a checked batch and signs for it. Deliveries known here, or already acknowledged, are signed for as well:
   * their sender may stop.
   * @throws NodeError `busy` when the disk is nearly full or too much waits.
   */
  async accept(batch: CheckedBatch): Promise<BatchReceipt> {
    const { store, hasRoom } = this.#components
    if (!hasRoom()) throw new NodeError('busy', 'the disk is nearly full')
    const { good: inTime, refused } = await this.#refuseByTime(batch)
    const { good, classes } = await this.#refuseByProof(batch, inTime, refused)
    const origin = originTag(batch.origin)
    const items = good.map(({ mailbox, delivery }, index) => ({ mailbox, delivery, countsAs: classes[index]!, origin }))
    const outcomes = await store.store(items, outcomes => this.#tellWriting(good, outcomes))
    this.#tellStored(good, outcomes)
    const kept = good.filter((_, index) => isCovered(outcomes[index]!))
    for (const [index, item] of good.entries()) {
      if (!isCovered(outcomes[index]!)) refused.push(await this.#refuse(batch, item, 'mailbox-full'))
    }
    return { receipt: await this.#sign(batch, kept), refused }
  }

  /** Signs for what is held, or once was and was let go of rightly; denies the rest. */
  async onHave(
    frame: Pick<NodeLinkFrameOf<'have'>, 'epoch' | 'shard' | 'deliveries'>
  ): Promise<{ receipt: Receipt | null; denied: { index: number; denial: Denial }[] }> {
    const { view, store } = this.#components
    const epoch = view.epoch(frame.epoch)
    if (epoch === undefined) throw new NodeError('wrong-epoch', `epoch ${frame.epoch} is not in force`)
    if (!view.isReplica(epoch, frame.shard, view.nodeKey))
      throw new NodeError('not-a-replica', 'not a replica of that shard')
    const entries = await store.entries(frame.deliveries)
    const denied: { index: number; denial: Denial }[] = []
    const leaves: Uint8Array[] = []
    for (const [index, reference] of frame.deliveries.entries()) {
      const entry = entries[index]
      if (entry !== undefined && covers(entry, reference)) {
        leaves.push(custodyLeaf(reference.id, reference.mailbox, reference.expiry))
      } else denied.push({ index, denial: await this.#deny(frame.epoch, reference, entry) })
    }
    const { crypto, network, key, clock } = this.#components
    if (leaves.length === 0) return { receipt: null, denied }
    this.receipts += 1
    const fields = { node: view.nodeKey, epoch: frame.epoch, shard: frame.shard, time: clock() }
    return { receipt: await signReceipt(crypto, network, key, fields, leaves), denied }
  }

  async #deny(epoch: number, { mailbox, id, expiry }: DeliveryReference, entry: Entry | undefined): Promise<Denial> {
    const { network, key, view, clock } = this.#components
    const time = clock()
    const reason = entry?.state === 'evicted' ? 'evicted' : expiry < time ? 'expired' : 'unknown'
    return signDenial(network, key, { node: view.nodeKey, epoch, time, mailbox, id, expiry, reason })
  }

  async #refuseByTime(
    batch: CheckedBatch
  ): Promise<{ good: Indexed[]; refused: { index: number; refusal: Refusal }[] }> {
    const now = this.#components.clock()
    const good: Indexed[] = []
    const refused: { index: number; refusal: Refusal }[] = []
    for (const [index, item] of batch.deliveries.entries()) {
      const problem = expiryProblem(item.delivery.expiry, now)
      if (problem === undefined) good.push({ ...item, index })
      else {
        const reason = problem === 'expired' ? 'expired' : 'expiry-too-far'
        refused.push(await this.#refuse(batch, { ...item, index }, reason))
      }
    }
    return { good, refused }
  }

  /** Refuses what carries a proof that does not hold: its sender finds out, and may write as a stranger. */
  async #refuseByProof(
    batch: CheckedBatch,
    items: Indexed[],
    refused: { index: number; refusal: Refusal }[]
  ): Promise<{ good: Indexed[]; classes: EnvelopeClass[] }> {
    const judged = await this.#components.mailboxTokens.judge(items)
    const good: Indexed[] = []
    const classes: EnvelopeClass[] = []
    for (const [index, { isProofWrong, countsAs }] of judged.entries()) {
      const item = items[index]!
      if (isProofWrong) refused.push(await this.#refuse(batch, item, 'proof'))
      else {
        good.push(item)
        classes.push(countsAs)
      }
    }
    return { good, classes }
  }

  async #refuse(
    batch: Pick<CheckedBatch, 'epoch'>,
    { mailbox, delivery, index }: Indexed,
    reason: Refusal['reason']
  ): Promise<{ index: number; refusal: Refusal }> {
    const { network, key, view, clock } = this.#components
    this.refusals += 1
    const fields = { node: view.nodeKey, epoch: batch.epoch, time: clock(), mailbox, id: delivery.id, reason }
    return { index, refusal: await signRefusal(network, key, fields) }
  }

  async #sign(batch: CheckedBatch, kept: BatchDelivery[]): Promise<Receipt | undefined> {
    if (kept.length === 0) return undefined
    const { crypto, network, key, view, clock } = this.#components
    const leaves = kept.map(({ mailbox, delivery }) => custodyLeaf(delivery.id, mailbox, delivery.expiry))
    this.receipts += 1
    const fields = { node: view.nodeKey, epoch: batch.epoch, shard: batch.shard, time: clock() }
    const root = kept.length === batch.deliveries.length ? batch.root?.() : undefined
    return signReceipt(crypto, network, key, fields, leaves, root)
  }

  /**
   * Tells devices attached here of deliveries whose origin is known, whether or not there is room to keep them: other replicas
   * may have some.
   */
  tellArriving(deliveries: BatchDelivery[]): void {
    const { clock, events } = this.#components
    const now = clock()
    for (const { mailbox, delivery } of deliveries) {
      if (expiryProblem(delivery.expiry, now) === undefined) events.onArriving(mailbox, delivery)
    }
  }

  #tellWriting(items: BatchDelivery[], outcomes: StoreOutcome[]): void {
    for (const [index, { mailbox, delivery }] of items.entries()) {
      const outcome = outcomes[index]!
      if (outcome.state === 'stored') this.#components.events.onWriting(mailbox, outcome.sequence, delivery)
    }
  }

  #tellStored(items: BatchDelivery[], outcomes: StoreOutcome[]): void {
    for (const [index, { mailbox, delivery }] of items.entries()) {
      const outcome = outcomes[index]!
      if (outcome.state !== 'stored') continue
      this.stored += 1
      this.#components.events.onStored(mailbox, outcome.sequence, delivery)
    }
  }
}

interface Indexed extends BatchDelivery {
  index: number
}

const isCovered = ({ state }: StoreOutcome): boolean =>
  state === 'stored' || state === 'known' || state === 'acknowledged'

/** What was acknowledged is signed for whatever its expiry: the acknowledgement may have come before the delivery. */
function covers(entry: Entry, asked: DeliveryReference): boolean {
  return entry.state === 'acknowledged' || (entry.state === 'held' && entry.expiry === asked.expiry)
}

const storedFrame =
  (batch: Uint8Array) =>
  ({ receipt, refused }: BatchReceipt): LinkNotice => ({ kind: 'stored', batch, receipt: receipt ?? null, refused })
