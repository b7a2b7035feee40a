import type { Crypto } from '../../protocol/crypto/crypto.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { encodeEnvelope, type Delivery } from '../../protocol/wire/envelope.ts'
import { MAX_PAGE_ENTRIES } from '../../protocol/wire/node-frames.ts'
import type { CustodyResult } from '../messages/batch-in-flight.ts'
import type { MailboxTokens } from '../messages/mailbox-tokens.ts'
import type { CustodyOrigin } from '../messages/custody-origin.ts'
import type { NetworkView } from '../network/network-view.ts'
import type { PendingMessageStore } from '../pending-messages/pending-message-store.ts'
import type { Logger } from '../ports.ts'
import type { TokenReplication } from './token-replication.ts'

/** How often a node looks for mailboxes that it no longer keeps. */
export const HANDOVER_INTERVAL_MS = 30_000
const BATCH = { count: 32, bytes: 128 * 1024 }

export interface HandoverServiceComponents {
  crypto: Crypto
  network: NetworkId
  view: NetworkView
  store: PendingMessageStore
  origin: CustodyOrigin
  tokens: TokenReplication
  mailboxTokens: MailboxTokens
  logger: Logger
}

/**
 * Lets go of mailboxes that an epoch gave to other nodes, and only when those have signed for every delivery: what is
 * still held is handed to them like new mail, under its old id, and removed here once enough receipts are in.
 */
export class HandoverService {
  readonly #components: HandoverServiceComponents
  readonly #log: Logger
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #stopped = false
  /** Epoch and shard whose tokens the new replicas have. */
  readonly #tokensPassed = new Set<string>()
  /** Deliveries let go of. */
  released = 0

  constructor(components: HandoverServiceComponents) {
    this.#components = components
    this.#log = components.logger.forComponent('volo:handover')
  }

  start(): void {
    this.#stopped = false
    this.#components.view.onChange(() => void this.run())
    this.#timer = setInterval(() => void this.run(), HANDOVER_INTERVAL_MS)
    void this.run()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    await this.#running
  }

  /** One look through all shards that are not kept here any more. */
  run(): Promise<void> {
    this.#running ??= this.#run()
      .catch((error: Error) => this.#log.warn('a handover ended early', { reason: error.message }))
      .finally(() => (this.#running = undefined))
    return this.#running
  }

  async #run(): Promise<void> {
    const { view, store } = this.#components
    // Of lists that ended nothing is asked any more, and there may be thousands of shards.
    const isOver = (name: string): boolean => !name.startsWith(`${view.current.number}/`)
    for (const name of [...this.#tokensPassed].filter(isOver)) this.#tokensPassed.delete(name)
    // What is kept stays, and its tokens are wanted elsewhere only while one list follows another.
    const stays = (shard: number): boolean => view.epochs.length === 1 && shard < view.shardCount && view.keeps(shard)
    for (const shard of await store.shardsHeld(stays)) {
      if (this.#stopped) return
      await this.#handOverTokens(shard)
      if (view.keeps(shard)) continue
      for (let after: DeviceId | null = null; !this.#stopped;) {
        const page = await store.digests([shard], after, MAX_PAGE_ENTRIES)
        for (const { mailbox } of page) await this.#handOver(shard, mailbox)
        if (page.length < MAX_PAGE_ENTRIES) break
        after = page.at(-1)!.mailbox
      }
    }
  }

  /**
   * Brings the delivery tokens of a shard to its new replicas: before the messages, because what a delivery counts as there
   * depends on the token; and already while both lists are in force, because afterwards old nodes may not be heard any more.
   */
  async #handOverTokens(shard: number): Promise<void> {
    const { view, store, tokens, mailboxTokens } = this.#components
    const isKept = view.keeps(shard)
    const name = `${view.current.number}/${shard}`
    if (isKept && (view.epochs.length === 1 || this.#tokensPassed.has(name))) return
    for (const mailbox of await store.mailboxesWithToken(shard)) {
      if (this.#stopped) return
      try {
        const token = await mailboxTokens.of(mailbox)
        if (token !== undefined) await tokens.handOver(mailbox, token, { toAll: isKept })
        if (!isKept) await mailboxTokens.forget(mailbox)
      } catch (error) {
        // It stays here for the next round; messages do not wait for it.
        this.#log.debug('a delivery token could not be handed over', { reason: (error as Error).message })
        return
      }
    }
    this.#tokensPassed.add(name)
  }

  async #handOver(shard: number, mailbox: DeviceId): Promise<void> {
    const { store } = this.#components
    for (let after = 0; !this.#stopped;) {
      const page = await store.pendingAfter(mailbox, after, BATCH)
      if (page.length === 0) return
      after = page.at(-1)!.sequence
      const results = await this.#send(
        shard,
        mailbox,
        page.map(({ delivery }) => delivery)
      )
      const safe = page.filter((_, index) => results[index]!.state === 'stored').map(({ delivery }) => delivery.id)
      // An epoch may have given the mailbox back meanwhile: what is kept here again stays.
      if (this.#components.view.keeps(shard)) return
      if (safe.length > 0) await store.release(mailbox, safe)
      this.released += safe.length
      if (safe.length < page.length) return
    }
  }

  async #send(shard: number, mailbox: DeviceId, deliveries: Delivery[]): Promise<CustodyResult[]> {
    const { view, origin } = this.#components
    const results: Promise<CustodyResult>[] = []
    const envelopes = deliveries.map(delivery => {
      const { promise, resolve } = Promise.withResolvers<CustodyResult>()
      results.push(promise)
      const { expiry, payload, part, proof } = delivery
      const recipients = [{ mailbox, part, proof }]
      const encoded = encodeEnvelope({ version: 1, expiry, class: delivery.class, payload, recipients })
      return { encoded, requests: [{ mailbox, delivery, settle: resolve }] }
    })
    await origin.send(view.current, view.groupOf(view.current, shard), envelopes)
    return Promise.all(results)
  }
}
