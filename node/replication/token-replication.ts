import { equalBytes } from '../../protocol/bytes.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import { RECEIPTS_REQUIRED } from '../../protocol/limits.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { verifyMailboxToken, type MailboxToken } from '../../protocol/wire/delivery-token.ts'
import { receiptsRequired, type ListedNode } from '../../protocol/wire/placement.ts'
import { NodeError } from '../errors.ts'
import type { DirectoryPort } from '../key-directory/directory-port.ts'
import type { MailboxTokens } from '../messages/mailbox-tokens.ts'
import type { NetworkView } from '../network/network-view.ts'
import type { NodeLinks } from '../network/node-links.ts'
import type { AuthenticatedDevice } from '../ports.ts'
import { enough } from './enough.ts'

export interface TokenReplicationComponents {
  crypto: Crypto
  network: NetworkId
  view: NetworkView
  links: NodeLinks
  directory: Pick<DirectoryPort, 'device'>
  tokens: MailboxTokens
}

/** Brings the delivery token of a mailbox to all of its replicas. */
export class TokenReplication {
  readonly #components: TokenReplicationComponents

  constructor(components: TokenReplicationComponents) {
    this.#components = components
  }

  /**
   * Takes the token that a device hands in for its own mailbox, and keeps it at enough replicas of every epoch in force.
   * @throws NodeError `refused` if it is not signed by this device, `busy` if too few replicas could keep it.
   */
  async publish(token: MailboxToken, from: AuthenticatedDevice): Promise<void> {
    const { crypto, network, view } = this.#components
    const mailbox = await verifyMailboxToken(crypto, network, token)
    if (mailbox === undefined || !equalBytes(mailbox, from.deviceId)) {
      throw new NodeError('refused', 'the delivery token is not signed by this device')
    }
    await Promise.all(
      view.epochs.map(epoch => this.#bring(mailbox, token, view.replicas(epoch, view.shardOf(mailbox))))
    )
  }

  /**
   * Brings a token to the replicas of the current list.
   * @param toAll - not to enough of them only.
   * @throws NodeError `busy` if too few could keep it.
   */
  async handOver(mailbox: DeviceId, token: MailboxToken, { toAll }: { toAll: boolean }): Promise<void> {
    const { view } = this.#components
    const replicas = view.replicas(view.current, view.shardOf(mailbox))
    await this.#bring(mailbox, token, replicas, toAll ? replicas.length : undefined)
  }

  /**
   * Keeps a token that another node brings.
   * @throws NodeError `refused`, `not-a-replica`, or `busy` while the directory here does not know the device: a hostile node
   * could fill the disk with tokens of devices that it made up.
   */
  async onToken(token: MailboxToken): Promise<void> {
    const { crypto, network, view, tokens, directory } = this.#components
    const mailbox = await verifyMailboxToken(crypto, network, token)
    if (mailbox === undefined) throw new NodeError('refused', 'the delivery token is not signed by its device')
    if (!view.keeps(view.shardOf(mailbox))) throw new NodeError('not-a-replica', 'other nodes keep this mailbox')
    if ((await directory.device(mailbox)) === undefined)
      throw new NodeError('busy', 'this device is not known here yet')
    await tokens.keep(mailbox, token)
  }

  /** Asks a replica for a token that is not known here. Never rejects. @returns false where asking it again may help. */
  async fetchUnknown(node: ListedNode, mailbox: DeviceId): Promise<boolean> {
    const { crypto, network, links, tokens } = this.#components
    try {
      if ((await tokens.of(mailbox)) !== undefined) return true
      const { token } = await links.request<'getToken'>(node.key, { kind: 'getToken', mailbox })
      if (token === null) return true
      const owner = await verifyMailboxToken(crypto, network, token)
      if (owner !== undefined && equalBytes(owner, mailbox)) await this.onToken(token)
      return true
    } catch {
      // No answer, or the device is not known here yet.
      return false
    }
  }

  /** Asks a replica for the tokens that deliveries were judged without; once more in the next round where that fails. Never rejects. */
  async fetchMissing(node: ListedNode): Promise<void> {
    const { view, tokens } = this.#components
    const isShared = (mailbox: DeviceId): boolean =>
      view.otherReplicas(view.shardOf(mailbox)).some(({ key }) => equalBytes(key, node.key))
    for (const mailbox of tokens.takeMissing(isShared)) {
      if (!(await this.fetchUnknown(node, mailbox))) tokens.noteMissing(mailbox)
    }
  }

  async #bring(
    mailbox: DeviceId,
    token: MailboxToken,
    replicas: ListedNode[],
    required = receiptsRequired(replicas, RECEIPTS_REQUIRED)
  ): Promise<void> {
    const { view, links, tokens } = this.#components
    const kept = replicas.map(node =>
      view.isSelf(node.key)
        ? tokens.keep(mailbox, token)
        : links.request<'putToken'>(node.key, { kind: 'putToken', token })
    )
    await enough(kept, required)
  }
}
