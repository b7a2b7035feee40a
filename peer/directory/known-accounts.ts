/**
 * The accounts that this device knows, in memory and on disk. They change by merge, in one turn for each account: what was
 * read before a wait is never written over what came during it, and every REVOKE once seen stays.
 */
import { toHex } from '../../protocol/bytes.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { DirectoryView } from '../../protocol/roster/roster-resolution.ts'
import { SerialQueue } from '../../protocol/serial-queue.ts'
import type { AccountHex } from '../peer-api.ts'
import type { NetworkInfo } from '../network/network-info.ts'
import type { Log, Timers } from '../ports.ts'
import type { SealedStore } from '../store/sealed-store.ts'
import {
  decodeStoredAccount,
  encodeStoredAccount,
  knowAccount,
  unitedWith,
  type KnownAccount
} from './known-account.ts'
import type { PersonTrust } from './person-trust.ts'

/** Accounts kept in memory with their checked proofs. */
const MAX_CACHED_ACCOUNTS = 2_000

export interface KnownAccountsComponents {
  crypto: Crypto
  store: SealedStore
  timers: Timers
  log: Log
  network: () => NetworkInfo
  trust: PersonTrust
  onChange: (account: KnownAccount) => void
}

/** What an account becomes; undefined or the same object leaves it as it is. Asks no node: others wait for their turn. */
export type AccountChange = (
  known: KnownAccount | undefined
) => Promise<KnownAccount | undefined> | KnownAccount | undefined

export class KnownAccounts {
  readonly #components: KnownAccountsComponents
  readonly #accounts = new Map<AccountHex, KnownAccount>()
  readonly #turns = new Map<AccountHex, { queue: SerialQueue; users: number }>()

  constructor(components: KnownAccountsComponents) {
    this.#components = components
  }

  /** For `resolveRoster`: what is in memory. {@link load} first. */
  readonly view: DirectoryView = accountId => this.#accounts.get(toHex(accountId))?.view

  /** In memory only; undefined until {@link load} or {@link change}. */
  peek(accountId: AccountHex): KnownAccount | undefined {
    return this.#accounts.get(accountId)
  }

  /** All in memory. */
  all(): KnownAccount[] {
    return [...this.#accounts.values()]
  }

  /** The account as last checked, from memory or store. */
  async load(accountId: AccountId): Promise<KnownAccount | undefined> {
    return this.#accounts.get(toHex(accountId)) ?? this.#inTurn(accountId, () => this.#load(accountId))
  }

  /**
   * Changes an account in its turn. On disk once this resolves, then in memory.
   * @returns the account as it is now.
   */
  change(accountId: AccountId, change: AccountChange): Promise<KnownAccount | undefined> {
    return this.#inTurn(accountId, async () => {
      const known = await this.#load(accountId)
      const next = await change(known)
      if (!next || next === known) return known
      const united = known ? unitedWith(next, known.revoked, [], this.#components.timers.now()) : next
      await this.#write(known, united)
      return united
    })
  }

  /** Takes an account from memory and store, unless `isNeeded` says otherwise in its turn. */
  forget(accountId: AccountId, isNeeded: (known: KnownAccount) => boolean): Promise<void> {
    return this.#inTurn(accountId, async () => {
      const known = await this.#load(accountId)
      if (!known || isNeeded(known)) return
      const id = toHex(accountId)
      await this.#components.store.batch([{ space: 'account', id, value: null }])
      this.#accounts.delete(id)
    })
  }

  async #write(known: KnownAccount | undefined, account: KnownAccount): Promise<void> {
    const { store, trust, onChange } = this.#components
    const value = encodeStoredAccount(account)
    const id = toHex(account.accountId)
    await store.batch([{ space: 'account', id, value }, ...trust.observe(known, account)])
    this.#remember(account)
    onChange(account)
  }

  /** Inside a turn only: between a read of the store and this memory nobody may write. */
  async #load(accountId: AccountId): Promise<KnownAccount | undefined> {
    const { crypto, store, network, log } = this.#components
    const id = toHex(accountId)
    const cached = this.#accounts.get(id)
    if (cached) return cached
    const bytes = await store.get({ space: 'account', id })
    if (!bytes) return undefined
    try {
      const known = await knowAccount(crypto, network(), decodeStoredAccount(bytes))
      this.#remember(known)
      return known
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      // Written by another version: a node is asked for it again.
      log.warn('a stored account could not be read', { code: error.code })
      return undefined
    }
  }

  async #inTurn<T>(accountId: AccountId, work: () => Promise<T>): Promise<T> {
    const key = toHex(accountId)
    const turn = this.#turns.get(key) ?? { queue: new SerialQueue(), users: 0 }
    this.#turns.set(key, turn)
    turn.users++
    try {
      return await turn.queue.run(work)
    } finally {
      if (--turn.users === 0) this.#turns.delete(key)
    }
  }

  #remember(account: KnownAccount): void {
    const key = toHex(account.accountId)
    this.#accounts.delete(key)
    this.#accounts.set(key, account)
    if (this.#accounts.size > MAX_CACHED_ACCOUNTS) this.#accounts.delete(this.#accounts.keys().next().value!)
  }
}
