import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { compareProofs, type ProofComparison } from '../../protocol/directory/proofs/proof.ts'
import type { DirectoryView } from '../../protocol/roster/roster-resolution.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { Username } from '../../protocol/identity/username.ts'
import { PeerError } from '../errors.ts'
import type { AccountHex } from '../peer-api.ts'
import type { HttpClient } from '../ports.ts'
import type { NodeConnection } from '../network/node-connection.ts'
import { AccountBundles } from './account-bundles.ts'
import { isUnchanged, weigh, withholds, type Evidence, type Told } from './account-evidence.ts'
import { askForAccount, proofOverHttp } from './account-source.ts'
import { AGREEMENT_MAX_AGE_MS, countedConfirmations, isAgreed, type RecordedPlace, type Standing } from './agreement.ts'
import { checkAnswer, devicesToSealTo, isFresh, type KnownAccount } from './known-account.ts'
import { KnownAccounts, type KnownAccountsComponents } from './known-accounts.ts'
import { NameHolders } from './name-holders.ts'
import { Names, usernameOrNothing } from './names.ts'
import { OperatorCrossCheck, type OperatorCrossCheckComponents } from './operator-cross-check.ts'
import { VainQuestions } from './vain-questions.ts'

/** An answer of the directory is taken without asking again for this long. */
export const FRESH_MS = 30_000
/** … and for this long in a conversation of two in which the user writes, so that a message goes to the devices of now. */
export const PRESENT_MS = 5_000
/** Another operator is asked about records that a node leaves out at most this often. */
const WITHHELD_INTERVAL_MS = 3 * 60_000
const MAX_ASKED_ELSEWHERE = 500

export interface DirectoryComponents extends OperatorCrossCheckComponents, KnownAccountsComponents {
  fetch: HttpClient
}

/** What another operator's node says about an account, and about its name. */
interface ToldElsewhere {
  there: Told | undefined
  name: { username: string; holder: AccountId | undefined } | undefined
}

/** Accounts and who holds a name, as nodes tell them and as they are checked here. */
export class DirectoryClient {
  readonly names: Names
  readonly bundles: AccountBundles
  readonly opinion: OperatorCrossCheck
  readonly #holders: NameHolders
  readonly #components: DirectoryComponents
  readonly #accounts: KnownAccounts
  readonly #vain: VainQuestions
  readonly #underway = new Map<AccountHex, Promise<KnownAccount | undefined>>()
  readonly #agreeing = new Map<AccountHex, Promise<KnownAccount | undefined>>()
  readonly #withheldAt = new Map<AccountHex, number>()

  constructor(components: DirectoryComponents) {
    this.#components = components
    this.#accounts = new KnownAccounts(components)
    this.#vain = new VainQuestions(components.timers)
    this.names = new Names(components)
    this.opinion = new OperatorCrossCheck(components)
    this.#holders = new NameHolders({
      accounts: this.#accounts,
      names: this.names,
      opinion: this.opinion,
      trust: components.trust,
      account: accountId => this.account(accountId),
      agree: accountId => this.agree(accountId)
    })
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
  get view(): DirectoryView {
    return this.#accounts.view
  }

  /** The account as last checked, from memory or store. */
  load(accountId: AccountId): Promise<KnownAccount | undefined> {
    return this.#accounts.load(accountId)
  }

  /** In memory only; undefined until {@link load} or {@link refresh}. */
  peek(accountId: AccountHex): KnownAccount | undefined {
    return this.#accounts.peek(accountId)
  }

  /**
   * The account; a node is asked if what we have is older than `maxAgeMs`.
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
    return shared(this.#underway, accountId, () => this.#refresh(accountId))
  }

  async #refresh(accountId: AccountId): Promise<KnownAccount | undefined> {
    const known = await this.load(accountId)
    const here = await this.#askHere(accountId)
    if (!here && !known) {
      const there = await this.opinion.ask(other => this.#ask(other, accountId))
      return there && this.#merge(accountId, { there })
    }
    // A node that knows nothing of an account we know is behind, or withholds: what we have stays.
    return here ? this.#keep(accountId, here, known) : known
  }

  /**
   * Asks the entry node over HTTP, which needs no device: for one that no node lets in any more.
   * @throws PeerError `not-a-node`, `bad-answer`.
   */
  async refreshOverHttp(accountId: AccountId): Promise<KnownAccount | undefined> {
    const { fetch, network, timers } = this.#components
    const at = timers.now()
    const { entry, epoch } = network()
    const answer = await proofOverHttp(fetch, entry, accountId)
    const known = await this.load(accountId)
    if (!answer) return known
    const node = epoch.nodes.find(({ url }) => url === entry)
    return this.#keep(accountId, await this.#checked(accountId, answer, at, node?.operator), known)
  }

  /** Before anything is sealed to new keys or believed from new devices: one node alone can withhold a REVOKE. */
  async #keep(accountId: AccountId, here: Told, known: KnownAccount | undefined): Promise<KnownAccount | undefined> {
    const isNews = !known || !isUnchanged(here.checked, known.checked)
    const isMissing = known !== undefined && withholds(here, known)
    const isAsking = this.opinion.isThere && isNews && (!isMissing || this.#mayAskAboutWithheld(accountId))
    return isAsking ? this.#withSecond(accountId, here) : this.#merge(accountId, { here })
  }

  /** Asked now and then only: a node must not make us ask on and on. */
  #mayAskAboutWithheld(accountId: AccountId): boolean {
    const key = toHex(accountId)
    const now = this.#components.timers.monotonic()
    if (now - (this.#withheldAt.get(key) ?? -Infinity) < WITHHELD_INTERVAL_MS) return false
    if (this.#withheldAt.size >= MAX_ASKED_ELSEWHERE) this.#withheldAt.clear()
    this.#withheldAt.set(key, now)
    return true
  }

  /**
   * The account, with an agreement of two operators not older than `maxAgeMs` if both answer; both are asked where it is older.
   * Without a second operator it comes back as the first one tells it, and {@link standingOf} says so.
   *
   * @throws PeerError `offline`, `bad-answer`.
   */
  async agree(accountId: AccountId, maxAgeMs = 0): Promise<KnownAccount | undefined> {
    const known = await this.load(accountId)
    const { timers } = this.#components
    if (known && isAgreed(known, timers.now(), maxAgeMs)) return known
    if (!this.opinion.isThere) return this.account(accountId, maxAgeMs)
    return shared(this.#agreeing, accountId, async () => {
      const here = await this.#askHere(accountId)
      if (!here && !known) return this.#refresh(accountId)
      return this.#withSecond(accountId, here)
    })
  }

  /** Merges with a second opinion; without one if none comes soon, which is then still merged later. */
  async #withSecond(accountId: AccountId, here: Told | undefined): Promise<KnownAccount | undefined> {
    const merged = this.opinion
      .ask(other => this.#askElsewhere(other, accountId))
      .then(elsewhere => this.#mergeBoth(accountId, here, elsewhere))
    const first = await this.opinion.soon(merged)
    if (first) return first
    // Nobody waits for the rest of it.
    merged.catch((error: unknown) =>
      this.#components.log.debug('a late second opinion could not be kept', { reason: String(error) })
    )
    this.#vain.note(accountId)
    return here ? this.#merge(accountId, { here }) : this.load(accountId)
  }

  async #askElsewhere(other: NodeConnection, accountId: AccountId): Promise<ToldElsewhere> {
    const there = await this.#ask(other, accountId)
    const username = (await this.load(accountId))?.username
    const name = username ? { username, holder: await this.names.holderAt(other, username as Username) } : undefined
    return { there, name }
  }

  async #mergeBoth(
    accountId: AccountId,
    here: Told | undefined,
    elsewhere: ToldElsewhere | undefined
  ): Promise<KnownAccount | undefined> {
    const account = await this.#merge(accountId, { here, there: elsewhere?.there })
    const now = this.#components.timers.now()
    if (account && isAgreed(account, now, AGREEMENT_MAX_AGE_MS)) this.#vain.forget(accountId)
    else this.#vain.note(accountId)
    if (!account || !elsewhere?.name) return account
    return this.#holders.noteHolder(accountId, elsewhere.name)
  }

  /** The one place where an answer becomes what is known. */
  async #merge(accountId: AccountId, evidence: Evidence): Promise<KnownAccount | undefined> {
    const { timers, trust, log } = this.#components
    const isAlone = !this.opinion.isThere
    return this.#accounts.change(accountId, async known => {
      const weighed = weigh(known, evidence, { now: timers.now(), isAlone })
      if (!weighed) return known
      if (weighed.isWithheld) {
        log.warn('a node leaves out records that were seen in blocks', { account: toHex(accountId) })
        await trust.raise(accountId, 'withheld')
      }
      return this.#holders.withoutLostName(weighed.account, known)
    })
  }

  /** How an account stands by what operators said of it. */
  standingOf(account: KnownAccount): Standing {
    const at = account.agreement?.at ?? null
    if (!this.opinion.isThere) return { state: 'single', at, trust: 'L1' }
    const now = this.#components.timers.now()
    if (isAgreed(account, now, AGREEMENT_MAX_AGE_MS))
      return { state: 'agreed', at, trust: account.checked.confirmations > 0 ? 'L2' : 'L1' }
    return { state: this.#vain.isOver(account, now) ? 'lost' : 'waiting', at, trust: 'L1' }
  }

  /** Confirmations of a place in an account's records, as far as they count: see {@link countedConfirmations}. */
  confirmationsOf(account: KnownAccount, place: RecordedPlace): number {
    const now = this.#components.timers.now()
    return countedConfirmations(account, place, { now, isAlone: !this.opinion.isThere })
  }

  /** Whether something may be sealed without a question first: two operators agree, or a second one was just asked in vain. */
  isSettledFor(account: KnownAccount): boolean {
    const { state } = this.standingOf(account)
    return state === 'single' || state === 'agreed' || this.#vain.isLately(account.accountId)
  }

  async #ask(connection: NodeConnection, accountId: AccountId): Promise<Told | undefined> {
    const { fetch, network, timers } = this.#components
    const at = timers.now()
    const node = network().epoch.nodes.find(({ key }) => equalBytes(key, connection.node))
    const proof = await askForAccount(connection, fetch, node?.url, accountId)
    return proof && this.#checked(accountId, proof, at, node?.operator)
  }

  #askHere(accountId: AccountId): Promise<Told | undefined> {
    return this.#ask(this.#components.connection(), accountId)
  }

  async #checked(accountId: AccountId, proof: Uint8Array, at: number, operator: Told['operator']): Promise<Told> {
    const { crypto, network } = this.#components
    try {
      return { operator, proof, checked: await checkAnswer(crypto, network(), accountId, proof, at), at }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#components.log.warn('a node sent a proof that does not hold', { code: error.code })
      throw new PeerError('bad-answer', {}, { cause: error })
    }
  }

  /** Forgets an account that was asked for because of an Open that came to nothing. One that was found by name stays. */
  forget(accountId: AccountId): Promise<void> {
    return this.#accounts.forget(accountId, ({ username, displayName }) => username !== null || displayName !== null)
  }

  /**
   * What another operator's node has of an account, compared with what we have.
   * @returns undefined if there is no other operator, none answers, or it knows no such account.
   */
  async opinionOn(account: KnownAccount): Promise<ProofComparison | undefined> {
    return this.opinion.ask(async other => {
      const told = await this.#ask(other, account.accountId)
      return told && compareProofs(account.checked, told.checked)
    })
  }

  /** A person gave names: what they are called is theirs to say, whether a username is theirs the directory says. */
  async noteProfile(
    accountId: AccountId,
    { username, displayName }: { username: string | null; displayName: string }
  ): Promise<KnownAccount | undefined> {
    return this.#accounts.change(
      accountId,
      known => known && { ...known, displayName: displayName || null, claimedName: username }
    )
  }

  /** Another person says what an account is called: it counts as a claim of the account's own, where that has made none. */
  async noteClaim(accountId: AccountId, username: string): Promise<KnownAccount | undefined> {
    return this.#accounts.change(accountId, known => {
      const isNamed = !known || known.username !== null || known.claimedName !== null
      return isNamed ? undefined : { ...known, claimedName: username }
    })
  }

  /** A name that an own backup gives to a person counts without a connection if the person's records claim it. */
  async noteRecordedName(accountId: AccountId, text: string): Promise<void> {
    const known = await this.load(accountId)
    const username = usernameOrNothing(text)
    if (!known || !username || !(await this.names.isClaimedBy(known, username))) return
    await this.#accounts.change(accountId, current => current && { ...current, username })
  }

  /** As {@link NameHolders.find}. */
  findByName(username: Username): Promise<KnownAccount | undefined> {
    return this.#holders.find(username)
  }

  /** As {@link NameHolders.checkClaimed}. */
  checkClaimedName(account: KnownAccount, text: string): Promise<KnownAccount> {
    return this.#holders.checkClaimed(account, text)
  }

  /** As {@link NameHolders.isTakenFrom}. */
  isTakenFrom(username: Username, accountId: AccountId): Promise<boolean> {
    return this.#holders.isTakenFrom(username, accountId)
  }
}

/** Simultaneous calls for one account share the work. */
function shared<T>(underway: Map<AccountHex, Promise<T>>, accountId: AccountId, work: () => Promise<T>): Promise<T> {
  const key = toHex(accountId)
  const running = underway.get(key) ?? work().finally(() => underway.delete(key))
  underway.set(key, running)
  return running
}
