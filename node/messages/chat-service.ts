import { equalBytes } from '../../protocol/bytes.ts'
import type { Clock, Crypto, SigningKey } from '../../protocol/crypto/crypto.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { signRefusal, type Refusal } from '../../protocol/wire/custody.ts'
import {
  decodeEnvelope,
  encodeEnvelope,
  expiryProblem,
  type Envelope,
  type EnvelopeRecipient
} from '../../protocol/wire/envelope.ts'
import type { Epoch } from '../../protocol/wire/placement.ts'
import type { SubmissionResult } from '../../protocol/wire/peer-frames.ts'
import type { ClientQuotas } from '../limits/client-quotas.ts'
import { deliveriesOf, type BatchDelivery } from './custody-batch.ts'
import type { CustodyRequest, CustodyResult, ShardEnvelope } from './batch-in-flight.ts'
import { NodeError } from '../errors.ts'
import type { MessageQueue } from './message-queue.ts'
import type { NetworkView } from '../network/network-view.ts'
import type { DirectoryDevice, DirectoryPort } from '../key-directory/directory-port.ts'
import type { AuthenticatedDevice } from '../ports.ts'

/** Receipts of one delivery that go back to the client. */
const MAX_RETURNED_RECEIPTS = 8

/** Recipients of an envelope that the same nodes keep. */
interface RecipientGroup {
  /** Places in the envelope. */
  indexes: number[]
  requests: CustodyRequest[]
}

export interface ChatServiceComponents {
  crypto: Crypto
  network: NetworkId
  key: SigningKey
  view: NetworkView
  queue: MessageQueue
  quotas: ClientQuotas
  directory: Pick<DirectoryPort, 'device'>
  clock: Clock
}

/**
 * Takes envelopes from devices: checks what can be checked without knowing what is inside, and gives each recipient's
 * delivery to the shards that keep it. Resolves when every recipient has its result.
 */
export class ChatService {
  readonly #components: ChatServiceComponents
  /** Envelopes taken. */
  submitted = 0

  constructor(components: ChatServiceComponents) {
    this.#components = components
  }

  /**
   * @param epoch - that the client believes in force.
   * @returns one result per recipient, in the envelope's order.
   * @throws NodeError `wrong-epoch`, `malformed`, `too-large`, `rate-limited`.
   */
  async submit(from: AuthenticatedDevice, epoch: number, encoded: Uint8Array): Promise<SubmissionResult[]> {
    const { crypto, network, view, quotas, clock } = this.#components
    if (epoch !== view.current.number) throw new NodeError('wrong-epoch', `epoch ${view.current.number} is in force`)
    const envelope = parse(encoded)
    const { recipients, payload } = envelope
    // Replicas keep the payload with each delivery; the parts are in the envelope once.
    const storedBytes = encoded.length + (recipients.length - 1) * payload.length
    if (!quotas.allowsEnvelope(from, recipients.length, storedBytes)) {
      throw new NodeError('rate-limited', 'too many messages in a short time; slow down')
    }
    const { directory } = this.#components
    const owners = await Promise.all(recipients.map(({ mailbox }) => directory.device(mailbox)))
    const strangers = strangersIn(envelope, owners, from)
    if (strangers > 0 && !quotas.allowsStrangers(from.accountId, strangers)) {
      throw new NodeError('rate-limited', 'too many message requests today')
    }
    this.submitted += 1
    const now = clock()
    const deliveries = deliveriesOf(crypto, network, envelope, now)
    const problem = expiryProblem(envelope.expiry, now)
    if (problem !== undefined) {
      const reason = problem === 'expired' ? 'expired' : 'expiry-too-far'
      return Promise.all(deliveries.map(delivery => this.#refused(delivery, reason)))
    }
    const isRevoked = owners.map(owner => owner?.state === 'revoked')
    return this.#handOver(from, envelope, encoded, deliveries, isRevoked)
  }

  /** @param isRevoked - of each recipient: mail to a revoked device would only wait until it expires. */
  async #handOver(
    { accountId }: AuthenticatedDevice,
    envelope: Envelope,
    encoded: Uint8Array,
    deliveries: BatchDelivery[],
    isRevoked: boolean[]
  ): Promise<SubmissionResult[]> {
    const { view, quotas } = this.#components
    const outcomes: Promise<SubmissionResult>[] = []
    // By list of nodes, then by the shard that stands for a replica set.
    const groups = view.epochs.map(() => new Map<number, RecipientGroup>())
    for (const [index, item] of deliveries.entries()) {
      if (isRevoked[index]) {
        outcomes.push(this.#refused(item, 'unknown-mailbox'))
        continue
      }
      if (!quotas.allowsMailbox(accountId, item.mailbox)) {
        outcomes.push(this.#refused(item, 'rate-limited'))
        continue
      }
      const shard = view.shardOf(item.mailbox)
      // In a transition the replicas of both lists must hold it.
      const settled = view.epochs.map((epoch, which) => {
        const { promise, resolve } = Promise.withResolvers<CustodyResult>()
        const request = { ...item, settle: resolve }
        const standing = view.groupOf(epoch, shard)
        const group = groups[which]!.get(standing)
        if (group) {
          group.indexes.push(index)
          group.requests.push(request)
        } else groups[which]!.set(standing, { indexes: [index], requests: [request] })
        return promise
      })
      outcomes.push(
        Promise.all(settled).then(results => {
          const combined = combine(item, results)
          // A proof that does not hold is a stranger's: trying has its price.
          if (combined.refusal?.reason === 'proof') quotas.allowsStrangers(accountId, 1)
          return combined
        })
      )
    }
    for (const [which, epoch] of view.epochs.entries()) {
      for (const [shard, group] of groups[which]!) this.#queue(envelope, encoded, epoch, shard, group)
    }
    return Promise.all(outcomes)
  }

  #queue(
    envelope: Envelope,
    encoded: Uint8Array,
    epoch: Epoch,
    shard: number,
    { indexes, requests }: RecipientGroup
  ): void {
    const isWhole = indexes.length === envelope.recipients.length
    // Replicas see only the recipients whose mailboxes they keep.
    const part = isWhole
      ? encoded
      : encodeEnvelope({ ...envelope, recipients: indexes.map(index => envelope.recipients[index]!) })
    this.#components.queue.add(epoch, shard, { encoded: part, requests } satisfies ShardEnvelope)
  }

  async #refused({ mailbox, delivery }: BatchDelivery, reason: Refusal['reason']): Promise<SubmissionResult> {
    const { network, key, view, clock } = this.#components
    const fields = { node: view.nodeKey, epoch: view.current.number, time: clock(), mailbox, id: delivery.id, reason }
    return {
      mailbox,
      id: delivery.id,
      state: 'refused',
      receipts: [],
      refusal: await signRefusal(network, key, fields)
    }
  }
}

/**
 * Recipients that an account writes to as a stranger: without a proof, whatever class it claims, or with any proof to a
 * mailbox that no record names, which may be made up. Its own devices are none. Whether a proof holds only the replicas
 * can tell.
 */
function strangersIn(
  envelope: Envelope,
  owners: (DirectoryDevice | undefined)[],
  { accountId }: AuthenticatedDevice
): number {
  const isStranger = ({ proof }: EnvelopeRecipient, owner: DirectoryDevice | undefined): boolean => {
    if (owner === undefined) return true
    const isUnproven = envelope.class !== 'contact' || proof.length === 0
    return isUnproven && !equalBytes(owner.accountId, accountId)
  }
  return envelope.recipients.filter((recipient, index) => isStranger(recipient, owners[index])).length
}

function parse(encoded: Uint8Array): Envelope {
  try {
    return decodeEnvelope(encoded)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    const code =
      error.code === 'TOO_LARGE'
        ? 'too-large'
        : error.code === 'UNSUPPORTED_VERSION'
          ? 'unsupported-version'
          : 'malformed'
    throw new NodeError(code, error.message, { cause: error })
  }
}

/** Stored only if stored in every epoch in force. */
function combine({ mailbox, delivery }: BatchDelivery, results: CustodyResult[]): SubmissionResult {
  const receipts = results.flatMap(result => result.receipts).slice(-MAX_RETURNED_RECEIPTS)
  const refused = results.find(result => result.state === 'refused')
  const state = refused ? 'refused' : results.every(result => result.state === 'stored') ? 'stored' : 'waiting'
  return { mailbox, id: delivery.id, state, receipts, refusal: refused?.refusal ?? null }
}
