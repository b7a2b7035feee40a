/**
 * Deletes the account as far as anybody can: what nodes keep for it, its names, its devices. The order matters: what is signed by a
 * device comes before that device goes, and this one goes last.
 */
import { toHex } from '../../protocol/bytes.ts'
import { deviceOf, isLive } from '../../protocol/directory/account.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { ObjectClient } from '../objects/object-client.ts'
import type { ObjectNode, SignedRequests } from '../objects/signed-requests.ts'
import type { DeletedAccount } from '../peer-api.ts'
import type { DeviceRemoval } from './device-removal.ts'
import type { NameClaim } from './name-claim.ts'

export interface AccountDeletionComponents {
  context: EngineContext
  directory: DirectoryClient
  client: ObjectClient
  requests: SignedRequests
  nameClaim: Pick<NameClaim, 'release'>
  /** Takes the public profile away from nodes. */
  publicProfile: { withdraw(): Promise<void> }
  deviceRemoval: Pick<DeviceRemoval, 'remove'>
}

export class AccountDeletion {
  readonly #components: AccountDeletionComponents

  constructor(components: AccountDeletionComponents) {
    this.#components = components
  }

  /**
   * @param anyway - goes on although nodes do not answer: what they keep for the account stays there.
   * @throws PeerError `nodes-silent` before names and devices go; `offline`, and as `DeviceRemoval.remove`.
   */
  async run({ anyway }: { anyway: boolean }): Promise<DeletedAccount> {
    const { context, nameClaim } = this.#components
    const { nodes } = context.network().epoch
    const emptied = await Promise.all(nodes.map(node => this.#emptyAt(node)))
    const silent = emptied.filter(count => count === undefined).length
    if (silent > 0 && !anyway) throw new PeerError('nodes-silent', { count: silent })
    await this.#withdrawProfile(anyway)
    const objects = emptied.reduce<number>((sum, count) => sum + (count ?? 0), 0)
    const names = await nameClaim.release()
    return { objects, silentNodes: silent, names, devices: await this.#removeDevices() }
  }

  /** While the account still has a name, and a device that signs. */
  async #withdrawProfile(anyway: boolean): Promise<void> {
    try {
      await this.#components.publicProfile.withdraw()
    } catch (cause) {
      this.#components.context.log.debug('the public profile was not taken away', { reason: String(cause) })
      if (!anyway) throw new PeerError('nodes-silent', { count: 1 }, { cause })
    }
  }

  /** @returns how many objects the node has removed; undefined if it does not answer. */
  async #emptyAt(node: ObjectNode): Promise<number | undefined> {
    const { context, client, requests } = this.#components
    try {
      let removed = 0
      for (let page = await client.list(node); page.objects.length > 0; page = await client.list(node)) {
        for (const { hash } of page.objects) await client.remove(node, hash)
        removed += page.objects.length
      }
      await requests.ask(node, { method: 'DELETE', path: `/v1/backups/${toHex(context.accountId())}` })
      return removed
    } catch (error) {
      context.log.debug('a node was not emptied', { reason: String(error) })
      return undefined
    }
  }

  /** Others first, then this one. */
  async #removeDevices(): Promise<number> {
    const { context, directory, deviceRemoval } = this.#components
    const own = await directory.account(context.accountId(), 0)
    if (!own) throw new PeerError('offline', { origin: null })
    const { deviceId } = context.device()
    const others = own.current.devices.filter(device => isLive(device) && toHex(device.deviceId) !== toHex(deviceId))
    for (const other of others) await deviceRemoval.remove(other.deviceId)
    const self = deviceOf(own.current, deviceId)
    if (self && isLive(self)) await deviceRemoval.remove(deviceId)
    return others.length + 1
  }
}
