import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { nameTagsOf } from '../../protocol/directory/account.ts'
import { compareProofs, decodeProof, type ProofComparison } from '../../protocol/directory/proof.ts'
import type { DirectoryView } from '../../protocol/conversation/roster-resolution.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { decodeBundle, verifyBundle, type DeviceBundle } from '../../protocol/identity/bundle.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { nameTagOf, parseUsername, type Username } from '../../protocol/identity/username.ts'
import { PeerError, type AccountHex, type NameAvailability } from '../peer-api.ts'
import type { HttpClient, Log, Timers } from '../ports.ts'
import { askForAccount, proofOverHttp } from './account-source.ts'
import type { SealedStore } from '../store/sealed-store.ts'
import { ConnectionLost, NodeRefusal, type NodeConnection } from '../transport/node-connection.ts'
import {
  decodeStoredAccount,
  devicesToSealTo,
  encodeStoredAccount,
  knowAccount,
  storedAccount,
  type KnownAccount,
  type StoredAccount
} from './known-account.ts'
import type { NetworkInfo } from './network-info.ts'
import type { PersonMarks } from './person-marks.ts'

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
/** Somebody new, or whose records changed, is taken without a second opinion if none comes within this. */
const FIRST_OPINION_WAIT_MS = 5_000
/** A connection that ends while it is asked is made anew this often. */
const MAX_OPINION_TRIES = 3
/** As long as that was in vain lately, nobody is kept waiting longer than this. */
const SILENT_OPINION_WAIT_MS = 500
const SILENCE_REMEMBERED_MS = 30_000
/** Another operator is asked for newer bundles of an account at most this often. */
const BUNDLES_ELSEWHERE_MS = 60_000
/** And about records that a node leaves out. */
const WITHHELD_INTERVAL_MS = 3 * 60_000
const MAX_ASKED_ELSEWHERE = 500

export interface DirectoryComponents {
  crypto: Crypto
  store: SealedStore
  marks: PersonMarks
  timers: Timers
  log: Log
  network: () => NetworkInfo
  /** The connection in use. @throws PeerError `offline`. */
  connection: () => NodeConnection
  /** A short connection to a node of another operator, or undefined if there is none. */
  otherOperator: () => Promise<NodeConnection | undefined>
  fetch: HttpClient
  onChange: (account: KnownAccount) => void
}

/** Accounts, names and bundles, as nodes tell them and as they are checked here. */
export class DirectoryClient {
  readonly #components: DirectoryComponents
  readonly #accounts = new Map<AccountHex, KnownAccount>()
  readonly #underway = new Map<AccountHex, Promise<KnownAccount | undefined>>()
  readonly #bundlesAsked = new Map<AccountHex, { at: number; bundles: DeviceBundle[] | undefined }>()
  readonly #withheldAt = new Map<AccountHex, number>()
  readonly #tags = new Map<Username, Promise<Uint8Array>>()
  /** The connection to another operator, while somebody uses it. */
  #other: { here: NodeConnection; dialled: Promise<NodeConnection | undefined>; users: number } | undefined
  /** When another operator last took too long. */
  #silentAt = -Infinity

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
    const answer =
      (await this.#ask(this.#components.connection(), accountId)) ??
      (known ? undefined : await this.#elsewhere(other => this.#ask(other, accountId)))
    return this.#take(answer, accountId, known)
  }

  /**
   * Asks the entry node over HTTP, which needs no device: for one that no node lets in any more.
   * @throws PeerError `offline`, `refused`.
   */
  async refreshOverHttp(accountId: AccountId): Promise<KnownAccount | undefined> {
    const { fetch, network } = this.#components
    const answer = await proofOverHttp(fetch, network().entry, accountId)
    return this.#take(answer, accountId, await this.load(accountId))
  }

  async #take(
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
    if (!(known && isUnchanged(fresh, known)) && this.hasOtherOperator) return this.#takeConfirmed(fresh)
    await this.save(fresh)
    return fresh
  }

  /** Takes an account as it is with a second opinion; without one if none comes soon, which is then still taken in later. */
  async #takeConfirmed(fresh: KnownAccount): Promise<KnownAccount> {
    const opinion = this.#elsewhere(other => this.#compare(fresh, other))
    const first = await this.#soon(opinion.then(confirmed => confirmed ?? fresh))
    await this.save(first ?? fresh)
    if (!first) void this.#takeLate(fresh, opinion)
    return first ?? fresh
  }

  /** What somebody waits for: undefined if it takes too long. */
  async #soon<T>(opinion: Promise<T>): Promise<T | undefined> {
    const { timers } = this.#components
    const isSilent = timers.now() - this.#silentAt < SILENCE_REMEMBERED_MS
    const late = Promise.withResolvers<undefined>()
    const cancel = timers.after(isSilent ? SILENT_OPINION_WAIT_MS : FIRST_OPINION_WAIT_MS, () => {
      this.#silentAt = timers.now()
      late.resolve(undefined)
    })
    try {
      return await Promise.race([opinion, late.promise])
    } finally {
      cancel()
    }
  }

  /** An opinion that nobody waited for, unless something newer came in between. Never rejects. */
  async #takeLate(fresh: KnownAccount, opinion: Promise<KnownAccount | undefined>): Promise<void> {
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
    const now = this.#components.timers.now()
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
    const isNews = await this.#components.marks.raise(known.accountId, 'withheld')
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

  /** Whether anybody could give a second opinion: the list has more than one operator. */
  get hasOtherOperator(): boolean {
    return new Set(this.#components.network().epoch.nodes.map(({ operator }) => toHex(operator))).size > 1
  }

  /**
   * What another operator's node has of an account, compared with what we have.
   * @returns undefined if there is no other operator, none answers, or it knows no such account.
   */
  async opinionOn(account: KnownAccount): Promise<ProofComparison | undefined> {
    return this.#elsewhere(async other => {
      const answer = await this.#ask(other, account.accountId)
      if (!answer) return undefined
      return compareProofs(account.checked, (await this.#check(answer, account.accountId, undefined)).checked)
    })
  }

  /** Asks a node of another operator. @returns undefined if that comes to nothing. */
  async #elsewhere<T>(ask: (other: NodeConnection) => Promise<T | undefined>): Promise<T | undefined> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#sharing(ask)
      } catch (error) {
        if (error instanceof ConnectionLost && tries < MAX_OPINION_TRIES) continue
        this.#components.log.debug('no second opinion', { reason: String(error) })
        return undefined
      }
    }
  }

  /** Over one connection for all who ask at the same time: a node keeps one for each device, and ends the older. */
  async #sharing<T>(ask: (other: NodeConnection) => Promise<T | undefined>): Promise<T | undefined> {
    const { connection, otherOperator } = this.#components
    const here = connection()
    // Which operator is another one depends on the node in use.
    if (this.#other?.here !== here) this.#other = { here, dialled: otherOperator(), users: 0 }
    const shared = this.#other
    shared.users++
    try {
      const other = await shared.dialled
      return other && (await ask(other))
    } catch (error) {
      if (this.#other === shared) this.#other = undefined
      throw error
    } finally {
      shared.users--
      if (shared.users === 0) {
        if (this.#other === shared) this.#other = undefined
        void shared.dialled.then(
          other => other?.close('asked'),
          () => undefined
        )
      }
    }
  }

  /** A name that the records no longer claim is not shown any more. */
  async #withoutLostName(fresh: KnownAccount, known: KnownAccount | undefined): Promise<KnownAccount> {
    if (!known || fresh.username === null) return fresh
    const hasSameNames = fresh.checked.account.names.length === known.checked.account.names.length
    if (hasSameNames || (await this.#claims(fresh, fresh.username as Username))) return fresh
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
    const { store, marks } = this.#components
    const key = toHex(account.accountId)
    await store.batch([
      { space: 'account', id: key, value: encodeStoredAccount(account) },
      ...marks.observe(this.#accounts.get(key), account)
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
   * @throws PeerError `offline`, `refused` for answers that do not hold, or operators that disagree about the name.
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
    const confirmed = (await this.#soon(this.confirm(named))) ?? named
    if (!confirmed.nameConfirmed) await this.#requireNoOther(confirmed, username)
    await this.#noteNewHolder(confirmed, username)
    return confirmed
  }

  /**
   * A name that another operator says is somebody else's is nobody's for now.
   * @throws PeerError `refused` if that person's own records claim it, too.
   */
  async #requireNoOther({ accountId }: KnownAccount, username: Username): Promise<void> {
    const other = await this.#soon(this.#holderElsewhere(username))
    if (!other || equalBytes(other, accountId) || !(await this.#claimant(other, username))) return
    throw new PeerError(
      'refused',
      `Two operators of the network disagree about who is @${username}. Nobody was chosen.`
    )
  }

  /** Asks until somebody is named whose own records claim the name. */
  async #accountNamed(username: Username): Promise<KnownAccount | undefined> {
    const told = await this.holderOf(username)
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
    return account && (await this.#claims(account, username)) ? account : undefined
  }

  /** A name that led to somebody else we know: both of them are shown with an alert, and only one with the name. */
  async #noteNewHolder(holder: KnownAccount, username: Username): Promise<void> {
    if (!holder.nameConfirmed && this.hasOtherOperator) return
    for (const former of [...this.#accounts.values()]) {
      if (former.username !== username || equalBytes(former.accountId, holder.accountId)) continue
      if (former.nameConfirmed) await this.#components.marks.raise(holder.accountId, 'new-holder', username)
      await this.#loseName(former)
    }
  }

  async #loseName(former: KnownAccount): Promise<KnownAccount> {
    if (former.nameConfirmed) await this.#components.marks.raise(former.accountId, 'lost-name', former.username)
    const nameless = { ...former, username: null, nameConfirmed: false }
    await this.save(nameless)
    return nameless
  }

  async #holderElsewhere(username: Username): Promise<AccountId | undefined> {
    return this.#elsewhere(async other => holderAt(other, await this.tagOf(username)))
  }

  /** Whether somebody else holds a name, for which one node's word is not enough where there are more. */
  async isTakenFrom(username: Username, accountId: AccountId): Promise<boolean> {
    const isOther = (holder: AccountId | undefined): boolean => holder !== undefined && !equalBytes(holder, accountId)
    if (!isOther(await this.holderOf(username))) return false
    return !this.hasOtherOperator || isOther(await this.#holderElsewhere(username))
  }

  /** Somebody who was found under this name before. */
  #knownHolder(username: Username): KnownAccount | undefined {
    const holders = [...this.#accounts.values()].filter(account => account.username === username)
    return holders.find(({ nameConfirmed }) => nameConfirmed) ?? holders[0]
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
    const confirmed = await this.#elsewhere(other => this.#compare(account, other))
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
    const holder = await holderAt(other, await this.tagOf(username))
    const isLost = holder !== undefined && !equalBytes(holder, accountId)
    // One operator's word alone takes no name from anybody.
    const here = isLost && account.nameConfirmed ? await this.holderOf(username) : undefined
    if (here && !equalBytes(here, accountId)) return this.#loseName({ ...compared, username, nameConfirmed: true })
    return { ...compared, nameConfirmed: holder !== undefined && !isLost }
  }

  /**
   * Current bundles of an account's devices; broken ones are left out. Each is verified when it is used. An expired one is
   * given only if no other operator has a newer: a node that keeps an old one back must not choose the key that we seal to.
   */
  async bundles(accountId: AccountId): Promise<DeviceBundle[]> {
    const bundles = await bundlesAt(this.#components.connection(), accountId)
    const now = this.#components.timers.now()
    const current = bundles.filter(({ weeklyExpiry }) => weeklyExpiry > now)
    if (current.length === bundles.length || !this.hasOtherOperator) return bundles
    const elsewhere = await this.#bundlesElsewhere(accountId)
    if (!elsewhere) return current
    const newer = await this.#usable(elsewhere, accountId)
    const isListed = ({ deviceId }: DeviceBundle): boolean =>
      [...current, ...newer].some(other => equalBytes(other.deviceId, deviceId))
    return [...newer, ...current, ...bundles.filter(bundle => !isListed(bundle))]
  }

  /** @returns undefined if no other operator answers. */
  async #bundlesElsewhere(accountId: AccountId): Promise<DeviceBundle[] | undefined> {
    const key = toHex(accountId)
    const now = this.#components.timers.now()
    const asked = this.#bundlesAsked.get(key)
    if (asked && now - asked.at < BUNDLES_ELSEWHERE_MS) return asked.bundles
    const bundles = await this.#elsewhere(other => bundlesAt(other, accountId))
    if (this.#bundlesAsked.size >= MAX_ASKED_ELSEWHERE) this.#bundlesAsked.clear()
    this.#bundlesAsked.set(key, { at: now, bundles })
    return bundles
  }

  /** Those that verify, have not expired and are of a live device. */
  async #usable(bundles: DeviceBundle[], accountId: AccountId): Promise<DeviceBundle[]> {
    const { crypto, network, timers } = this.#components
    const known = await this.load(accountId)
    const devices = known ? devicesToSealTo(known) : []
    const checks = bundles.map(async bundle => {
      const device = devices.find(({ deviceId }) => equalBytes(deviceId, bundle.deviceId))
      if (!device) return []
      try {
        await verifyBundle(crypto, network().id, bundle, timers.now(), device.messagingKeyHash)
        return [bundle]
      } catch {
        return []
      }
    })
    return (await Promise.all(checks)).flat()
  }
}

async function bundlesAt(connection: NodeConnection, accountId: AccountId): Promise<DeviceBundle[]> {
  const { bundles } = await connection.request({ kind: 'bundles', accountId }, 'bundles')
  return bundles.flatMap(bytes => {
    try {
      return [decodeBundle(bytes)]
    } catch {
      return []
    }
  })
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

/** Whether a proof shows the records that we have, in the same places, and the same pending ones behind them. */
function isUnchanged(fresh: KnownAccount, known: KnownAccount): boolean {
  const [head, before] = [fresh, known].map(({ checked }) => checked.account.head)
  return equalBytes(head!, before!) && compareProofs(known.checked, fresh.checked) === 'same'
}

/** Whether a proof leaves out records that we have seen in blocks, and has nothing else in their place. */
function withholds(fresh: KnownAccount, known: KnownAccount): boolean {
  const seen = known.checked.places.filter(({ order }) => order !== null)
  const shown = new Set(fresh.checked.places.map(({ recordId }) => toHex(recordId)))
  return seen.some(({ recordId }) => !shown.has(toHex(recordId)))
}

async function holderAt(connection: NodeConnection, tag: Uint8Array): Promise<AccountId | undefined> {
  const { matches } = await connection.request({ kind: 'names', tagPrefix: tag }, 'names')
  return matches.find(match => equalBytes(match.tag, tag))?.accountId
}

/** @returns undefined for text that is no username. */
export function usernameOrNothing(text: string): Username | undefined {
  try {
    return parseUsername(text)
  } catch {
    return undefined
  }
}
