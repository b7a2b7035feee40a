/** Asks nodes for the public profiles of people, and checks what they answer. */
import { equalBytes } from '../../protocol/bytes.ts'
import { deviceOf, isLive } from '../../protocol/directory/account.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { isLinkedAccount, type LinkedAccount } from '../../protocol/identity/linked-account.ts'
import type { Username } from '../../protocol/identity/username.ts'
import {
  decodePublicProfile,
  encodePublicProfile,
  handlePlace,
  isFromTheFuture,
  isNewerProfile,
  openContents,
  publicProfileKey,
  verifyPublicProfile,
  type PublicProfile
} from '../../protocol/profile/public-profile.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { KnownAccount } from '../directory/known-account.ts'
import { usernameOrNothing } from '../directory/names.ts'
import type { EngineContext } from '../engine-context.ts'
import type { NodeConnection } from '../network/node-connection.ts'
import type { PublicProfileBook } from './public-profile-book.ts'

/** Keys that are kept: making one takes a tenth of a second. */
const MAX_CACHED_KEYS = 100

export interface PublicProfileReaderComponents {
  context: EngineContext
  directory: DirectoryClient
  /** The connection in use. @throws PeerError `offline`. */
  connection: () => NodeConnection
  book: PublicProfileBook
}

/** A name elsewhere, such as `ada` at `x`. */
export interface HandleElsewhere {
  provider: string
  handle: string
}

export class PublicProfileReader {
  readonly #components: PublicProfileReaderComponents
  readonly #keys = new Map<Username, Promise<Uint8Array>>()

  constructor(components: PublicProfileReaderComponents) {
    this.#components = components
  }

  /**
   * Looks a person's public profile up. One that is older than the one seen before, or that is missing, is not taken without
   * asking another operator: a node could bring back what the person has taken away.
   *
   * @throws as a request to a node does.
   */
  async look(account: KnownAccount): Promise<void> {
    const { context, book, directory, connection } = this.#components
    const before = book.seen(account.accountId)
    const known = before && decodePublicProfile(before.encoded)
    let newest = await this.#newestAt(connection(), account)
    const isBehind = known && (!newest || isNewerProfile(known, newest))
    if (isBehind) {
      context.log.warn('a node gives an older public profile than this device has seen')
      newest = await directory.opinion.ask(other => this.#newestAt(other, account)).catch(() => undefined)
    }
    if (!newest || (known && isNewerProfile(known, newest))) return
    const username = usernameOrNothing(account.username ?? '')
    const { id } = context.network()
    const contents = username && openContents(context.crypto, id, await this.keyOf(username), newest)
    const encoded = encodePublicProfile(newest)
    await book.keep({
      accountId: account.accountId,
      deviceId: newest.deviceId,
      encoded,
      contents: contents ?? null
    })
  }

  /** The key of the profile of a username in this network; slow the first time. */
  keyOf(username: Username): Promise<Uint8Array> {
    const known = this.#keys.get(username)
    if (known) return known
    const { id, genesis } = this.#components.context.network()
    const key = publicProfileKey(id, genesis, username)
    this.#keys.set(username, key)
    if (this.#keys.size > MAX_CACHED_KEYS) this.#keys.delete(this.#keys.keys().next().value!)
    return key
  }

  /** The profile that a node has of an account, signed by a device that lives; undefined for none. */
  async newest(account: KnownAccount): Promise<PublicProfile | undefined> {
    return this.#newestAt(this.#components.connection(), account)
  }

  /**
   * Finds the account that wants to be found by a name elsewhere. A node of the network has to say that the name is theirs, and the
   * profile at the account's own place has to name it still. Of several the one that signed in there last.
   *
   * @returns the username that the name leads to; whose it is the directory says.
   */
  async accountOf(elsewhere: HandleElsewhere): Promise<{ accountId: AccountId; username: Username } | undefined> {
    const { context, connection, directory } = this.#components
    const place = handlePlace(context.crypto, context.network().id, elsewhere.provider, elsewhere.handle)
    let best: { accountId: AccountId; username: Username; time: number } | undefined
    for (const { accountId } of await profilesAt(connection(), place)) {
      const account = await directory.account(accountId)
      const profile = account && (await this.newest(account))
      const username = usernameOrNothing(profile?.foundBy?.username ?? '')
      const linked = profile?.foundBy?.accounts.find(each => isNamed(each, elsewhere))
      if (!username || !linked || !(await this.#isSaid(accountId, linked))) continue
      if (!best || linked.time > best.time) best = { accountId, username, time: linked.time }
    }
    return best
  }

  async #isSaid(accountId: AccountId, linked: LinkedAccount): Promise<boolean> {
    const { crypto, network } = this.#components.context
    const isListed = network().epoch.nodes.some(({ key }) => equalBytes(key, linked.nodeKey))
    return isListed && isLinkedAccount(crypto, network().id, accountId, linked)
  }

  async #newestAt(node: NodeConnection, account: KnownAccount): Promise<PublicProfile | undefined> {
    const { crypto, network, timers } = this.#components.context
    let newest: PublicProfile | undefined
    for (const profile of await profilesAt(node, account.accountId)) {
      const device = deviceOf(account.current, profile.deviceId)
      const isSound =
        device !== undefined &&
        isLive(device) &&
        equalBytes(profile.accountId, account.accountId) &&
        !isFromTheFuture(profile, timers.now()) &&
        (await verifyPublicProfile(crypto, network().id, device.keys.signingKey, profile))
      if (isSound && (!newest || isNewerProfile(profile, newest))) newest = profile
    }
    return newest
  }
}

const isNamed = (linked: LinkedAccount, { provider, handle }: HandleElsewhere): boolean =>
  linked.provider === provider && linked.handle?.toLowerCase() === handle.toLowerCase()

/** What cannot be read is left out. */
async function profilesAt(node: NodeConnection, place: Uint8Array): Promise<PublicProfile[]> {
  const { profiles } = await node.request({ kind: 'profiles', place }, 'profiles')
  return profiles.flatMap(encoded => {
    try {
      return [decodePublicProfile(encoded)]
    } catch {
      return []
    }
  })
}
