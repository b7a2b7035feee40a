import { equalBytes } from '../../protocol/bytes.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { nameTagsOf } from '../../protocol/directory/account.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { nameTagOf, parseUsername, type Username } from '../../protocol/identity/username.ts'
import { PeerError } from '../errors.ts'
import type { NameAvailability } from '../peer-api.ts'
import { ConnectionLost, NodeRefusal, type NodeConnection } from '../network/node-connection.ts'
import type { KnownAccount } from './known-account.ts'
import type { NetworkInfo } from '../network/network-info.ts'

/** Name tags kept: computing one takes a tenth of a second. */
const MAX_CACHED_TAGS = 500
/** Bytes of a tag shown to a node while a name is being chosen: it learns 1 of 65,536 groups, not the name. */
const AVAILABILITY_PREFIX_BYTES = 2

export interface NamesComponents {
  crypto: Crypto
  network: () => NetworkInfo
  /** The connection in use. @throws PeerError `offline`. */
  connection: () => NodeConnection
}

/** Usernames as nodes know them: by their tags, from which a name cannot be read. */
export class Names {
  readonly #components: NamesComponents
  readonly #tags = new Map<Username, Promise<Uint8Array>>()

  constructor(components: NamesComponents) {
    this.#components = components
  }

  /** The tag of a username in this network; slow the first time. */
  tagOf(username: Username): Promise<Uint8Array> {
    const known = this.#tags.get(username)
    if (known) return known
    const { id, genesis } = this.#components.network()
    const tag = nameTagOf(this.#components.crypto, id, genesis, username)
    this.#tags.set(username, tag)
    if (this.#tags.size > MAX_CACHED_TAGS) this.#tags.delete(this.#tags.keys().next().value!)
    return tag
  }

  /** Whether a name can be chosen, without telling the node which one. */
  async availability(username: Username): Promise<NameAvailability> {
    const tag = await this.tagOf(username)
    try {
      const prefix = tag.slice(0, AVAILABILITY_PREFIX_BYTES)
      const { matches, complete } = await this.#components
        .connection()
        .request({ kind: 'names', tagPrefix: prefix }, 'names')
      if (matches.some(match => equalBytes(match.tag, tag))) return 'taken'
      return complete ? 'available' : 'unknown'
    } catch (error) {
      if (error instanceof PeerError || error instanceof ConnectionLost || error instanceof NodeRefusal)
        return 'unknown'
      throw error
    }
  }

  /** Who holds a name, as the node in use says. */
  async holderOf(username: Username): Promise<AccountId | undefined> {
    return this.holderAt(this.#components.connection(), username)
  }

  /** Who holds a name, as the node of a connection says. */
  async holderAt(connection: NodeConnection, username: Username): Promise<AccountId | undefined> {
    const tag = await this.tagOf(username)
    const { matches } = await connection.request({ kind: 'names', tagPrefix: tag }, 'names')
    return matches.find(match => equalBytes(match.tag, tag))?.accountId
  }

  /** Whether an account's own records claim a name. */
  async isClaimedBy(account: KnownAccount, username: Username): Promise<boolean> {
    const tag = await this.tagOf(username)
    return nameTagsOf(account.checked.account).some(claimed => equalBytes(claimed, tag))
  }
}

/** @returns undefined for text that is no username. */
export function usernameOrNothing(text: string): Username | undefined {
  try {
    return parseUsername(text)
  } catch {
    return undefined
  }
}
