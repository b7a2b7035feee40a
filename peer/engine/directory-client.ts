import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { nameTagsOf } from '../../protocol/directory/account.ts'
import { compareProofs, decodeProof } from '../../protocol/directory/proof.ts'
import type { DirectoryView } from '../../protocol/conversation/roster-resolution.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { decodeBundle, type DeviceBundle } from '../../protocol/identity/bundle.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { nameTagOf, parseUsername, type Username } from '../../protocol/identity/username.ts'
import type { NodeFrameOf } from '../../protocol/wire/peer-frames.ts'
import { PeerError, type AccountHex, type NameAvailability } from '../peer-api.ts'
import type { Log, Timers } from '../ports.ts'
import type { SealedStore } from '../store/sealed-store.ts'
import { ConnectionLost, NodeRefusal, type NodeConnection } from '../transport/node-connection.ts'
import {
  decodeStoredAccount,
  encodeStoredAccount,
  knowAccount,
  storedAccount,
  type KnownAccount,
  type StoredAccount
} from './known-account.ts'
import type { NetworkInfo } from './network-info.ts'

/** An answer of the directory is taken without asking again for this long. */
export const FRESH_MS = 30_000
/** Pending records that the node in use does not know (yet) are believed for this long after another told of them. */
const PENDING_TRUST_MS = 5 * 60_000
/** Accounts kept in memory with their checked proofs. */
const MAX_CACHED_ACCOUNTS = 2_000
/** Name tags kept: computing one takes a tenth of a second. */
const MAX_CACHED_TAGS = 500
/** Bytes of a tag shown to a node while a name is being chosen: it learns 1 of 65,536 groups, not the name. */
const AVAILABILITY_PREFIX_BYTES = 2

export interface DirectoryComponents {
  crypto: Crypto
  store: SealedStore
  timers: Timers
  log: Log
  network: () => NetworkInfo
  /** The connection in use. @throws PeerError `offline`. */
  connection: () => NodeConnection
  /** A short connection to a node of another operator, or undefined if there is none. */
  otherOperator: () => Promise<NodeConnection | undefined>
  onChange: (account: KnownAccount) => void
}

/** Accounts, names and bundles, as nodes tell them and as they are checked here. */
export class DirectoryClient {
  readonly #components: DirectoryComponents
  readonly #accounts = new Map<AccountHex, KnownAccount>()
  readonly #underway = new Map<AccountHex, Promise<KnownAccount | undefined>>()
  readonly #tags = new Map<Username, Promise<Uint8Array>>()

  constructor(components: DirectoryComponents) {
    this.#components = components
  }

  /** For `resolveRoster`: what is in memory. {@link load} first. */
  readonly view: DirectoryView = accountId => this.#accounts.get(toHex(accountId))?.view

  /** The account as last checked, from memory or store. */
  async load(accountId: AccountId): Promise<KnownAccount | undefined> {
    const key = toHex(accountId)
    const cached = this.#accounts.get(key)
    if (cached) return cached
    const bytes = await this.#components.store.get({ space: 'account', id: key })
    if (!bytes) return undefined
    try {
      const known = await knowAccount(this.#components.crypto, this.#components.network(), decodeStoredAccount(bytes))
      this.#remember(known)
      return known
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      // Written by another version: it is asked for anew.
      this.#components.log.warn('a stored account could not be read', { code: error.code })
      return undefined
    }
  }

  /** In memory only; undefined until {@link load} or {@link refresh}. */
  peek(accountId: AccountHex): KnownAccount | undefined {
    return this.#accounts.get(accountId)
  }

  /**
   * The account, asked anew if what we have is older than `maxAgeMs`.
   * @returns undefined if no record of it exists.
   * @throws PeerError `offline`, `refused` if the node's answer contradicts itself.
   */
  async account(accountId: AccountId, maxAgeMs = FRESH_MS): Promise<KnownAccount | undefined> {
    const known = await this.load(accountId)
    if (known && this.#components.timers.now() - known.checkedAt < maxAgeMs) return known
    return this.refresh(accountId)
  }

  /** Asks for the account now. Simultaneous calls share one request. */
  refresh(accountId: AccountId): Promise<KnownAccount | undefined> {
    const key = toHex(accountId)
    const underway = this.#underway.get(key) ?? this.#fetch(accountId).finally(() => this.#underway.delete(key))
    this.#underway.set(key, underway)
    return underway
  }

  async #fetch(accountId: AccountId): Promise<KnownAccount | undefined> {
    const known = await this.load(accountId)
    const answer = await askOrNothing(() =>
      this.#components.connection().request({ kind: 'account', accountId }, 'account')
    )
    // A node that knows nothing of an account we know is behind, or withholds: what we have stays.
    if (!answer) return known
    const fresh = await this.#withoutLostName(await this.#check(answer, accountId, known), known)
    if (known && isBehind(fresh, known, this.#components.timers.now())) return known
    await this.save(fresh)
    return fresh
  }

  /** A name that the records no longer claim is not shown any more. */
  async #withoutLostName(fresh: KnownAccount, known: KnownAccount | undefined): Promise<KnownAccount> {
    if (!known || fresh.username === null) return fresh
    const isUnchanged = fresh.checked.account.names.length === known.checked.account.names.length
    if (isUnchanged || (await this.#claims(fresh, fresh.username as Username))) return fresh
    return { ...fresh, username: null, nameConfirmed: false }
  }

  async #check(
    answer: NodeFrameOf<'account'>,
    accountId: AccountId,
    known: KnownAccount | undefined
  ): Promise<KnownAccount> {
    const { crypto, timers, network } = this.#components
    try {
      const stored = storedAccount(decodeProof(answer.proof), answer.proof, timers.now())
      if (!equalBytes(stored.accountId, accountId)) throw new ProtocolError('NOT_FOR_US', 'proof of another account')
      const fresh = await knowAccount(
        crypto,
        network(),
        known ? { ...carriedOver(known), ...pickFresh(stored) } : stored
      )
      // Two operators agreed on the records as they were: what is new has one operator's word only.
      const isUnchanged = known !== undefined && compareProofs(known.checked, fresh.checked) === 'same'
      return isUnchanged ? fresh : { ...fresh, trust: 'L1' }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#components.log.warn('a node sent a proof that does not hold', { code: error.code })
      throw new PeerError(
        'refused',
        'The node’s answer about this account does not hold. Nothing was accepted from it.',
        {
          cause: error
        }
      )
    }
  }

  /** Stores an account as it is now known and tells who watches. */
  async save(account: KnownAccount): Promise<void> {
    await this.#components.store.batch([
      { space: 'account', id: toHex(account.accountId), value: encodeStoredAccount(account) }
    ])
    this.#remember(account)
    this.#components.onChange(account)
  }

  #remember(account: KnownAccount): void {
    const key = toHex(account.accountId)
    this.#accounts.delete(key)
    this.#accounts.set(key, account)
    if (this.#accounts.size > MAX_CACHED_ACCOUNTS) this.#accounts.delete(this.#accounts.keys().next().value!)
  }

  /** The tag of a username in this network; slow the first time. */
  tagOf(username: Username): Promise<Uint8Array> {
    const known = this.#tags.get(username)
    if (known) return known
    const { id, genesis } = this.#components.network()
    const tag = nameTagOf(id, genesis, username)
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
    const tag = await this.tagOf(username)
    return holderAt(this.#components.connection(), tag)
  }

  /**
   * Finds an account by its username: a node names it, the account's own records must claim it. Where the node in use
   * knows nobody, another operator's is asked, so that a node alone can neither hide anybody nor, just started, forget them.
   *
   * @returns undefined if nobody is known to hold the name.
   */
  async findByName(username: Username): Promise<KnownAccount | undefined> {
    const holder =
      (await this.holderOf(username)) ?? (await this.#holderElsewhere(username)) ?? this.#knownHolder(username)
    if (!holder) return undefined
    const account = await this.account(holder)
    if (!account || !(await this.#claims(account, username))) return undefined
    if (account.username === username && account.nameConfirmed) return account
    const named: KnownAccount = {
      ...account,
      username,
      nameConfirmed: account.username === username && account.nameConfirmed
    }
    await this.save(named)
    return this.confirm(named)
  }

  async #holderElsewhere(username: Username): Promise<AccountId | undefined> {
    const other = await this.#components.otherOperator()
    try {
      return other && (await holderAt(other, await this.tagOf(username)))
    } catch (error) {
      this.#components.log.debug('no second opinion', { reason: String(error) })
      return undefined
    } finally {
      other?.close('asked')
    }
  }

  /** Somebody whose name was confirmed before. */
  #knownHolder(username: Username): AccountId | undefined {
    for (const { username: name, accountId } of this.#accounts.values()) if (name === username) return accountId
    return undefined
  }

  async #claims(account: KnownAccount, username: Username): Promise<boolean> {
    const tag = await this.tagOf(username)
    return nameTagsOf(account.checked.account).some(claimed => equalBytes(claimed, tag))
  }

  /** Takes a name that somebody gave as their own, if directory and records agree. */
  async checkClaimedName(account: KnownAccount, text: string): Promise<KnownAccount> {
    const username = usernameOrNothing(text)
    if (!username || account.username === username) return account
    const holder = await this.holderOf(username)
    if (!holder || !equalBytes(holder, account.accountId)) return account
    return (await this.findByName(username)) ?? account
  }

  /** Asks a node of another operator for the same record and name. Never fails: without a second opinion all stays. */
  async confirm(account: KnownAccount): Promise<KnownAccount> {
    let other: NodeConnection | undefined
    try {
      other = await this.#components.otherOperator()
      if (!other) return account
      const confirmed = await this.#compare(account, other)
      await this.save(confirmed)
      return confirmed
    } catch (error) {
      this.#components.log.debug('no second opinion', { reason: String(error) })
      return account
    } finally {
      other?.close('asked')
    }
  }

  async #compare(account: KnownAccount, other: NodeConnection): Promise<KnownAccount> {
    const { accountId } = account
    let { trust, contradicted, nameConfirmed } = account
    const answer = await askOrNothing(() => other.request({ kind: 'account', accountId }, 'account'))
    if (answer) {
      const second = await this.#check(answer, accountId, undefined)
      const comparison = compareProofs(account.checked, second.checked)
      // "ahead" or "behind" is a matter of blocks; only a contradiction holds sending.
      contradicted = comparison === 'contradiction'
      if (comparison === 'same') trust = 'L2'
    }
    if (account.username !== null) {
      const holder = await holderAt(other, await this.tagOf(account.username as Username))
      nameConfirmed = holder !== undefined && equalBytes(holder, accountId)
    }
    return { ...account, trust, contradicted, nameConfirmed }
  }

  /** Current bundles of an account's devices; broken ones are left out. Each is verified when it is used. */
  async bundles(accountId: AccountId): Promise<DeviceBundle[]> {
    const { bundles } = await this.#components.connection().request({ kind: 'bundles', accountId }, 'bundles')
    return bundles.flatMap(bytes => {
      try {
        return [decodeBundle(bytes)]
      } catch {
        return []
      }
    })
  }
}

/** What stays when a fresh proof replaces an older one. */
function carriedOver(known: KnownAccount): StoredAccount {
  const { checked: _checked, current: _current, view: _view, ...stored } = known
  return stored
}

const pickFresh = ({ proof, checkedAt }: StoredAccount): Pick<StoredAccount, 'proof' | 'checkedAt'> => ({
  proof,
  checkedAt
})

/**
 * Whether a proof shows less than the one we have, from a source that has not seen as much: fewer records at an older tip,
 * or the same records without the pending ones that another node told us of just now.
 */
function isBehind(fresh: KnownAccount, known: KnownAccount, now: number): boolean {
  const [less, more] = [fresh.checked.places, known.checked.places]
  if (less.length >= more.length) return false
  if (fresh.checked.tip.height < known.checked.tip.height) return true
  const isPrefix = less.every(({ recordId }, i) => equalBytes(recordId, more[i]!.recordId))
  const isPendingBeyond = more.slice(less.length).every(({ order }) => order === null)
  return isPrefix && isPendingBeyond && now - known.checkedAt < PENDING_TRUST_MS
}

async function holderAt(connection: NodeConnection, tag: Uint8Array): Promise<AccountId | undefined> {
  const { matches } = await connection.request({ kind: 'names', tagPrefix: tag }, 'names')
  return matches.find(match => equalBytes(match.tag, tag))?.accountId
}

/** @returns undefined if the node answers that there is no such thing. */
async function askOrNothing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof NodeRefusal && error.code === 'not-found') return undefined
    throw error
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
