import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { Clock, Crypto } from '../../protocol/crypto/crypto.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { isLinkedAccount } from '../../protocol/identity/linked-account.ts'
import { MAX_PROFILES_PER_HANDLE, RECEIPTS_REQUIRED } from '../../protocol/limits.ts'
import type { NetworkId } from '../../protocol/network.ts'
import {
  decodePublicProfile,
  encodePublicProfile,
  isFromTheFuture,
  isNewerProfile,
  placesOf,
  verifyPublicProfile,
  type PublicProfile
} from '../../protocol/profile/public-profile.ts'
import { receiptsRequired, type ListedNode } from '../../protocol/wire/placement.ts'
import { NodeError } from '../errors.ts'
import type { DirectoryPort } from '../key-directory/directory-port.ts'
import { RateLimiter } from '../limits/rate-limiter.ts'
import type { NetworkView } from '../network/network-view.ts'
import type { NodeLinks } from '../network/node-links.ts'
import type { AuthenticatedDevice } from '../ports.ts'
import type { ProfileStore } from '../profiles/profile-store.ts'
import { enough } from './enough.ts'

const HOUR_MS = 60 * 60 * 1000
/** Public profiles that one account may hand in within an hour. */
export const PROFILES_PER_ACCOUNT_PER_HOUR = 60
/** A replica that does not answer a question by then is left out. */
const ASK_TIMEOUT_MS = 1_000

export interface ProfileReplicationComponents {
  crypto: Crypto
  network: NetworkId
  clock: Clock
  view: NetworkView
  links: NodeLinks
  directory: Pick<DirectoryPort, 'device'>
  profiles: ProfileStore
}

/**
 * Brings a public profile to the replicas of its places, and asks them for it. A place is the account, or the tag of a name
 * elsewhere. A profile whose device was removed from the account counts as none, here and at its readers.
 */
export class ProfileReplication {
  readonly #components: ProfileReplicationComponents
  readonly #perAccount: RateLimiter

  constructor(components: ProfileReplicationComponents) {
    this.#components = components
    this.#perAccount = new RateLimiter(components, { limit: PROFILES_PER_ACCOUNT_PER_HOUR, windowMs: HOUR_MS })
  }

  /**
   * Takes the profile that a device hands in for its account. Where the one before it was kept under other names elsewhere, it ends
   * there.
   * @throws NodeError `malformed`, `refused`, `rate-limited`, `busy` if too few replicas could keep it.
   */
  async publish(encoded: Uint8Array, from: AuthenticatedDevice): Promise<void> {
    const { crypto, network } = this.#components
    const profile = decoded(encoded)
    if (!equalBytes(profile.deviceId, from.deviceId) || !equalBytes(profile.accountId, from.accountId)) {
      throw new NodeError('refused', 'a device hands in the profile of its own account, signed by itself')
    }
    if (!this.#perAccount.spend(toHex(from.accountId))) {
      throw new NodeError('rate-limited', 'this account has changed its profile too often; try again in an hour')
    }
    await this.#requireSound(profile)
    const places = placesOf(crypto, network, profile)
    const before = await this.ask(profile.accountId)
    const left = before
      .flatMap(each => placesOf(crypto, network, decoded(each)))
      .filter(place => !places.some(other => equalBytes(other, place)))
    // The account's own place comes last: a reader who finds the person by a name elsewhere compares with it.
    for (const place of places.slice(1)) {
      await this.#bring(place, encoded).catch((error: unknown) => {
        // Others must not keep the account from changing what it shows.
        if (!isFullPlace(error)) throw error
      })
    }
    await this.#bring(profile.accountId, encoded)
    // A replica that does not hear of it keeps the old one, which readers do not take: the account's own does not name it.
    await Promise.allSettled(left.map(place => this.#bring(place, encoded)))
  }

  /** Keeps a profile that another node brings, or lets go of the one that it ends. @throws NodeError as {@link publish}, `not-a-replica`. */
  async onProfile(place: Uint8Array, encoded: Uint8Array): Promise<void> {
    const { view } = this.#components
    if (!view.keeps(view.shardOf(place))) throw new NodeError('not-a-replica', 'other nodes keep this place')
    const profile = decoded(encoded)
    await this.#requireSound(profile)
    await this.#keep(place, profile)
  }

  /** The encoded profiles that this node keeps at a place, of devices that live. */
  async at(place: Uint8Array): Promise<Uint8Array[]> {
    const shown: Uint8Array[] = []
    for (const profile of await this.#components.profiles.at(place)) {
      if (await this.#isOfLiveDevice(profile)) shown.push(encodePublicProfile(profile))
    }
    return shown.slice(0, MAX_PROFILES_PER_HANDLE)
  }

  /** The newest encoded profile of each account that the replicas of a place have. Replicas that do not answer are left out. */
  async ask(place: Uint8Array): Promise<Uint8Array[]> {
    const { view, links } = this.#components
    const shard = view.shardOf(place)
    const answers = view.otherReplicas(shard).map(async node => {
      const asked = { kind: 'getProfiles' as const, place }
      return (await links.request<'getProfiles'>(node.key, asked, ASK_TIMEOUT_MS)).profiles
    })
    if (view.keeps(shard)) answers.push(this.at(place))
    const newest = new Map<string, PublicProfile>()
    for (const answer of await Promise.allSettled(answers)) {
      for (const bytes of answer.status === 'fulfilled' ? answer.value : []) {
        const profile = await this.#soundOrNothing(bytes)
        // A replica could push the right ones out with profiles of other accounts.
        if (!profile || !this.#isNamed(place, profile)) continue
        const before = newest.get(toHex(profile.accountId))
        if (!before || isNewerProfile(profile, before)) newest.set(toHex(profile.accountId), profile)
      }
    }
    const found = [...newest.values()].slice(0, MAX_PROFILES_PER_HANDLE)
    // A replica that missed a change has it from the first question on.
    if (view.keeps(shard)) await Promise.allSettled(found.map(profile => this.#keep(place, profile)))
    return found.map(encodePublicProfile)
  }

  async #bring(place: Uint8Array, encoded: Uint8Array): Promise<void> {
    const { view, links } = this.#components
    const profile = decoded(encoded)
    const keep = (node: ListedNode): Promise<unknown> =>
      view.isSelf(node.key)
        ? this.#keep(place, profile)
        : links.request<'putProfile'>(node.key, { kind: 'putProfile', place, profile: encoded })
    const attempts = view.epochs.map(epoch => {
      const replicas = view.replicas(epoch, view.shardOf(place))
      return enough(replicas.map(keep), receiptsRequired(replicas, RECEIPTS_REQUIRED))
    })
    await Promise.all(attempts)
  }

  async #keep(place: Uint8Array, profile: PublicProfile): Promise<void> {
    const isNamed = this.#isNamed(place, profile)
    const keep = (): Promise<boolean> =>
      this.#components.profiles.change(place, profile.accountId, async before => {
        const isOvertaken = before && !isNewerProfile(profile, before) && (await this.#isOfLiveDevice(before))
        if (isOvertaken) return undefined
        if (isNamed) return encodePublicProfile(profile)
        return before ? null : undefined
      })
    if (await keep()) return
    await this.#dropDead(place)
    if (!(await keep())) throw new NodeError('refused', 'too many accounts are found by this name')
  }

  /** Deletes the profiles of a place that are not shown any more: they must not take the room of others. */
  async #dropDead(place: Uint8Array): Promise<void> {
    const { profiles } = this.#components
    for (const { accountId } of await profiles.at(place)) {
      await profiles.change(place, accountId, async before =>
        before && !(await this.#isOfLiveDevice(before)) ? null : undefined
      )
    }
  }

  #isNamed(place: Uint8Array, profile: PublicProfile): boolean {
    const { crypto, network } = this.#components
    return placesOf(crypto, network, profile).some(each => equalBytes(each, place))
  }

  /** @throws NodeError `refused`; `busy` while the directory here does not know the device yet. */
  async #requireSound(profile: PublicProfile): Promise<void> {
    const { crypto, network, clock, directory, view } = this.#components
    const device = await directory.device(profile.deviceId)
    if (device === undefined) throw new NodeError('busy', 'this device is not known here yet')
    const isTheirs = equalBytes(device.accountId, profile.accountId) && device.state !== 'revoked'
    if (!isTheirs || !(await verifyPublicProfile(crypto, network, device.keys.signingKey, profile))) {
      throw new NodeError('refused', 'the profile is not signed by a device of its account')
    }
    if (isFromTheFuture(profile, clock())) throw new NodeError('refused', 'the profile is from a time to come')
    for (const linked of profile.foundBy?.accounts ?? []) {
      const isSaid =
        linked.handle !== null &&
        view.listed(linked.nodeKey) !== undefined &&
        (await isLinkedAccount(crypto, network, profile.accountId, linked))
      // Else anybody could take the place of a name that is another person's.
      if (!isSaid) throw new NodeError('refused', 'no node of this network says that the name elsewhere is theirs')
    }
  }

  async #soundOrNothing(encoded: Uint8Array): Promise<PublicProfile | undefined> {
    try {
      const profile = decoded(encoded)
      await this.#requireSound(profile)
      return profile
    } catch (error) {
      if (error instanceof NodeError) return undefined
      throw error
    }
  }

  async #isOfLiveDevice({ deviceId, accountId }: PublicProfile): Promise<boolean> {
    const device = await this.#components.directory.device(deviceId)
    return device !== undefined && device.state !== 'revoked' && equalBytes(device.accountId, accountId)
  }
}

/** Whether replicas of a place refused a profile that is sound: other accounts have taken all of the place. */
function isFullPlace(error: unknown): boolean {
  return error instanceof NodeError && error.cause instanceof NodeError && error.cause.code === 'refused'
}

/** @throws NodeError `malformed`, `too-large`. */
function decoded(encoded: Uint8Array): PublicProfile {
  try {
    return decodePublicProfile(encoded)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new NodeError(error.code === 'TOO_LARGE' ? 'too-large' : 'malformed', error.message, { cause: error })
  }
}
