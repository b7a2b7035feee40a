/** What the engine does by itself after each connection and from time to time. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { encodeBundle } from '../../protocol/identity/bundle.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { NodeConnection } from '../network/node-connection.ts'
import type { Conversations } from '../conversations/conversations.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import { AGREEMENT_RENEW_MS } from '../directory/agreement.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { KnownAccount } from '../directory/known-account.ts'
import type { GroupBook } from '../groups/group-book.ts'
import type { ConversationRoster } from '../groups/conversation-roster.ts'
import type { Receiver } from '../receiving/receiver.ts'
import type { DeliveryTokens } from '../sending/delivery-tokens.ts'
import type { Conversation } from '../store/conversation-entries.ts'
import { UPKEEP_INTERVAL_MS, type SessionUpkeep } from './session-upkeep.ts'

/** Longest wait for a name to be looked up, before an account is shown without it. */
const NAME_CHECK_MS = 15_000
/** Quiet conversations are looked after this often … */
const SWEEP_INTERVAL_MS = 10 * 60_000
/** … and those that are not quiet, each round. */
const LATELY_MS = 60 * 60_000
/** Operators that do not agree yet are asked again after this: two attempts before an agreement ends. */
const OPINION_INTERVAL_MS = 60_000
const CONTRADICTED_INTERVAL_MS = 20_000
/** Sessions that nothing can reopen are looked for this often. */
const FORGET_INTERVAL_MS = 60 * 60_000

export interface MaintenanceComponents {
  context: EngineContext
  directory: DirectoryClient
  conversations: Conversations
  roster: ConversationRoster
  groups: Pick<GroupBook, 'calledIn'>
  receiver: Receiver
  upkeep: SessionUpkeep
  tokens: DeliveryTokens
  connection: () => NodeConnection | undefined
}

export class Maintenance {
  readonly #components: MaintenanceComponents
  /** Which state of a record a second opinion was sought on, and when (monotonic), by account. */
  readonly #opinions = new Map<string, { state: string; at: number }>()
  readonly #nameChecks = new Map<string, Promise<void>>()
  /** Both on the monotonic clock. */
  #sweptAt = -Infinity
  #forgotAt = -Infinity
  #stopped = true
  #cancelTimer: (() => void) | undefined

  constructor(components: MaintenanceComponents) {
    this.#components = components
  }

  start(): void {
    this.#stopped = false
    this.#forgotAt = this.#components.context.timers.monotonic()
    void this.#renewSecrets()
    this.#schedule()
  }

  stop(): void {
    this.#stopped = true
    this.#cancelTimer?.()
  }

  #schedule(): void {
    this.#cancelTimer = this.#components.context.timers.after(UPKEEP_INTERVAL_MS, () => {
      if (this.#stopped) return
      void this.round()
      void this.#renewSecrets()
      this.#schedule()
    })
  }

  /** What was erased is gone for good from time to time, with or without a connection. */
  #renewSecrets(): Promise<void> {
    const { store, timers } = this.#components.context
    return this.#attempt(() => store.renewSecrets(timers.now()))
  }

  /** One round, as far as there is a connection. Never rejects. */
  async round(): Promise<void> {
    const { context, directory, connection } = this.#components
    const online = connection()
    if (!online) return
    // Each by itself: a node that refuses one must not stop the others.
    await this.#attempt(() => this.#publishBundle(online))
    await this.#attempt(() => directory.account(context.accountId(), 0))
    await this.#attempt(() => this.#components.tokens.publish(online))
    // A device removed elsewhere must not go on because one node keeps that back.
    await this.#attempt(() => directory.agree(context.accountId(), AGREEMENT_RENEW_MS))
    await this.#attempt(() => this.#forgetSessions())
    for (const key of this.#conversationsToKeepUp()) await this.keepUp(key)
  }

  async #attempt(step: () => Promise<unknown>): Promise<void> {
    try {
      await step()
    } catch (error) {
      this.#components.context.log.debug('a part of a round came to nothing', { reason: String(error) })
    }
  }

  /** Reads every session ever accepted, so it runs rarely and not right after a start, when a command may wait for the end. */
  async #forgetSessions(): Promise<void> {
    const now = this.#components.context.timers.monotonic()
    if (now - this.#forgotAt < FORGET_INTERVAL_MS) return
    this.#forgotAt = now
    await this.#components.receiver.forgetSessions()
  }

  async #publishBundle(connection: NodeConnection): Promise<void> {
    const { context } = this.#components
    const device = context.device()
    if (!device.isBundleDue(context.timers.now())) return
    const bundle = await device.bundle(sessionEnvironment(context))
    await connection.request({ kind: 'publishBundle', bundle: encodeBundle(bundle) }, 'done')
    await device.notePublished(bundle)
  }

  /** All of them now and then; in between those in which something happened lately. */
  #conversationsToKeepUp(): string[] {
    const { context, conversations } = this.#components
    const isSweep = context.timers.monotonic() - this.#sweptAt >= SWEEP_INTERVAL_MS
    if (isSweep) this.#sweptAt = context.timers.monotonic()
    const now = context.timers.now()
    const due = conversations.all().filter(({ updatedAt }) => isSweep || now - updatedAt < LATELY_MS)
    return due.map(({ conversationId }) => toHex(conversationId))
  }

  /** Looks after one conversation. Never rejects. */
  async keepUp(conversationId: string): Promise<void> {
    const { context, conversations, upkeep, directory, roster } = this.#components
    const conversation = conversations.get(conversationId)
    if (!conversation || this.#stopped) return
    try {
      await upkeep.run(conversation)
      for (const accountId of roster.partnersOf(conversation)) {
        const known = directory.peek(toHex(accountId))
        // Not awaited: another operator may be slow to answer.
        if (known) void this.#attempt(() => this.#reconsider(known, conversation))
        // A person may tell a name before the record has it.
        if (known?.claimedName) await directory.checkClaimedName(known, known.claimedName)
      }
    } catch (error) {
      context.log.debug('a conversation could not be looked after', { reason: String(error) })
    }
  }

  /**
   * Asks again about an account on which operators did not agree: sending is held while they contradict each other. Where we
   * write lately, their agreement is renewed before it ends; elsewhere they are asked before the next message is sealed.
   */
  async #reconsider(known: KnownAccount, { updatedAt }: Conversation): Promise<void> {
    const { context, directory } = this.#components
    if (known.contradicted) await directory.refresh(known.accountId)
    else if (known.agreement === null) await this.seekSecondOpinion(known)
    else if (context.timers.now() - updatedAt < LATELY_MS) await directory.agree(known.accountId, AGREEMENT_RENEW_MS)
  }

  /**
   * Compares what one operator says about a person we talk to, or about us, with what another says: when the record changes,
   * and now and then until they agree. Never rejects.
   */
  async seekSecondOpinion(account: KnownAccount): Promise<void> {
    const { context, directory, conversations } = this.#components
    const isOurs = equalBytes(account.accountId, context.accountId()) || conversations.isPartner(account.accountId)
    if (!isOurs || (account.agreement !== null && !account.contradicted) || !directory.opinion.isThere) return
    const key = toHex(account.accountId)
    const { places } = account.checked
    const state = `${places.length}/${places.filter(({ order }) => order !== null).length}`
    const last = this.#opinions.get(key)
    const now = context.timers.monotonic()
    // While they contradict each other sending is held; mostly one of them has just seen another last block.
    const interval = account.contradicted ? CONTRADICTED_INTERVAL_MS : OPINION_INTERVAL_MS
    if (last?.state === state && now - last.at < interval) return
    this.#opinions.set(key, { state, at: now })
    try {
      await directory.agree(account.accountId)
    } catch (error) {
      // No caller waits for it, and it may end after the store was closed.
      context.log.debug('no second opinion was available', { reason: String(error) })
    }
  }

  /** A person told their name: it is shown once the directory confirms it. Never rejects. */
  async noteProfile(accountId: AccountId, profile: { username: string | null; displayName: string }): Promise<void> {
    await this.#nameCheck(accountId, () => this.#checkProfile(accountId, profile))
  }

  async #nameCheck(accountId: AccountId, work: () => Promise<unknown>): Promise<void> {
    const key = toHex(accountId)
    const check = this.#attempt(work)
    this.#nameChecks.set(key, check)
    await check
    // A later one may be under way.
    if (this.#nameChecks.get(key) === check) this.#nameChecks.delete(key)
  }

  /** A member of a group is called so by the one who added them: it counts until they say so themselves. Never rejects. */
  async noteMember(accountId: AccountId, username: string): Promise<void> {
    const { directory } = this.#components
    await this.#nameCheck(accountId, async () => {
      const claiming = (await directory.noteClaim(accountId, username)) ?? (await directory.load(accountId))
      if (claiming?.claimedName === username) await directory.checkClaimedName(claiming, username)
    })
  }

  async #checkProfile(
    accountId: AccountId,
    { username, displayName }: { username: string | null; displayName: string }
  ): Promise<void> {
    const { directory } = this.#components
    const named = await directory.noteProfile(accountId, { username, displayName })
    if (named && username !== null) await directory.checkClaimedName(named, username)
  }

  /** Resolves once the name that this account is called by was looked up, or after a while. */
  async nameChecked(accountId: AccountId): Promise<void> {
    const { context, directory, groups } = this.#components
    const key = toHex(accountId)
    const known = await directory.load(accountId)
    if (known?.username === null && !this.#nameChecks.has(key)) {
      // The device may have stopped before it was looked up.
      const called = known.claimedName ?? groups.calledIn(accountId)
      if (called !== null) void this.noteMember(accountId, called)
    }
    const isLate = Promise.withResolvers<void>()
    const cancel = context.timers.after(NAME_CHECK_MS, isLate.resolve)
    await Promise.race([this.#nameChecks.get(key), isLate.promise])
    cancel()
  }
}
