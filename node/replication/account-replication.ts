import type { AccountId } from '../../protocol/identity/device.ts'
import { RECEIPTS_REQUIRED } from '../../protocol/limits.ts'
import {
  decodeGossipedRecords,
  encodeGossipedRecords,
  MAX_GOSSIPED_RECORDS,
  RECORDS_TOPIC
} from '../../protocol/wire/node-frames.ts'
import { receiptsRequired, type NodeKey } from '../../protocol/wire/placement.ts'
import { byteKey } from '../byte-key.ts'
import type { Gossip, Verdict } from '../network/gossip.ts'
import type { NetworkView } from '../network/network-view.ts'
import type { NodeLinks } from '../network/node-links.ts'
import type { DirectoryPort } from '../key-directory/directory-port.ts'
import type { TokenBuckets } from '../limits/token-bucket.ts'
import { enough } from './enough.ts'

export interface AccountReplicationComponents {
  view: NetworkView
  links: NodeLinks
  gossip: Gossip
  directory: DirectoryPort
  /** Records per listed node; beyond it they are ignored. */
  recordBuckets: TokenBuckets
  now: () => number
}

/** Device bundles at the replicas of their account's shard, and pending records everywhere. */
export class AccountReplication {
  readonly #components: AccountReplicationComponents

  constructor(components: AccountReplicationComponents) {
    this.#components = components
  }

  /** Keeps a bundle at enough replicas. @throws NodeError `busy` if too few of them answered in time. */
  async putBundle(accountId: AccountId, bundle: Uint8Array): Promise<void> {
    const { view, links, directory } = this.#components
    const shard = view.shardOf(accountId)
    const attempts = view.epochs.flatMap(epoch => {
      const replicas = view.replicas(epoch, shard)
      const stored = replicas.map(node =>
        view.isSelf(node.key)
          ? directory.storeLocalBundle(accountId, bundle)
          : links.request<'putBundle'>(node.key, { kind: 'putBundle', accountId, bundle })
      )
      return enough(stored, receiptsRequired(replicas, RECEIPTS_REQUIRED))
    })
    await Promise.all(attempts)
  }

  /** Every bundle that the replicas hold for an account, each once. Replicas that do not answer are left out. */
  async getBundles(accountId: AccountId): Promise<Uint8Array[]> {
    const { view, links, directory } = this.#components
    const shard = view.shardOf(accountId)
    const answers = view.otherReplicas(shard).map(async node => {
      const { bundles } = await links.request<'getBundles'>(node.key, { kind: 'getBundles', accountId }, 1_000)
      return bundles
    })
    if (view.keeps(shard)) answers.push(directory.localBundles(accountId))
    const found = new Map<string, Uint8Array>()
    for (const answer of await Promise.allSettled(answers)) {
      if (answer.status === 'fulfilled') for (const bundle of answer.value) found.set(byteKey(bundle), bundle)
    }
    return [...found.values()]
  }

  async broadcastRecords(records: Uint8Array[]): Promise<void> {
    for (let from = 0; from < records.length; from += MAX_GOSSIPED_RECORDS) {
      const some = records.slice(from, from + MAX_GOSSIPED_RECORDS)
      await this.#components.gossip.publish(RECORDS_TOPIC, encodeGossipedRecords(some))
    }
  }

  /** Judges records that came by gossip; what they say is the directory's to check. */
  async onRecords(data: Uint8Array, from: NodeKey): Promise<Verdict> {
    const { directory, recordBuckets, now } = this.#components
    let records: Uint8Array[]
    try {
      records = decodeGossipedRecords(data)
    } catch {
      return 'reject'
    }
    if (!recordBuckets.spend(byteKey(from), records.length, now())) return 'ignore'
    directory.onRecords(records, from)
    return 'accept'
  }
}
