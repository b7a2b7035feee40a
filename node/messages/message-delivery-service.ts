import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { encode } from '../../protocol/codec.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { NetworkId } from '../../protocol/network.ts'
import {
  acknowledgementCodec,
  evictionCodec,
  verifyAcknowledgement,
  type Acknowledgement,
  type Eviction
} from '../../protocol/wire/custody.ts'
import { MAX_PASSED_ACKNOWLEDGEMENTS } from '../../protocol/wire/node-frames.ts'
import type { ListedNode } from '../../protocol/wire/placement.ts'
import { byteKey } from '../byte-key.ts'
import type { AttachedDevice, AttachedDevices } from './attached-devices.ts'
import { DeliverySession, type DeliverySink } from './delivery-session.ts'
import { NodeError } from '../errors.ts'
import type { NetworkView } from '../network/network-view.ts'
import type { NodeLinks } from '../network/node-links.ts'
import type { MailboxLoss } from '../pending-messages/mailbox-losses.ts'
import { originTag, type PendingMessageStore } from '../pending-messages/pending-message-store.ts'
import type { AuthenticatedDevice, Logger } from '../ports.ts'
import type { ReplicaReader } from './replica-reader.ts'

/** While a device is attached, the other replicas are asked this often whether something did not come here. */
const NEWS_INTERVAL_MS = 1_000
/** On attach the other replicas have so long to bring what is missing before the device counts as caught up. */
const ATTACH_PULL_MS = 1_000
/** Acknowledgements are passed on together. */
const PASS_ON_AFTER_MS = 20
/** Acknowledgements that wait for one node; more are left to repair. */
const MAX_PASSED_ON = 4_096

export interface MessageDeliveryServiceComponents {
  crypto: Crypto
  network: NetworkId
  view: NetworkView
  store: PendingMessageStore
  links: NodeLinks
  /** The sessions, which custody tells what comes. */
  attached: AttachedDevices
  reader: ReplicaReader
  logger: Logger
}

/**
 * Brings messages to devices: what waits first, then what comes, in the order of this replica's store; asks the other
 * replicas for what did not come here; turns acknowledgements into tombstones everywhere.
 */
export class MessageDeliveryService {
  readonly #components: MessageDeliveryServiceComponents
  readonly #log: Logger
  readonly #passOn = new Map<string, { node: ListedNode; acknowledgements: Acknowledgement[] }>()
  #newsTimer: NodeJS.Timeout | undefined
  #passOnTimer: NodeJS.Timeout | undefined
  #asking = false
  /** Deliveries sent to devices, and acknowledged by them here. */
  delivered = 0
  acknowledged = 0

  constructor(components: MessageDeliveryServiceComponents) {
    this.#components = components
    this.#log = components.logger.forComponent('volo:delivery-service')
  }

  start(): void {
    this.#newsTimer = setInterval(() => void this.#askForNews(), NEWS_INTERVAL_MS)
  }

  async stop(): Promise<void> {
    clearInterval(this.#newsTimer)
    clearTimeout(this.#passOnTimer)
    await Promise.all(this.#attached.clear().map(({ session }) => session.stop()))
  }

  isAttached(mailbox: DeviceId): boolean {
    return this.#attached.get(mailbox) !== undefined
  }

  /**
   * Begins to deliver to a device.
   * @returns how many deliveries wait, what was lost, and `begin`, to be called once the device knows that it is attached.
   * @throws NodeError `not-a-replica` if other nodes keep its mailbox.
   */
  async attach(
    device: AuthenticatedDevice,
    sink: DeliverySink
  ): Promise<{ pending: number; loss: MailboxLoss | undefined; begin: () => void }> {
    const { view, store } = this.#components
    const mailbox = device.deviceId
    if (!view.isReplica(view.current, view.shardOf(mailbox), view.nodeKey)) {
      throw new NodeError('not-a-replica', `other nodes keep this mailbox in epoch ${view.current.number}`)
    }
    await this.detach(mailbox)
    const counted: DeliverySink = {
      ...sink,
      deliver: deliveries => {
        this.delivered += deliveries.length
        return sink.deliver(deliveries)
      }
    }
    const session = new DeliverySession(mailbox, store, counted, this.#components.logger)
    const attached: AttachedDevice = { mailbox, session, cursors: new Map() }
    this.#attached.add(attached)
    const [pending, loss] = await Promise.all([store.heldIn(mailbox), store.lossOf(mailbox)])
    return { pending, loss, begin: () => this.#begin(attached) }
  }

  /** Ends delivery to a device; what it has not acknowledged goes on waiting. @param only - unless another sink took over. */
  async detach(mailbox: DeviceId, only?: DeliverySink): Promise<void> {
    const attached = this.#attached.get(mailbox)
    if (attached === undefined || (only !== undefined && !attached.session.isFor(only.owner))) return
    this.#attached.delete(mailbox)
    await attached.session.stop()
  }

  /** Deliveries were removed to make room: the device is told. */
  onEvicted(mailbox: DeviceId, eviction: Eviction): void {
    this.#attached.get(mailbox)?.session.evicted(eviction)
    const frame = { kind: 'evict', eviction } as const
    for (const node of this.#components.view.otherReplicas(this.#components.view.shardOf(mailbox))) {
      this.#components.links.request<'evict'>(node.key, frame).catch(() => undefined)
    }
  }

  /**
   * Lets go of what a device has, here and at the other replicas.
   * @throws NodeError `refused` if it speaks for another mailbox or is not signed, `not-a-replica`.
   */
  async acknowledge(device: AuthenticatedDevice, acknowledgement: Acknowledgement): Promise<void> {
    const { crypto, network, view } = this.#components
    const mailbox = await verifyAcknowledgement(crypto, network, acknowledgement)
    if (mailbox === undefined || byteKey(mailbox) !== byteKey(device.deviceId)) {
      throw new NodeError('refused', 'the acknowledgement is not signed by this device')
    }
    const shard = view.shardOf(mailbox)
    if (!view.keeps(shard)) throw new NodeError('not-a-replica', 'other nodes keep this mailbox')
    await this.#remove(mailbox, acknowledgement)
    this.#attached.get(mailbox)?.session.acknowledged(acknowledgement.ids)
    for (const node of view.otherReplicas(shard)) this.#passOnTo(node, acknowledgement)
  }

  /** A device knows what its mailbox lost here up to a time. Each replica counts, and is told, for itself. */
  lossSeen({ deviceId }: AuthenticatedDevice, at: number): Promise<void> {
    return this.#components.store.clearLoss(deviceId, at)
  }

  /** Takes acknowledgements that another replica passes on. Those that do not verify are left out. */
  async onAcknowledgements(acknowledgements: Acknowledgement[]): Promise<void> {
    const { crypto, network, view } = this.#components
    await Promise.all(
      acknowledgements.map(async acknowledgement => {
        const mailbox = await verifyAcknowledgement(crypto, network, acknowledgement)
        if (mailbox !== undefined && view.keeps(view.shardOf(mailbox))) await this.#remove(mailbox, acknowledgement)
      })
    )
  }

  async #remove(mailbox: DeviceId, acknowledgement: Acknowledgement): Promise<void> {
    await this.#components.store.acknowledge(
      mailbox,
      acknowledgement.ids,
      encode(acknowledgementCodec, acknowledgement)
    )
    this.acknowledged += acknowledgement.ids.length
  }

  /** Follows an eviction that another replica made. The caller has checked who signed it. */
  async onEviction(eviction: Eviction): Promise<void> {
    const { store } = this.#components
    const signer = originTag(eviction.node)
    await store.followEviction(eviction.mailbox, eviction.ids, encode(evictionCodec, eviction), signer)
    this.#attached.get(eviction.mailbox)?.session.evicted(eviction)
  }

  get #attached(): AttachedDevices {
    return this.#components.attached
  }

  #begin(attached: AttachedDevice): void {
    attached.session.start()
    const { view } = this.#components
    const others = view.otherReplicas(view.shardOf(attached.mailbox))
    const pulls = others.map(node => this.#pull(node, [attached]))
    const late = new Promise<void>(resolve => setTimeout(resolve, ATTACH_PULL_MS).unref())
    void Promise.race([Promise.all(pulls), late]).then(() => attached.session.pulled())
  }

  /** Asks one node for news of attached mailboxes. */
  async #pull(node: ListedNode, attached: AttachedDevice[]): Promise<void> {
    const { links, reader } = this.#components
    if (!links.isUp(node.key)) return
    const key = byteKey(node.key)
    const asked = attached.map(({ mailbox, cursors }) => ({ mailbox, after: cursors.get(key) ?? 0 }))
    try {
      for (const { mailbox, next } of await reader.pullNews(node, asked)) {
        this.#attached.get(mailbox)?.cursors.set(key, next)
      }
    } catch (error) {
      this.#log.debug('a replica could not be asked for news', { node: node.url, reason: (error as Error).message })
    }
  }

  async #askForNews(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    try {
      const { view } = this.#components
      const byNode = new Map<string, { node: ListedNode; attached: AttachedDevice[] }>()
      for (const attached of this.#attached.values()) {
        for (const node of view.otherReplicas(view.shardOf(attached.mailbox))) {
          const group = byNode.get(byteKey(node.key)) ?? { node, attached: [] }
          group.attached.push(attached)
          byNode.set(byteKey(node.key), group)
        }
      }
      await Promise.all([...byNode.values()].map(({ node, attached }) => this.#pull(node, attached)))
    } finally {
      this.#asking = false
    }
  }

  #passOnTo(node: ListedNode, acknowledgement: Acknowledgement): void {
    const key = byteKey(node.key)
    const group = this.#passOn.get(key) ?? { node, acknowledgements: [] }
    if (group.acknowledgements.length < MAX_PASSED_ON) group.acknowledgements.push(acknowledgement)
    this.#passOn.set(key, group)
    this.#passOnTimer ??= setTimeout(() => this.#flushPassOn(), PASS_ON_AFTER_MS)
  }

  #flushPassOn(): void {
    this.#passOnTimer = undefined
    const groups = [...this.#passOn.values()]
    this.#passOn.clear()
    for (const { node, acknowledgements } of groups) {
      for (let from = 0; from < acknowledgements.length; from += MAX_PASSED_ACKNOWLEDGEMENTS) {
        const some = acknowledgements.slice(from, from + MAX_PASSED_ACKNOWLEDGEMENTS)
        // Who cannot be reached learns it from repair.
        this.#components.links
          .request<'acknowledge'>(node.key, { kind: 'acknowledge', acknowledgements: some })
          .catch(() => undefined)
      }
    }
  }
}
