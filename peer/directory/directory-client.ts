import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { compareProofs, decodeProof, type ProofComparison } from '../../protocol/directory/proofs/proof.ts'
import type { DirectoryView } from '../../protocol/roster/roster-resolution.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { Username } from '../../protocol/identity/username.ts'
import { PeerError } from '../errors.ts'
import type { AccountHex } from '../peer-api.ts'
import type { HttpClient } from '../ports.ts'
import type { SealedStore } from '../store/sealed-store.ts'
import type { NodeConnection } from '../network/node-connection.ts'
import { AccountBundles } from './account-bundles.ts'
import { carriedOver, isBehind, isUnchanged, pickFresh, withholds } from './account-news.ts'
import { askForAccount, proofOverHttp } from './account-source.ts'
import {
  decodeStoredAccount,
  devicesToSealTo,
  encodeStoredAccount,
  isFresh,
  knowAccount,
  storedAccount,
  type KnownAccount
} from './known-account.ts'
import { Names, usernameOrNothing } from './names.ts'
import type { PersonTrust } from './person-trust.ts'
import { OperatorCrossCheck, type OperatorCrossCheckComponents } from './operator-cross-check.ts'

/** An answer of the directory is taken without asking again for this long. */
export const FRESH_MS = 30_000
/** Accounts kept in memory with their checked proofs. */
const MAX_CACHED_ACCOUNTS = 2_000
/** Another operator is asked about records that a node leaves out at most this often. */
const WITHHELD_INTERVAL_MS = 3 * 60_000
const MAX_ASKED_ELSEWHERE = 500

export interface DirectoryComponents extends OperatorCrossCheckComponents {
  crypto: Crypto
  store: SealedStore
  trust: PersonTrust
  fetch: HttpClient
  onChange: (account: KnownAccount) => void
}

/** Accounts and who holds a name, as nodes tell them and as they are checked here. */
export class DirectoryClient {
  readonly names: Names
  readonly bundles: AccountBundles
  readonly opinion: OperatorCrossCheck
  readonly #components: DirectoryComponents
  readonly #accounts = new Map<AccountHex, KnownAccount>()
  readonly #underway = new Map<AccountHex, Promise<KnownAccount | undefined>>()
  readonly #withheldAt = new Map<AccountHex, number>()

  constructor(components: DirectoryComponents) {
    this.#components = components
    this.names = new Names(components)
    this.opinion = new OperatorCrossCheck(components)
    this.bundles = new AccountBundles({
      ...components,
      opinion: this.opinion,
      devicesOf: async accountId => {
        const known = await this.load(accountId)
        return known ? devicesToSealTo(known) : []
      }
    })
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
   * @throws PeerError `offline`, `bad-answer` if the node's answer contradicts itself.
   */
  async account(accountId: AccountId, maxAgeMs = FRESH_MS): Promise<KnownAccount | undefined> {
    const known = await this.load(accountId)
    if (known && isFresh(known, this.#components.timers.now(), maxAgeMs)) return known
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
    const answer =
      (await this.#ask(this.#components.connection(), accountId)) ??
      (known ? undefined : await this.opinion.ask(other => this.#ask(other, accountId)))
    return this.#keep(answer, accountId, known)
  }

  /**
   * Asks the entry node over HTTP, which needs no device: for one that no node lets in any more.
   * @throws PeerError `not-a-node`, `bad-answer`.
   */
  async refreshOverHttp(accountId: AccountId): Promise<KnownAccount | undefined> {
    const { fetch, network } = this.#components
    const answer = await proofOverHttp(fetch, network().entry, accountId)
    return this.#keep(answer, accountId, await this.load(accountId))
  }

  async #keep(
    answer: Uint8Array | undefined,
    accountId: AccountId,
    known: KnownAccount | undefined
  ): Promise<KnownAccount | undefined> {
    // A node that knows nothing of an account we know is behind, or withholds: what we have stays.
    if (!answer) return known
    const fresh = await this.#withoutLostName(await this.#check(answer, accountId, known), known)
    if (known && isBehind(fresh, known, this.#components.timers.now())) return known
    if (known && withholds(fresh, known) && !(await this.#isBackedElsewhere(fresh)))
      return this.#unconfirmed(known, fresh)
    // Before anything is sealed to its keys or believed from its devices: one node alone can withhold a REVOKE.
    if (!(known && isUnchanged(fresh, known)) && this.opinion.isThere) return this.#keepConfirmed(fresh)
    await this.save(fresh)
    return fresh
  }

  /** Takes an account as it is with a second opinion; without one if none comes soon, which is then still taken in later. */
  async #keepConfirmed(fresh: KnownAccount): Promise<KnownAccount> {
    const opinion = this.opinion.ask(other => this.#compare(fresh, other))
    const first = await this.opinion.soon(opinion.then(confirmed => confirmed ?? fresh))
    await this.save(first ?? fresh)
    if (!first) void this.#keepLate(fresh, opinion)
    return first ?? fresh
  }

  /** An opinion that nobody waited for, unless something newer came in between. Never rejects. */
  async #keepLate(fresh: KnownAccount, opinion: Promise<KnownAccount | undefined>): Promise<void> {
    try {
      const late = await opinion
      if (late && this.peek(toHex(fresh.accountId)) === fresh) await this.save(late)
    } catch (error) {
      this.#components.log.debug('a late second opinion could not be kept', { reason: String(error) })
    }
  }

  /** Whether another operator leaves out the same. Asked now and then only: a node must not make us ask on and on. */
  async #isBackedElsewhere(fresh: KnownAccount): Promise<boolean> {
    const key = toHex(fresh.accountId)
    const now = this.#components.timers.monotonic()
    if (now - (this.#withheldAt.get(key) ?? -Infinity) < WITHHELD_INTERVAL_MS) return false
    if (this.#withheldAt.size >= MAX_ASKED_ELSEWHERE) this.#withheldAt.clear()
    this.#withheldAt.set(key, now)
    return (await this.opinionOn(fresh)) === 'same'
  }

  /**
   * Records that were seen stay, though this node leaves them out; nobody calls them confirmed meanwhile. A REVOKE that it
   * tells of instead binds nevertheless: no branch takes one back.
   */
  async #unconfirmed(known: KnownAccount, { revoked }: KnownAccount): Promise<KnownAccount> {
    const { crypto, network, log } = this.#components
    log.warn('a node leaves out records that were seen in blocks', { account: toHex(known.accountId) })
    const isNews = await this.#components.trust.raise(known.accountId, 'withheld')
    const isNothingNew = !isNews && known.trust === 'L1' && revoked.length === known.revoked.length
    if (isNothingNew) return known
    const unconfirmed = await knowAccount(crypto, network(), { ...carriedOver(known), trust: 'L1', revoked })
    await this.save(unconfirmed)
    return unconfirmed
  }

  #ask(connection: NodeConnection, accountId: AccountId): Promise<Uint8Array | undefined> {
    const { fetch, network } = this.#components
    const node = network().epoch.nodes.find(({ key }) => equalBytes(key, connection.node))
    return askForAccount(connection, fetch, node?.url, accountId)
  }

  /**
   * What another operator's node has of an account, compared with what we have.
   * @returns undefined if there is no other operator, none answers, or it knows no such account.
   */
  async opinionOn(account: KnownAccount): Promise<ProofComparison | undefined> {
    return this.opinion.ask(async other => {
      const answer = await this.#ask(other, account.accountId)
      if (!answer) return undefined
      return compareProofs(account.checked, (await this.#check(answer, account.accountId, undefined)).checked)
    })
  }

  /** A name that the records no longer claim is not shown any more. */
  async #withoutLostName(fresh: KnownAccount, known: KnownAccount | undefined): Promise<KnownAccount> {
    if (!known || fresh.username === null) return fresh
    const hasSameNames = fresh.checked.account.names.length === known.checked.account.names.length
    if (hasSameNames || (await this.names.isClaimedBy(fresh, fresh.username as Username))) return fresh
    return { ...fresh, username: null, nameConfirmed: false }
  }

  async #check(proof: Uint8Array, accountId: AccountId, known: KnownAccount | undefined): Promise<KnownAccount> {
    const { crypto, timers, network } = this.#components
    try {
      const stored = storedAccount(decodeProof(proof), proof, timers.now())
      if (!equalBytes(stored.accountId, accountId)) throw new ProtocolError('NOT_FOR_US', 'proof of another account')
      const fresh = await knowAccount(
        crypto,
        network(),
        known ? { ...carriedOver(known), ...pickFresh(stored) } : stored
      )
      // Two operators agreed on the records as they were: what is new has one operator's word only.
      return known && isUnchanged(fresh, known) ? fresh : { ...fresh, trust: 'L1' }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#components.log.warn('a node sent a proof that does not hold', { code: error.code })
      throw new PeerError('bad-answer', {}, { cause: error })
    }
  }

  /** Stores an account as it is now known and tells who watches. */
  async save(account: KnownAccount): Promise<void> {
    const { store, trust } = this.#components
    const key = toHex(account.accountId)
    await store.batch([
      { space: 'account', id: key, value: encodeStoredAccount(account) },
      ...trust.observe(this.#accounts.get(key), account)
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

  /**
   * Finds an account by its username: a node names it, the account's own records must claim it. Where the node in use
   * knows nobody, another operator's is asked, so that a node alone can neither hide anybody nor, just started, forget them.
   *
   * @returns undefined if nobody is known to hold the name.
   * @throws PeerError `offline`, `bad-answer` for answers that do not hold, `name-disputed` if operators disagree about the name.
   */
  async findByName(username: Username): Promise<KnownAccount | undefined> {
    const account = await this.#accountNamed(username)
    if (!account) return undefined
    if (account.username === username && account.nameConfirmed) return account
    const named: KnownAccount = {
      ...account,
      username,
      nameConfirmed: account.username === username && account.nameConfirmed
    }
    await this.save(named)
    // What comes later is still saved.
    const confirmed = (await this.opinion.soon(this.confirm(named))) ?? named
    if (!confirmed.nameConfirmed) await this.#requireNoOther(confirmed, username)
    await this.#noteNewHolder(confirmed, username)
    return confirmed
  }

  /**
   * A name that another operator says is somebody else's is nobody's for now.
   * @throws PeerError `name-disputed` if that person's own records claim it, too.
   */
  async #requireNoOther({ accountId }: KnownAccount, username: Username): Promise<void> {
    const other = await this.opinion.soon(this.#holderElsewhere(username))
    if (!other || equalBytes(other, accountId) || !(await this.#claimant(other, username))) return
    throw new PeerError('name-disputed', { username })
  }

  /** Asks until somebody is named whose own records claim the name. */
  async #accountNamed(username: Username): Promise<KnownAccount | undefined> {
    const told = await this.names.holderOf(username)
    const known = this.#knownHolder(username)
    const isExpected = told !== undefined && (known === undefined || equalBytes(told, known.accountId))
    const first = isExpected ? await this.#claimant(told, username) : undefined
    if (first) return first
    // Nobody, somebody without a claim, or somebody else than before: what another operator says counts.
    const elsewhere = await this.#holderElsewhere(username)
    const before = known?.nameConfirmed ? [known.accountId, told] : [told, known?.accountId]
    for (const holder of [elsewhere, ...before]) {
      const account = holder && (await this.#claimant(holder, username))
      if (account) return account
    }
    return undefined
  }

  /** @returns undefined if the account's own records do not claim the name. */
  async #claimant(holder: AccountId, username: Username): Promise<KnownAccount | undefined> {
    const account = await this.account(holder)
    return account && (await this.names.isClaimedBy(account, username)) ? account : undefined
  }

  /** A name that led to somebody else we know: both of them are shown with an alert, and only one with the name. */
  async #noteNewHolder(holder: KnownAccount, username: Username): Promise<void> {
    if (!holder.nameConfirmed && this.opinion.isThere) return
    for (const former of [...this.#accounts.values()]) {
      if (former.username !== username || equalBytes(former.accountId, holder.accountId)) continue
      if (former.nameConfirmed) await this.#components.trust.raise(holder.accountId, 'new-holder', username)
      await this.#loseName(former)
    }
  }

  async #loseName(former: KnownAccount): Promise<KnownAccount> {
    if (former.nameConfirmed) await this.#components.trust.raise(former.accountId, 'lost-name', former.username)
    const nameless = { ...former, username: null, nameConfirmed: false }
    await this.save(nameless)
    return nameless
  }

  async #holderElsewhere(username: Username): Promise<AccountId | undefined> {
    return this.opinion.ask(other => this.names.holderAt(other, username))
  }

  /** Whether somebody else holds a name, for which one node's word is not enough where there are more. */
  async isTakenFrom(username: Username, accountId: AccountId): Promise<boolean> {
    const isOther = (holder: AccountId | undefined): boolean => holder !== undefined && !equalBytes(holder, accountId)
    if (!isOther(await this.names.holderOf(username))) return false
    return !this.opinion.isThere || isOther(await this.#holderElsewhere(username))
  }

  /** Somebody who was found under this name before. */
  #knownHolder(username: Username): KnownAccount | undefined {
    const holders = [...this.#accounts.values()].filter(account => account.username === username)
    return holders.find(({ nameConfirmed }) => nameConfirmed) ?? holders[0]
  }

  /** Takes a name that somebody gave as their own, if directory and records agree. */
  async checkClaimedName(account: KnownAccount, text: string): Promise<KnownAccount> {
    const username = usernameOrNothing(text)
    if (!username || account.username === username) return account
    const holder = await this.names.holderOf(username)
    if (!holder || !equalBytes(holder, account.accountId)) return account
    return (await this.findByName(username)) ?? account
  }

  /** Asks a node of another operator for the same record and name. Never fails: without a second opinion all stays. */
  async confirm(account: KnownAccount): Promise<KnownAccount> {
    const confirmed = await this.opinion.ask(other => this.#compare(account, other))
    if (!confirmed) return account
    await this.save(confirmed)
    return confirmed
  }

  async #compare(account: KnownAccount, other: NodeConnection): Promise<KnownAccount> {
    const { accountId } = account
    let compared = account
    const answer = await this.#ask(other, accountId)
    if (answer) {
      const second = await this.#check(answer, accountId, account)
      const comparison = compareProofs(account.checked, second.checked)
      // "ahead" or "behind" is a matter of blocks; only a contradiction holds sending.
      const contradicted = comparison === 'contradiction'
      // Who knows more is right: nobody can invent a record of somebody else.
      if (comparison === 'behind') compared = { ...second, contradicted }
      else if (comparison === 'same' && account.checked.confirmations > 0)
        compared = { ...account, trust: 'L2', contradicted }
      else compared = { ...account, trust: 'L1', contradicted }
    }
    if (account.username === null) return compared
    const username = account.username as Username
    const holder = await this.names.holderAt(other, username)
    const isLost = holder !== undefined && !equalBytes(holder, accountId)
    // One operator's word alone takes no name from anybody.
    const here = isLost && account.nameConfirmed ? await this.names.holderOf(username) : undefined
    if (here && !equalBytes(here, accountId)) return this.#loseName({ ...compared, username, nameConfirmed: true })
    return { ...compared, nameConfirmed: holder !== undefined && !isLost }
  }
}
