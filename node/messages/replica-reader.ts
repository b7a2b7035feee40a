import type { Crypto } from '../../protocol/crypto/crypto.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import { MAX_MAILBOX_ENVELOPES } from '../../protocol/limits.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { expiryProblem, isDeliveryIntact, type Delivery, type DeliveryId } from '../../protocol/wire/envelope.ts'
import { MAX_FETCHED_DELIVERIES, MAX_PAGE_ENTRIES } from '../../protocol/wire/node-frames.ts'
import type { ListedNode } from '../../protocol/wire/placement.ts'
import { byteKey } from '../byte-key.ts'
import { NodeError } from '../errors.ts'
import type { CustodyEvents } from './custody-events.ts'
import type { MailboxTokens } from './mailbox-tokens.ts'
import type { NodeLinks } from '../network/node-links.ts'
import { originTag, type PendingMessageStore } from '../pending-messages/pending-message-store.ts'

export interface ReplicaReaderComponents {
  crypto: Crypto
  network: NetworkId
  store: PendingMessageStore
  links: NodeLinks
  clock: () => number
  /** Whether the disk has room for more. */
  hasRoom: () => boolean
  events: Pick<CustodyEvents, 'onStored'>
  mailboxTokens: MailboxTokens
}

/** What one question for news brought. */
export interface NewsResult {
  mailbox: DeviceId
  next: number
}

/** Questions in a row for one mailbox's ids: far above what a full mailbox needs. */
const MAX_ROUNDS = (4 * MAX_MAILBOX_ENVELOPES) / MAX_PAGE_ENTRIES

/**
 * Brings from another replica what is missing here. Whatever comes is checked against its id before it is kept, was asked
 * for by mailbox and id, and counts against the replica that brings it: anybody can make up a delivery with a true id, and
 * a replica cannot show who made it. While the disk is nearly full nothing is fetched: it is as unknown here afterwards as
 * it was before, and comes later.
 */
export class ReplicaReader {
  readonly #components: ReplicaReaderComponents
  /** Deliveries that came this way. */
  fetched = 0

  constructor(components: ReplicaReaderComponents) {
    this.#components = components
  }

  /** Whether anything is fetched at the moment. */
  get hasRoom(): boolean {
    return this.#components.hasRoom()
  }

  /**
   * Asks what came for mailboxes since the given sequences of that node, and fetches what is unknown here.
   * @returns where to go on, for mailboxes with news that was fetched; none while the disk is nearly full.
   */
  async pullNews(node: ListedNode, asked: { mailbox: DeviceId; after: number }[]): Promise<NewsResult[]> {
    const { links } = this.#components
    const results: NewsResult[] = []
    if (!this.hasRoom) return results
    for (let from = 0; from < asked.length; from += MAX_PAGE_ENTRIES) {
      let open = asked.slice(from, from + MAX_PAGE_ENTRIES)
      for (let round = 0; open.length > 0 && round < MAX_ROUNDS; round++) {
        const answer = await links.request<'news'>(node.key, { kind: 'news', mailboxes: open })
        requireAsked(open, answer.mailboxes)
        for (const { mailbox, next, ids } of answer.mailboxes) {
          await this.fetchUnknown(node, mailbox, ids)
          // Who went on from here would never ask for what was left out.
          if (!this.hasRoom) return results
          results.push({ mailbox, next })
        }
        // An answer is bounded as a whole: what had news may have more, and what had none may have been left out.
        const total = answer.mailboxes.reduce((sum, { ids }) => sum + ids.length, 0)
        if (total < MAX_PAGE_ENTRIES) break
        const next = new Map(results.map(result => [byteKey(result.mailbox), result.next]))
        open = open.map(({ mailbox, after }) => ({ mailbox, after: next.get(byteKey(mailbox)) ?? after }))
      }
    }
    return results
  }

  /**
   * Fetches and stores the unknown ones among some ids, while there is room on the disk, and in the mailbox for what this
   * replica brings.
   * @returns how many were stored.
   */
  async fetchUnknown(node: ListedNode, mailbox: DeviceId, ids: DeliveryId[]): Promise<number> {
    const { store } = this.#components
    const entries = await store.entries(ids.map(id => ({ mailbox, id })))
    let wanted = ids.filter((_, index) => entries[index] === undefined)
    let stored = 0
    while (wanted.length > 0 && this.hasRoom) {
      const asked = wanted.slice(0, MAX_FETCHED_DELIVERIES)
      const { deliveries } = await this.#components.links.request<'fetch'>(node.key, {
        kind: 'fetch',
        mailbox,
        ids: asked
      })
      if (deliveries.length === 0) wanted = wanted.slice(asked.length)
      else {
        const kept = await this.#keep(node, mailbox, deliveries, asked)
        stored += kept.stored
        if (kept.isFull) return stored
        const came = new Set(deliveries.map(delivery => byteKey(delivery.id)))
        const left = wanted.filter(id => !came.has(byteKey(id)))
        // A node that sends what was not asked for would keep this going for ever.
        wanted = left.length < wanted.length ? left : wanted.slice(asked.length)
      }
    }
    return stored
  }

  async #keep(
    node: ListedNode,
    mailbox: DeviceId,
    deliveries: Delivery[],
    asked: DeliveryId[]
  ): Promise<{ stored: number; isFull: boolean }> {
    const { crypto, network, store, clock, events } = this.#components
    const ids = new Set(asked.map(id => byteKey(id)))
    const good = deliveries.filter(
      delivery =>
        ids.has(byteKey(delivery.id)) &&
        expiryProblem(delivery.expiry, clock()) === undefined &&
        isDeliveryIntact(crypto, network, mailbox, delivery)
    )
    const judged = await this.#components.mailboxTokens.judge(good.map(delivery => ({ mailbox, delivery })))
    const brought = { mailbox, origin: originTag(node.key), isBrought: true }
    const outcomes = await store.store(
      good.map((delivery, index) => ({ ...brought, delivery, countsAs: judged[index]!.countsAs }))
    )
    let stored = 0
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.state !== 'stored') continue
      stored += 1
      events.onStored(mailbox, outcome.sequence, good[index]!)
    }
    this.fetched += stored
    return { stored, isFull: outcomes.some(({ state }) => state === 'full') }
  }
}

/** @throws NodeError `malformed` if an answer names a mailbox that was not asked for, or one twice. */
function requireAsked(asked: { mailbox: DeviceId }[], answered: { mailbox: DeviceId }[]): void {
  const open = new Set(asked.map(({ mailbox }) => byteKey(mailbox)))
  for (const { mailbox } of answered) {
    if (!open.delete(byteKey(mailbox)))
      throw new NodeError('malformed', 'the answer names a mailbox that was not asked for')
  }
}
