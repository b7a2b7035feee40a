/** Who holds a username: what two operators and the records of the account itself say. */
import { equalBytes } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { isSameName, type Username } from '../../protocol/identity/username.ts'
import { PeerError } from '../errors.ts'
import type { KnownAccount } from './known-account.ts'
import type { KnownAccounts } from './known-accounts.ts'
import { usernameOrNothing, type Names } from './names.ts'
import type { OperatorCrossCheck } from './operator-cross-check.ts'
import type { PersonTrust } from './person-trust.ts'

export interface NameHoldersComponents {
  accounts: KnownAccounts
  names: Names
  opinion: OperatorCrossCheck
  trust: PersonTrust
  /** As `DirectoryClient.account` and `agree`. */
  account: (accountId: AccountId) => Promise<KnownAccount | undefined>
  agree: (accountId: AccountId) => Promise<KnownAccount | undefined>
}

export class NameHolders {
  readonly #components: NameHoldersComponents

  constructor(components: NameHoldersComponents) {
    this.#components = components
  }

  /**
   * Finds an account by its username: a node names it, the account's own records must claim it. Where the node in use
   * knows no holder, another operator's is asked: a node alone can neither hide a person nor, just started, forget them.
   *
   * @returns undefined if no account is known to hold the name.
   * @throws PeerError `offline`, `bad-answer` for answers that do not hold, `name-disputed` if operators disagree about the name.
   */
  async find(username: Username): Promise<KnownAccount | undefined> {
    const { accounts, opinion, agree } = this.#components
    const account = await this.#accountNamed(username)
    if (!account) return undefined
    const isSpelledSo = account.username === spellingOf(account, username)
    if (isSpelledSo && account.nameConfirmed) return account
    const named = await accounts.change(
      account.accountId,
      known =>
        known && {
          ...known,
          username: spellingOf(known, username),
          nameConfirmed: holdsName(known, username) && known.nameConfirmed
        }
    )
    if (!named) return undefined
    if (!opinion.isThere) return named
    const confirmed = (await agree(account.accountId)) ?? named
    if (!confirmed.nameConfirmed) await this.#requireNoOther(confirmed, username)
    await this.#noteNewHolder(confirmed, username)
    return confirmed
  }

  /**
   * A name that another operator gives to another account belongs to neither for now.
   * @throws PeerError `name-disputed` if that person's own records claim it, too.
   */
  async #requireNoOther({ accountId }: KnownAccount, username: Username): Promise<void> {
    const other = await this.#components.opinion.soon(this.#holderElsewhere(username))
    if (!other || equalBytes(other, accountId) || !(await this.#claimant(other, username))) return
    throw new PeerError('name-disputed', { username })
  }

  /** Asks until an account is named whose own records claim the name. */
  async #accountNamed(username: Username): Promise<KnownAccount | undefined> {
    const told = await this.#components.names.holderOf(username)
    const known = this.#knownHolder(username)
    const isExpected = told !== undefined && (known === undefined || equalBytes(told, known.accountId))
    const first = isExpected ? await this.#claimant(told, username) : undefined
    if (first) return first
    // No holder, one without a claim, or another than before: what another operator says counts.
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
    const account = await this.#components.account(holder)
    return account && (await this.#components.names.isClaimedBy(account, username)) ? account : undefined
  }

  /** A name that led to another known account: both of them are shown with an alert, and only one with the name. */
  async #noteNewHolder(holder: KnownAccount, username: Username): Promise<void> {
    const { accounts, opinion, trust } = this.#components
    if (!holder.nameConfirmed && opinion.isThere) return
    for (const former of accounts.all()) {
      if (!holdsName(former, username) || equalBytes(former.accountId, holder.accountId)) continue
      if (former.nameConfirmed) await trust.raise(holder.accountId, 'new-holder', username)
      await this.#loseName(former.accountId, username)
    }
  }

  #loseName(accountId: AccountId, username: string): Promise<KnownAccount | undefined> {
    return this.#components.accounts.change(accountId, async known => {
      if (!known || !holdsName(known, username)) return known
      if (known.nameConfirmed) await this.#components.trust.raise(accountId, 'lost-name', known.username ?? username)
      return { ...known, username: null, nameConfirmed: false }
    })
  }

  async #holderElsewhere(username: Username): Promise<AccountId | undefined> {
    return this.#components.opinion.ask(other => this.#components.names.holderAt(other, username))
  }

  /** Notes whom another operator names as the holder of an account's username. One operator's word alone takes no name away. */
  async noteHolder(
    accountId: AccountId,
    { username, holder }: { username: string; holder: AccountId | undefined }
  ): Promise<KnownAccount | undefined> {
    const { accounts, names } = this.#components
    const isOther = (other: AccountId | undefined): boolean => other !== undefined && !equalBytes(other, accountId)
    const known = await accounts.load(accountId)
    if (isOther(holder) && known?.nameConfirmed && isOther(await names.holderOf(username as Username)))
      return this.#loseName(accountId, username)
    const nameConfirmed = holder !== undefined && !isOther(holder)
    return accounts.change(accountId, current =>
      current?.username === username && current.nameConfirmed !== nameConfirmed
        ? { ...current, nameConfirmed }
        : current
    )
  }

  /** A name that the records no longer claim is not shown any more. */
  async withoutLostName(fresh: KnownAccount, known: KnownAccount | undefined): Promise<KnownAccount> {
    if (!known || fresh.username === null) return fresh
    const hasSameNames = fresh.checked.account.names.length === known.checked.account.names.length
    if (hasSameNames || (await this.#components.names.isClaimedBy(fresh, fresh.username as Username))) return fresh
    return { ...fresh, username: null, nameConfirmed: false }
  }

  /** Whether another account holds a name, for which one node's word is not enough where there are more. */
  async isTakenFrom(username: Username, accountId: AccountId): Promise<boolean> {
    const isOther = (holder: AccountId | undefined): boolean => holder !== undefined && !equalBytes(holder, accountId)
    if (!isOther(await this.#components.names.holderOf(username))) return false
    return !this.#components.opinion.isThere || isOther(await this.#holderElsewhere(username))
  }

  /** The account that was found under this name before. */
  #knownHolder(username: Username): KnownAccount | undefined {
    const holders = this.#components.accounts.all().filter(account => holdsName(account, username))
    return holders.find(({ nameConfirmed }) => nameConfirmed) ?? holders[0]
  }

  /** Takes a name that a person gave as their own, if directory and records agree. */
  async checkClaimed(account: KnownAccount, text: string): Promise<KnownAccount> {
    const username = usernameOrNothing(text)
    if (!username || account.username === username) return account
    const holder = await this.#components.names.holderOf(username)
    if (!holder || !equalBytes(holder, account.accountId)) return account
    return (await this.find(username)) ?? account
  }
}

/** Whether an account is known under a name, however it is spelled. */
function holdsName({ username }: KnownAccount, name: string): boolean {
  return username !== null && isSameName(username, name)
}

/**
 * How a found name is shown: as its owner spells it, else as it was known before, else as it was typed. A look-alike that a
 * user types, such as `b0b_cli`, leads to the same account and must not rename it.
 */
function spellingOf({ claimedName, username }: KnownAccount, typed: Username): string {
  return [claimedName, username].find(name => name !== null && isSameName(name, typed)) ?? typed
}
