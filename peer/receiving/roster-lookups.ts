/**
 * Asks the directory for the accounts that parked Opens name. It works beside the deliveries, one question at a time, so
 * whatever strangers send, a message of a known person is not held up by it. Accounts that are known here go first; those that
 * are not share a budget.
 */
import { fromHex, toHex } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { EngineContext } from '../engine-context.ts'

/** Accounts that wait to be asked for. Past it a new one is not taken: its Open asks again later. */
export const MAX_WAITING_ACCOUNTS = 256
/** Unknown accounts that are asked for at once … */
export const STRANGER_BURST = 10
/** … and then one each time this has passed. */
export const STRANGER_INTERVAL_MS = 2_000
/** A known account is not asked for more often on behalf of Opens. */
export const KNOWN_INTERVAL_MS = 3_000
const MAX_REMEMBERED = 1_000

export interface RosterLookupsInit {
  /** An account was asked for: looks at the Opens that wait for it. Never rejects. */
  onAnswer: (account: string) => Promise<void>
  /** Whether something was accepted from an account, or it is needed otherwise. */
  isNeeded: (accountId: AccountId) => boolean
}

export class RosterLookups {
  readonly #context: EngineContext
  readonly #directory: DirectoryClient
  readonly #init: RosterLookupsInit
  readonly #known = new Set<string>()
  readonly #strangers = new Set<string>()
  readonly #askedAt = new Map<string, number>()
  #tokens = STRANGER_BURST
  #refilledAt: number
  #running: Promise<void> | undefined
  #cancelTimer: (() => void) | undefined
  #stopped = false

  constructor(context: EngineContext, directory: DirectoryClient, init: RosterLookupsInit) {
    this.#context = context
    this.#directory = directory
    this.#init = init
    this.#refilledAt = context.timers.monotonic()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelTimer?.()
    await this.#running
  }

  /**
   * Asks for accounts as soon as their turn comes. Never rejects.
   * @param isOfFriend - a person whom the user accepts names them, such as the members of a group: they take nothing from the
   * budget of what strangers name.
   */
  async want(accounts: string[], isOfFriend = false): Promise<void> {
    try {
      for (const account of accounts) await this.#add(account, isOfFriend)
    } catch (error) {
      // The store is closed or cannot be read. What is parked is looked at again later.
      this.#context.log.debug('accounts could not be put in line', { reason: String(error) })
    }
    this.#kick()
  }

  async #add(account: string, isOfFriend: boolean): Promise<void> {
    if (this.#stopped || this.#known.size + this.#strangers.size >= MAX_WAITING_ACCOUNTS) return
    const isKnown = isOfFriend || (await this.#directory.load(fromHex(account) as AccountId)) !== undefined
    if (isKnown) this.#known.add(account)
    else this.#strangers.add(account)
  }

  #kick(): void {
    if (this.#stopped) return
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  async #run(): Promise<void> {
    for (let next = this.#next(); next !== undefined && !this.#stopped; next = this.#next()) await this.#ask(next)
    if (this.#known.size + this.#strangers.size === 0 || this.#stopped || this.#cancelTimer) return
    this.#cancelTimer = this.#context.timers.after(STRANGER_INTERVAL_MS, () => {
      this.#cancelTimer = undefined
      this.#kick()
    })
  }

  /** The account whose turn it is now; known ones first. */
  #next(): string | undefined {
    const now = this.#context.timers.monotonic()
    for (const account of this.#known) {
      if (now - (this.#askedAt.get(account) ?? -Infinity) < KNOWN_INTERVAL_MS) continue
      this.#known.delete(account)
      return account
    }
    const [stranger] = this.#strangers
    if (stranger === undefined || !this.#takeToken(now)) return undefined
    this.#strangers.delete(stranger)
    return stranger
  }

  #takeToken(now: number): boolean {
    const grown = Math.floor((now - this.#refilledAt) / STRANGER_INTERVAL_MS)
    if (grown > 0) {
      this.#tokens = Math.min(STRANGER_BURST, this.#tokens + grown)
      this.#refilledAt += grown * STRANGER_INTERVAL_MS
    }
    if (this.#tokens === 0) return false
    this.#tokens--
    return true
  }

  /** Never rejects. An account that was not known before and from which nothing is accepted is forgotten again. */
  async #ask(account: string): Promise<void> {
    const accountId = fromHex(account) as AccountId
    if (this.#askedAt.size >= MAX_REMEMBERED) this.#askedAt.clear()
    this.#askedAt.set(account, this.#context.timers.monotonic())
    try {
      const isNew = (await this.#directory.load(accountId)) === undefined
      try {
        await this.#directory.agree(accountId)
        await this.#init.onAnswer(account)
      } finally {
        // Also when the second operator did not answer, after the first one's word was kept.
        if (isNew && !this.#init.isNeeded(accountId)) await this.#directory.forget(accountId)
      }
    } catch (error) {
      this.#context.log.debug('an account could not be asked for', { account: toHex(accountId), reason: String(error) })
    }
  }
}
