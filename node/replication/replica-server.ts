import { decode } from '../../protocol/codec.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { NetworkId } from '../../protocol/network.ts'
import {
  acknowledgementCodec,
  evictionCodec,
  verifyEviction,
  type Acknowledgement,
  type Eviction
} from '../../protocol/wire/custody.ts'
import { MAX_PAGE_ENTRIES, MAX_PASSED_ACKNOWLEDGEMENTS } from '../../protocol/wire/node-frames.ts'
import type { NodeKey } from '../../protocol/wire/placement.ts'
import type { CustodyOrigin } from '../messages/custody-origin.ts'
import type { CustodyReplica } from '../messages/custody-replica.ts'
import type { MailboxTokens } from '../messages/mailbox-tokens.ts'
import type { MessageDeliveryService } from '../messages/message-delivery-service.ts'
import { NodeError } from '../errors.ts'
import type { NetworkView } from '../network/network-view.ts'
import type { LinkHandlers } from '../network/node-link.ts'
import type { PendingMessageStore } from '../pending-messages/pending-message-store.ts'
import type { DirectoryPort } from '../key-directory/directory-port.ts'
import type { Logger } from '../ports.ts'
import type { ProfileReplication } from './profile-replication.ts'
import type { TokenReplication } from './token-replication.ts'

/** Bytes of deliveries in one answer. */
const ANSWER_BYTES = 512 * 1024
/** Bytes of a stored proof, far above an acknowledgement or an eviction of most ids. */
const PROOF_LIMITS = { maxBytes: 64 * 1024, maxDepth: 3, maxItems: 2048 }

export interface ReplicaServerComponents {
  crypto: Crypto
  network: NetworkId
  view: NetworkView
  store: PendingMessageStore
  replica: CustodyReplica
  origin: CustodyOrigin
  delivery: MessageDeliveryService
  directory: DirectoryPort
  mailboxTokens: MailboxTokens
  tokens: TokenReplication
  publicProfiles: ProfileReplication
  logger: Logger
}

/** Answers other nodes. What is kept for a mailbox is shown only to nodes that keep the same shard. */
export function replicaHandlers(components: ReplicaServerComponents): LinkHandlers {
  const { view, store, replica, origin, delivery, directory, mailboxTokens, tokens, publicProfiles, logger } =
    components
  const log = logger.forComponent('volo:replica-server')
  return {
    batch: frame => replica.onBatch(frame.batch),
    have: async frame => ({ kind: 'held', ...(await replica.onHave(frame)) }),
    async acknowledge({ acknowledgements }) {
      await delivery.onAcknowledgements(acknowledgements)
      return { kind: 'done' }
    },
    async evict({ eviction }) {
      if (!(await isGenuineEviction(components, eviction))) throw new NodeError('refused', 'not signed by a replica')
      await delivery.onEviction(eviction)
      return { kind: 'done' }
    },
    async news({ mailboxes }, from) {
      for (const { mailbox } of mailboxes) requireShared(view, mailbox, from)
      return { kind: 'newsOf', mailboxes: await store.news(mailboxes, MAX_PAGE_ENTRIES) }
    },
    async fetch({ mailbox, ids }, from) {
      requireShared(view, mailbox, from)
      return { kind: 'deliveries', deliveries: await store.fetch(mailbox, ids, ANSWER_BYTES) }
    },
    async digests({ shards, after }, from) {
      if (shards.some((shard, index) => index > 0 && shards[index - 1]! >= shard)) {
        throw new NodeError('malformed', 'the shards do not go up')
      }
      if ((shards.at(-1) ?? 0) >= view.shardCount) throw new NodeError('malformed', 'there is no such shard')
      for (const shard of shards) requireReplica(view, shard, from)
      const found = await store.digests(shards, after, MAX_PAGE_ENTRIES)
      const mailboxes = found.map(({ mailbox, digest }) => ({ mailbox, digest }))
      return { kind: 'mailboxDigests', mailboxes, more: mailboxes.length === MAX_PAGE_ENTRIES }
    },
    async states({ mailbox, after }, from) {
      requireShared(view, mailbox, from)
      const { page, more } = await store.states(mailbox, after, MAX_PAGE_ENTRIES)
      return {
        kind: 'mailboxStates',
        deliveries: page.map(([id, entry]) => ({ id, state: entry.state, expiry: entry.expiry })),
        more
      }
    },
    async why({ mailbox, ids }, from) {
      requireShared(view, mailbox, from)
      return { kind: 'removals', ...decodeProofs(await store.proofs(mailbox, ids)) }
    },
    async putBundle({ accountId, bundle }, from) {
      if (!view.keeps(view.shardOf(accountId))) throw new NodeError('not-a-replica', 'other nodes keep this account')
      await directory.storeLocalBundle(accountId, bundle, from)
      return { kind: 'done' }
    },
    async putToken({ token }) {
      await tokens.onToken(token)
      return { kind: 'done' }
    },
    async getToken({ mailbox }, from) {
      requireShared(view, mailbox, from)
      return { kind: 'token', token: (await mailboxTokens.of(mailbox)) ?? null }
    },
    async putProfile({ place, profile }) {
      await publicProfiles.onProfile(place, profile)
      return { kind: 'done' }
    },
    getProfiles: async ({ place }) => ({ kind: 'profiles', profiles: await publicProfiles.at(place) }),
    getBundles: async ({ accountId }) => ({ kind: 'bundles', bundles: await directory.localBundles(accountId) }),
    notice(frame, from) {
      if (frame.kind === 'stored') {
        origin
          .onStored(frame, from)
          .catch((error: Error) => log.warn('a receipt was not usable', { reason: error.message }))
      }
    }
  }
}

/** Whether an eviction is signed by a node that keeps the mailbox. */
export async function isGenuineEviction(
  { crypto, network, view }: Pick<ReplicaServerComponents, 'crypto' | 'network' | 'view'>,
  eviction: Eviction
): Promise<boolean> {
  const shard = view.shardOf(eviction.mailbox)
  const isReplica = view.epochs.some(epoch => view.isReplica(epoch, shard, eviction.node))
  return isReplica && verifyEviction(crypto, network, eviction)
}

/** The signed removals among stored proofs; what does not decode is damaged, and left out. */
function decodeProofs(proofs: { state: 'acknowledged' | 'evicted'; proof: Uint8Array }[]): {
  acknowledgements: Acknowledgement[]
  evictions: Eviction[]
} {
  const acknowledgements: Acknowledgement[] = []
  const evictions: Eviction[] = []
  for (const { state, proof } of proofs) {
    try {
      if (state === 'acknowledged') acknowledgements.push(decode(acknowledgementCodec, proof, PROOF_LIMITS))
      else evictions.push(decode(evictionCodec, proof, PROOF_LIMITS))
    } catch {
      continue
    }
  }
  return {
    acknowledgements: acknowledgements.slice(0, MAX_PASSED_ACKNOWLEDGEMENTS),
    evictions: evictions.slice(0, MAX_PASSED_ACKNOWLEDGEMENTS)
  }
}

function requireReplica(view: NetworkView, shard: number, node: NodeKey): void {
  if (!view.epochs.some(epoch => view.isReplica(epoch, shard, node))) {
    throw new NodeError('refused', 'only replicas of a shard are shown what it holds')
  }
}

const requireShared = (view: NetworkView, mailbox: DeviceId, node: NodeKey): void =>
  requireReplica(view, view.shardOf(mailbox), node)
