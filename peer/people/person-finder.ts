import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { isSameName, type Username } from '../../protocol/identity/username.ts'
import { PeerError } from '../errors.ts'
import type { Person } from '../peer-api.ts'
import type { ConnectionKeeper } from '../network/connection-keeper.ts'
import { ConnectionLost, NodeRefusal } from '../network/node-connection.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import { accountIdFromHex, type KnownAccount } from '../directory/known-account.ts'
import { usernameOrNothing } from '../directory/names.ts'
import type { OwnAccount } from '../store/own-account.ts'
import type { PersonViews } from './person-views.ts'

/** A question whose connection was lost is asked again if a new one is made within this. */
const RECONNECT_WAIT_MS = 6_000
/** The network is asked about a known person, too, if a connection is made within this. */
const KNOWN_WAIT_MS = 1_500

/** A name elsewhere, such as `x:ada`. */
const ELSEWHERE = /^([a-z0-9-]{1,32}):@?([A-Za-z0-9_.-]{1,64})$/

/** The accounts that there are conversations with. */
export interface Partners {
  partners(): AccountId[]
}

/** What people show to everybody who knows their username. */
export interface LookedUpProfiles {
  /** Waits a little for the profile of a person. Never rejects. */
  look(account: KnownAccount): Promise<void>
  /** Where a name elsewhere leads to. */
  usernameOf(provider: string, handle: string): Promise<{ accountId: AccountId; username: Username } | undefined>
}

export interface PersonFinderComponents {
  directory: DirectoryClient
  keeper: ConnectionKeeper
  people: PersonViews
  conversations: Partners
  account: () => OwnAccount
  publicProfiles: LookedUpProfiles
}

/** Finds people, by username, account id, or a name elsewhere that they want to be found by, with or without a connection. */
export class PersonFinder {
  readonly #components: PersonFinderComponents

  constructor(components: PersonFinderComponents) {
    this.#components = components
  }

  /** @returns null if nobody is found. @throws PeerError `offline`, `refused`, `bad-answer`, `name-disputed`. */
  async find(query: string): Promise<Person | null> {
    const text = query.trim()
    const offline = await this.#findOffline(text)
    const account = offline ?? (await this.#ask(() => this.#find(text)))
    if (!account) return null
    if (!offline) await this.#components.publicProfiles.look(account)
    return this.#components.people.person(account.accountId)
  }

  /** Those we know are found without the network, if a connection does not come about soon. */
  async #findOffline(query: string): Promise<KnownAccount | undefined> {
    const { directory, conversations, keeper } = this.#components
    if (keeper.connection) return undefined
    const username = usernameOrNothing(query)
    const partners = conversations.partners().map(accountId => directory.peek(toHex(accountId)))
    const known = partners.find(
      account =>
        account && (toHex(account.accountId) === query || (username && isSameName(account.username ?? '', username)))
    )
    if (!known) return undefined
    const isOnline = keeper.state === 'connecting' && (await keeper.isOnlineWithin(KNOWN_WAIT_MS))
    return isOnline ? undefined : known
  }

  /** Asks about a person again, and asks another operator too. @throws PeerError `no-account`, `offline`, `refused`, `bad-answer`. */
  async refresh(accountId: string): Promise<Person> {
    const { directory, people } = this.#components
    const id = accountIdFromHex(accountId)
    // No node lets a removed device in, yet its own record can still be read.
    if (equalBytes(id, this.#components.account().accountId) && people.me().deviceState !== 'live') {
      await directory.refreshOverHttp(id).catch((error: unknown) => {
        throw new PeerError('offline', { origin: null }, { cause: error })
      })
      return people.me()
    }
    const account = await this.#ask(() => directory.agree(id))
    if (!account) throw new PeerError('no-account')
    await this.#components.publicProfiles.look(account)
    return people.person(account.accountId)
  }

  async #find(query: string): Promise<KnownAccount | undefined> {
    if (/^[0-9a-f]{64}$/.test(query)) return this.#byId(accountIdFromHex(query))
    const elsewhere = ELSEWHERE.exec(query)
    if (elsewhere) return this.#byHandle(elsewhere[1]!, elsewhere[2]!)
    const username = usernameOrNothing(query)
    if (!username) return undefined
    const { name, accountId } = this.#components.account()
    if (name && isSameName(name.username, username) && name.state !== 'taken') return this.#byId(accountId)
    return this.#components.directory.findByName(username)
  }

  /** The name elsewhere only leads to a username: whose that is, two operators and the account's records say, as always. */
  async #byHandle(provider: string, handle: string): Promise<KnownAccount | undefined> {
    const { publicProfiles, directory } = this.#components
    const found = await publicProfiles.usernameOf(provider, handle)
    const account = found && (await directory.findByName(found.username))
    return account && equalBytes(account.accountId, found.accountId) ? account : undefined
  }

  async #byId(accountId: AccountId): Promise<KnownAccount | undefined> {
    const { directory, keeper } = this.#components
    const known = await directory.load(accountId)
    return known && !keeper.connection ? known : directory.account(accountId)
  }

  /** Asks a node; while a connection is being made, or is lost on the way, the next one is waited for, once. */
  async #ask<T>(ask: () => Promise<T>): Promise<T> {
    const { keeper } = this.#components
    if (keeper.state === 'connecting') await keeper.isOnlineWithin(RECONNECT_WAIT_MS)
    try {
      return await ask()
    } catch (error) {
      const isWorthRepeating = error instanceof ConnectionLost && (await keeper.isOnlineWithin(RECONNECT_WAIT_MS))
      if (!isWorthRepeating) throw asPeerError(error)
    }
    return ask().catch((error: unknown) => {
      throw asPeerError(error)
    })
  }
}

function asPeerError(error: unknown): unknown {
  if (error instanceof ConnectionLost) {
    return new PeerError('offline', { origin: null }, { cause: error })
  }
  if (error instanceof NodeRefusal) {
    return new PeerError('refused', { refusal: error.code }, { cause: error })
  }
  return error
}
