import { compareBytes, equalBytes } from '../../protocol/bytes.ts'
import type { Clock, Crypto } from '../../protocol/crypto/crypto.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { NetworkId } from '../../protocol/network.ts'
import type { DeliveryId } from '../../protocol/wire/envelope.ts'
import { MAX_ASKED_DELIVERIES, MAX_ASKED_SHARDS, type NodeLinkFrameOf } from '../../protocol/wire/node-frames.ts'
import type { ListedNode } from '../../protocol/wire/placement.ts'
import { byteKey } from '../byte-key.ts'
import { NodeError } from '../errors.ts'
import type { MessageDeliveryService } from '../messages/message-delivery-service.ts'
import type { NetworkView } from '../network/network-view.ts'
import type { NodeLinks } from '../network/node-links.ts'
import type { PendingMessageStore } from '../pending-messages/pending-message-store.ts'
import type { Logger } from '../ports.ts'
import type { ReplicaReader } from '../messages/replica-reader.ts'
import { isGenuineEviction } from './replica-server.ts'
import type { TokenReplication } from './token-replication.ts'

/** Replicas compare what they hold this often. */
export const REPAIR_INTERVAL_MS = 30_000
/** After a link came up, so that a restarted node has answered its clients first. */
const AFTER_LINK_MS = 200
/** Mailboxes of one node whose differences are followed in one round; the next round goes on. */
const MAX_FOLLOWED = 2_000
/** Pages of one mailbox's ids: far above what a full mailbox has, tombstones of a month included. */
const MAX_PAGES = 128
/** Differences remembered as looked at and beyond mending, such as an eviction that is not followed. */
const MAX_SETTLED = 50_000

export interface RepairServiceComponents {
  crypto: Crypto
  network: NetworkId
  view: NetworkView
  store: PendingMessageStore
  links: NodeLinks
  reader: ReplicaReader
  delivery: MessageDeliveryService
  tokens: TokenReplication
  clock: Clock
  logger: Logger
}

/** What one round with one node did. */
interface Round {
  mailboxes: number
  fetched: number
  removed: number
}

/**
 * Makes replicas of a shard equal again: compares a digest per mailbox, and where it differs fetches what is held there
 * and the signed reason for what is gone there. Each node mends itself only, so two nodes that run this converge.
 */
export class RepairService {
  readonly #components: RepairServiceComponents
  readonly #log: Logger
  readonly #running = new Set<string>()
  readonly #again = new Set<string>()
  readonly #delays = new Map<string, NodeJS.Timeout>()
  /** node, mailbox → both digests, when nothing could be mended. */
  readonly #settled = new Map<string, string>()
  /** node → shard → mailboxes that differed when the shard was compared last. */
  readonly #backlog = new Map<string, Map<number, number>>()
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  /** Rounds done, and mailboxes that differed. */
  rounds = 0
  differences = 0

  constructor(components: RepairServiceComponents) {
    this.#components = components
    this.#log = components.logger.forComponent('volo:repair')
  }

  start(): void {
    const { links, view } = this.#components
    this.#stopped = false
    links.onUp(node => this.#soon(node))
    view.onChange(() => this.#everybody())
    this.#timer = setInterval(() => this.#everybody(), REPAIR_INTERVAL_MS)
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#timer)
    for (const timer of this.#delays.values()) clearTimeout(timer)
    this.#delays.clear()
  }

  /** Mailboxes of a shard that differed from any replica when they were compared last; null before the first time. */
  backlogOf(shard: number): number | null {
    const { view } = this.#components
    const others = view.otherReplicas(shard)
    if (others.length === 0) return 0
    const counts = others
      .map(node => this.#backlog.get(byteKey(node.key))?.get(shard))
      .filter(count => count !== undefined)
    return counts.length === 0 ? null : Math.max(...counts)
  }

  /** The sum of {@link backlogOf} of the shards that are kept here. */
  get backlog(): number {
    return this.#components.view.keptShards().reduce((sum, shard) => sum + (this.backlogOf(shard) ?? 0), 0)
  }

  /** Fetches deliveries whose bytes were broken here. */
  async fetchAgain(mailbox: DeviceId, ids: DeliveryId[]): Promise<void> {
    const { view, reader } = this.#components
    for (const node of view.otherReplicas(view.shardOf(mailbox))) {
      await reader.fetchUnknown(node, mailbox, ids).catch(() => 0)
    }
  }

  #everybody(): void {
    for (const node of this.#components.view.others) void this.compareWith(node)
  }

  #soon(node: ListedNode): void {
    const key = byteKey(node.key)
    clearTimeout(this.#delays.get(key))
    this.#delays.set(
      key,
      setTimeout(() => {
        this.#delays.delete(key)
        void this.compareWith(node)
      }, AFTER_LINK_MS)
    )
  }

  /** One round with a node; while one runs, another is noted and follows. */
  async compareWith(node: ListedNode): Promise<void> {
    const { links } = this.#components
    const key = byteKey(node.key)
    if (this.#stopped || !links.isUp(node.key)) return
    if (this.#running.has(key)) {
      this.#again.add(key)
      return
    }
    this.#running.add(key)
    try {
      await this.#round(node)
    } catch (error) {
      this.#log.debug('a round of repair ended early', { node: node.url, reason: (error as Error).message })
    } finally {
      this.#running.delete(key)
    }
    if (this.#again.delete(key)) await this.compareWith(node)
  }

  async #round(node: ListedNode): Promise<void> {
    const { view } = this.#components
    const round: Round = { mailboxes: 0, fetched: 0, removed: 0 }
    await this.#components.tokens.fetchMissing(node)
    const isShared = (shard: number): boolean => view.epochs.some(epoch => view.isReplica(epoch, shard, node.key))
    const shared = view.keptShards().filter(isShared)
    for (let from = 0; from < shared.length; from += MAX_ASKED_SHARDS) {
      await this.#compareShards(node, shared.slice(from, from + MAX_ASKED_SHARDS), round)
      if (this.#stopped || round.mailboxes >= MAX_FOLLOWED) break
    }
    this.rounds += 1
    if (round.fetched + round.removed > 0) this.#log.info('repaired from a replica', { node: node.url, ...round })
  }

  /** Compares shards that both nodes keep, page by page. The backlog of each is known once all of its pages are followed. */
  async #compareShards(node: ListedNode, shards: number[], round: Round): Promise<void> {
    const { links, store, view } = this.#components
    const backlog = this.#backlog.get(byteKey(node.key)) ?? new Map<number, number>()
    this.#backlog.set(byteKey(node.key), backlog)
    const differing = new Map<number, number>()
    const followed = (through: number): void => {
      for (const shard of shards) if (shard <= through) backlog.set(shard, differing.get(shard) ?? 0)
    }
    let open = shards
    for (let after: DeviceId | null = null; !this.#stopped;) {
      const theirs: NodeLinkFrameOf<'mailboxDigests'> = await links.request<'digests'>(node.key, {
        kind: 'digests',
        shards: open,
        after
      })
      const last = theirs.mailboxes.at(-1)?.mailbox
      if (last !== undefined) {
        this.#requireAsked(open, after, theirs.mailboxes)
        const mine = await store.digestsOf(theirs.mailboxes.map(({ mailbox }) => mailbox))
        for (const [index, { mailbox, digest }] of theirs.mailboxes.entries()) {
          const shard = view.shardOf(mailbox)
          if (await this.#compare(node, mailbox, mine[index], digest, round)) {
            differing.set(shard, (differing.get(shard) ?? 0) + 1)
          }
          if (round.mailboxes >= MAX_FOLLOWED) return followed(shard - 1)
        }
      }
      if (last === undefined || !theirs.more) return followed(Infinity)
      const shard = view.shardOf(last)
      followed(shard - 1)
      open = open.filter(other => other >= shard)
      after = last
    }
  }

  /** Mends one mailbox if it differs. @returns whether it did. */
  async #compare(
    node: ListedNode,
    mailbox: DeviceId,
    own: Uint8Array | undefined,
    theirs: Uint8Array,
    round: Round
  ): Promise<boolean> {
    if (own !== undefined && equalBytes(own, theirs)) return false
    if (this.#isSettled(node, mailbox, own, theirs)) return false
    round.mailboxes += 1
    this.differences += 1
    const mended = await this.#mend(node, mailbox)
    round.fetched += mended.fetched
    round.removed += mended.removed
    if (mended.fetched + mended.removed === 0 && !mended.isShort) this.#settle(node, mailbox, own, theirs)
    return true
  }

  /**
   * Takes over what the other node has that this one lacks: deliveries held, and reasons for those gone.
   * @returns also whether it fell short because the disk is nearly full.
   */
  async #mend(node: ListedNode, mailbox: DeviceId): Promise<{ fetched: number; removed: number; isShort: boolean }> {
    const { links, store, reader, clock } = this.#components
    const mended = { fetched: 0, removed: 0, isShort: false }
    // First: it decides what the fetched ones count as.
    await this.#components.tokens.fetchUnknown(node, mailbox)
    let after: DeliveryId | null = null
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const page: NodeLinkFrameOf<'mailboxStates'> = await links.request<'states'>(node.key, {
        kind: 'states',
        mailbox,
        after
      })
      const last = page.deliveries.at(-1)?.id
      if (last === undefined) return mended
      requireOrder(
        after,
        page.deliveries.map(({ id }) => id)
      )
      const now = clock()
      const live = page.deliveries.filter(({ expiry }) => expiry > now)
      const own = await store.entries(live.map(({ id, expiry }) => ({ mailbox, id, expiry })))
      const wanted: DeliveryId[] = []
      const gone: DeliveryId[] = []
      for (const [index, { id, state }] of live.entries()) {
        const entry = own[index]
        if (state === 'held' && entry === undefined) wanted.push(id)
        if (state !== 'held' && (entry === undefined || entry.state === 'held')) gone.push(id)
      }
      // What is gone makes room for what is held there.
      mended.removed += await this.#learnWhy(node, mailbox, gone)
      mended.fetched += await reader.fetchUnknown(node, mailbox, wanted)
      if (wanted.length > 0 && !reader.hasRoom) mended.isShort = true
      if (!page.more) break
      after = last
    }
    return mended
  }

  async #learnWhy(node: ListedNode, mailbox: DeviceId, ids: DeliveryId[]): Promise<number> {
    const { links, store, delivery } = this.#components
    const names = ids.map(id => ({ mailbox, id }))
    const before = await store.entries(names)
    for (let from = 0; from < ids.length; from += MAX_ASKED_DELIVERIES) {
      const some = ids.slice(from, from + MAX_ASKED_DELIVERIES)
      const { acknowledgements, evictions } = await links.request<'why'>(node.key, { kind: 'why', mailbox, ids: some })
      await delivery.onAcknowledgements(acknowledgements)
      for (const eviction of evictions) {
        if (!equalBytes(eviction.mailbox, mailbox)) throw new NodeError('malformed', 'an eviction of another mailbox')
        if (await isGenuineEviction(this.#components, eviction)) await delivery.onEviction(eviction)
      }
    }
    const after = await store.entries(names)
    return after.filter((entry, index) => entry?.state !== before[index]?.state).length
  }

  /**
   * A node shows mailboxes of the shards that were asked for only, since others would be stored where nothing looks for them,
   * and in order, so that pages end.
   */
  #requireAsked(shards: number[], after: DeviceId | null, found: { mailbox: DeviceId }[]): void {
    const asked = new Set(shards)
    let [lastShard, last] = [shards[0]!, after]
    for (const { mailbox } of found) {
      const shard = this.#components.view.shardOf(mailbox)
      if (!asked.has(shard)) throw new NodeError('malformed', 'the answer names a mailbox of another shard')
      if (shard < lastShard) throw new NodeError('malformed', 'the answer is not in order')
      requireOrder(shard === lastShard ? last : null, [mailbox])
      ;[lastShard, last] = [shard, mailbox]
    }
  }

  #isSettled(node: ListedNode, mailbox: DeviceId, own: Uint8Array | undefined, theirs: Uint8Array): boolean {
    return this.#settled.get(byteKey(node.key) + byteKey(mailbox)) === digestPair(own, theirs)
  }

  #settle(node: ListedNode, mailbox: DeviceId, own: Uint8Array | undefined, theirs: Uint8Array): void {
    if (this.#settled.size >= MAX_SETTLED) this.#settled.clear()
    this.#settled.set(byteKey(node.key) + byteKey(mailbox), digestPair(own, theirs))
  }
}

/**
 * Pages go up, so that they end.
 * @throws NodeError `malformed` if they do not.
 */
function requireOrder(after: Uint8Array | null, keys: Uint8Array[]): void {
  let last = after
  for (const key of keys) {
    if (last !== null && compareBytes(last, key) >= 0) throw new NodeError('malformed', 'the answer is not in order')
    last = key
  }
}

const digestPair = (own: Uint8Array | undefined, theirs: Uint8Array): string =>
  `${own === undefined ? '' : byteKey(own)}/${byteKey(theirs)}`
