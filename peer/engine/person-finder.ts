import { toHex } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { Username } from '../../protocol/identity/username.ts'
import { PeerError, type Person } from '../peer-api.ts'
import { ConnectionLost, NodeRefusal } from '../transport/node-connection.ts'
import type { Chat } from './chat.ts'
import { usernameOrNothing } from './directory-client.ts'
import { accountIdFromHex, type KnownAccount } from './known-account.ts'
import type { OwnAccount } from './own-account.ts'

/** A question that lost its node is put to the next one, if that is found within this. */
const RECONNECT_WAIT_MS = 6_000

/** Finds people, by username or account id, with or without a connection. */
export class PersonFinder {
  readonly #chat: Chat
  readonly #own: () => OwnAccount

  constructor(chat: Chat, own: () => OwnAccount) {
    this.#chat = chat
    this.#own = own
  }

  /** @returns null if nobody is found. @throws PeerError `offline`, `refused`. */
  async find(query: string): Promise<Person | null> {
    const account = await this.#ask(() => this.#find(query.trim()))
    return account ? this.#chat.people.person(account.accountId) : null
  }

  /** Asks anew about a person, and another operator too. @throws PeerError `not-found`, `offline`, `refused`. */
  async refresh(accountId: string): Promise<Person> {
    const { directory, people } = this.#chat
    const account = await this.#ask(() => directory.account(accountIdFromHex(accountId), 0))
    if (!account) throw new PeerError('not-found', 'There is no such account.')
    return people.person((await directory.confirm(account)).accountId)
  }

  async #find(query: string): Promise<KnownAccount | undefined> {
    if (/^[0-9a-f]{64}$/.test(query)) return this.#byId(accountIdFromHex(query))
    const username = usernameOrNothing(query)
    if (!username) return undefined
    const { name, accountId } = this.#own()
    if (name?.username === username && name.state !== 'taken') return this.#byId(accountId)
    return this.#chat.keeper.connection ? this.#chat.directory.findByName(username) : this.#byNameOffline(username)
  }

  async #byId(accountId: AccountId): Promise<KnownAccount | undefined> {
    const { directory, keeper } = this.#chat
    const known = await directory.load(accountId)
    return known && !keeper.connection ? known : directory.account(accountId)
  }

  /** Those we talk to are known by name. @throws PeerError `offline` for all others. */
  async #byNameOffline(username: Username): Promise<KnownAccount | undefined> {
    const { directory, conversations } = this.#chat
    const partners = conversations.all().map(({ accountId }) => directory.peek(toHex(accountId)))
    return partners.find(known => known?.username === username) ?? directory.findByName(username)
  }

  /** Asks a node; while a connection is being made, or is lost on the way, the next one is waited for, once. */
  async #ask<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#chat.status.state === 'connecting') await this.#chat.online(RECONNECT_WAIT_MS)
    try {
      return await ask()
    } catch (error) {
      const isWorthRepeating = error instanceof ConnectionLost && (await this.#chat.online(RECONNECT_WAIT_MS))
      if (!isWorthRepeating) throw inPeerWords(error)
    }
    return ask().catch((error: unknown) => {
      throw inPeerWords(error)
    })
  }
}

function inPeerWords(error: unknown): unknown {
  if (error instanceof ConnectionLost) {
    return new PeerError('offline', 'The connection was lost. It is being made anew.', { cause: error })
  }
  if (error instanceof NodeRefusal) {
    return new PeerError('refused', `The node answered: ${error.message}`, { cause: error })
  }
  return error
}
