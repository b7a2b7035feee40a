/**
 * Opens of groups: what the log says about the roster that an Open names, and which changes came with it. A change counts if its
 * signer could make it and the directory knows the signing device as one of the account; who carries it does not matter. Only of
 * a device that was removed from its account meanwhile nothing new counts, unless an admin's or an own device carries it: a thief
 * could date it back.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { deviceOf } from '../../protocol/directory/account.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { decodeGroupChange, verifyGroupChange, type GroupChange } from '../../protocol/groups/group-change.ts'
import type { GroupLog } from '../../protocol/groups/group-log.ts'
import { openGroupLog } from '../../protocol/groups/sealed-log.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import {
  resolveGroupRoster,
  type GroupReference,
  type RosterDecision,
  type RosterReference
} from '../../protocol/roster/roster-resolution.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { ReadOpen } from '../../protocol/session/accept.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import type { GroupBook } from './group-book.ts'
import type { GroupKnowledge } from './group-knowledge.ts'
import { joined, type GroupWriter } from './group-writer.ts'

export interface GroupOpensComponents {
  context: EngineContext
  states: StateStore
  book: GroupBook
  directory: DirectoryClient
  writer: GroupWriter
  knowledge: GroupKnowledge
}

/** Who hands changes over. */
export interface Carrier {
  accountId: AccountId
  /** When a node had the packet, milliseconds. */
  storedAt: number
  /** It is an own device, in the conversation that nobody else reads. */
  isOwn: boolean
}

/** What to do with changes. */
type Checked =
  | { kind: 'ok'; log: GroupLog; fresh: GroupChange[] }
  | { kind: 'fetch'; accounts: AccountId[] }
  | { kind: 'refuse'; reason: string }

/** As {@link RosterDecision}, with the accounts that are needed until it is decided. */
export type GroupDecision = { decision: RosterDecision; needs: AccountId[] }

const refuse = (reason: 'mismatch' | 'foreign'): RosterDecision => ({ kind: 'refuse', reason })

export class GroupOpens {
  readonly #components: GroupOpensComponents

  constructor(components: GroupOpensComponents) {
    this.#components = components
  }

  /**
   * Decides about an Open of a group, and takes in the changes that came with it if the Open is one of a member to us.
   * @param sealedLog - empty if none came.
   */
  async decide(
    unit: UnitOfWork,
    open: ReadOpen,
    group: GroupReference,
    sealedLog: Uint8Array,
    storedAt: number
  ): Promise<GroupDecision> {
    const { context, writer, knowledge } = this.#components
    const { conversationId, senderAccount, senderDevice } = open.reference
    const carrier = { accountId: senderAccount, storedAt, isOwn: false }
    const checked = await this.#check(unit, conversationId, this.#changesIn(open, sealedLog), carrier)
    if (checked.kind === 'fetch') return { decision: checked, needs: checked.accounts }
    if (checked.kind === 'refuse' || !group.heads.every(id => checked.log.has(id))) {
      context.log.warn('the log of a group was refused', {
        reason: checked.kind === 'refuse' ? checked.reason : 'heads'
      })
      return { decision: refuse('foreign'), needs: [] }
    }
    const { log, fresh } = checked
    const resolved = await this.#resolve(log, { ...open.reference, group }, storedAt)
    if (resolved.decision.kind !== 'accept') return resolved
    await writer.take(unit, conversationId, fresh)
    knowledge.noteHas(unit, conversationId, senderDevice, group.heads)
    return resolved
  }

  #changesIn(open: ReadOpen, sealedLog: Uint8Array): GroupChange[] {
    if (sealedLog.length === 0) return []
    const env = sessionEnvironment(this.#components.context)
    const { sessionId } = open.content.context
    return openGroupLog(env, open.secret, sessionId, sealedLog).map(encoded => decodeGroupChange(env, encoded))
  }

  async #resolve(
    log: GroupLog,
    reference: RosterReference & { group: GroupReference },
    storedAt: number
  ): Promise<GroupDecision> {
    const { context, directory, book } = this.#components
    const { heads } = reference.group
    const members = [...log.stateAt(heads).members.values()].map(({ accountId }) => accountId).sort(byBytes)
    // Who was taken out may still have written before a node had word of it.
    const isIn = log.state.members.has(toHex(reference.senderAccount))
    const outSince = isIn ? Infinity : book.outSince(toHex(log.groupId), reference.senderAccount)
    if (outSince === undefined || storedAt > outSince) return { decision: refuse('foreign'), needs: [] }
    for (const accountId of members) await directory.load(accountId)
    const epoch = log.epochAt(heads)
    const env = sessionEnvironment(context)
    const at = { members, epoch }
    const decision = resolveGroupRoster(env, reference, at, directory.view, context.accountId(), storedAt)
    return { decision, needs: members }
  }

  /**
   * Takes changes that a member's device tells outside of an Open, such as that it leaves.
   * @returns whether they count; false for what a hostile member made, and where the directory has to be asked first.
   */
  async take(
    unit: UnitOfWork,
    groupId: ConversationId,
    encoded: Uint8Array[],
    carrier: Carrier,
    isRetry = false
  ): Promise<boolean> {
    const env = sessionEnvironment(this.#components.context)
    try {
      const changes = encoded.map(bytes => decodeGroupChange(env, bytes))
      const checked = await this.#check(unit, groupId, changes, carrier)
      if (checked.kind === 'fetch' && !isRetry) {
        unit.after(() => void this.#takeOnceKnown(groupId, encoded, carrier, checked.accounts))
      }
      if (checked.kind !== 'ok') return false
      const isNew = carrier.isOwn && !this.#components.book.within(unit, toHex(groupId))
      await this.#components.writer.take(unit, groupId, checked.fresh, {
        isAccepted: carrier.isOwn,
        isShownElsewhere: isNew
      })
      return true
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#components.context.log.warn('changes of a group were refused', { code: error.code })
      return false
    }
  }

  /**
   * Takes a log from the backup of this account.
   * @throws PeerError `offline` if a signer is not known here and cannot be asked for.
   */
  async takeBackedUp(groupId: ConversationId, encoded: Uint8Array[]): Promise<void> {
    const { context, directory, states } = this.#components
    const env = sessionEnvironment(context)
    const changes = encoded.map(bytes => decodeGroupChange(env, bytes))
    for (const accountId of await this.#unknownSigners(changes)) await directory.refreshOverHttp(accountId)
    const carrier = { accountId: context.accountId(), storedAt: context.timers.now(), isOwn: true }
    await states.unit(unit => this.take(unit, groupId, encoded, carrier).then(() => undefined))
  }

  /** A new device knows nobody yet, and a member may be new to this one. Never rejects: what is not taken now comes with the next Open. */
  async #takeOnceKnown(
    groupId: ConversationId,
    encoded: Uint8Array[],
    carrier: Carrier,
    accounts: AccountId[]
  ): Promise<void> {
    const { context, directory, states } = this.#components
    try {
      for (const accountId of accounts) await directory.account(accountId)
      if (accounts.some(accountId => !directory.peek(toHex(accountId)))) return
      await states.unit(unit => this.take(unit, groupId, encoded, carrier, true).then(() => undefined))
    } catch (error) {
      context.log.debug('a group of an own device was not taken yet', { reason: String(error) })
    }
  }

  /** Checks changes that are new here. @throws ProtocolError for one that is malformed, not signed, or not its signer's to make. */
  async #check(
    unit: UnitOfWork,
    groupId: ConversationId,
    changes: readonly GroupChange[],
    carrier: Carrier
  ): Promise<Checked> {
    const { context, book } = this.#components
    const env = sessionEnvironment(context)
    const known = book.within(unit, toHex(groupId))?.log
    const fresh = changes.filter(({ id }) => !known?.has(id))
    if (fresh.some(change => !equalBytes(change.groupId, groupId))) return { kind: 'refuse', reason: 'other group' }
    if (fresh.length === 0) return known ? { kind: 'ok', log: known, fresh: [] } : { kind: 'refuse', reason: 'unknown' }
    for (const change of fresh) await verifyGroupChange(env, change)
    const unknown = await this.#unknownSigners(fresh)
    if (unknown.length > 0) return { kind: 'fetch', accounts: unknown }
    if (known && !this.#mayCarry(known, fresh, carrier)) return { kind: 'refuse', reason: 'removed device' }
    return { kind: 'ok', log: joined(known, fresh), fresh }
  }

  /** Accounts of which the directory does not know the signing device yet. */
  async #unknownSigners(changes: readonly GroupChange[]): Promise<AccountId[]> {
    const unknown = new Map<string, AccountId>()
    for (const { accountId, deviceId } of changes) {
      const account = await this.#components.directory.load(accountId)
      if (!account || !deviceOf(account.current, deviceId)) unknown.set(toHex(accountId), accountId)
    }
    return [...unknown.values()]
  }

  #mayCarry(known: GroupLog, fresh: readonly GroupChange[], { accountId, storedAt, isOwn }: Carrier): boolean {
    if (isOwn || known.state.members.get(toHex(accountId))?.role === 'admin') return true
    return fresh.every(change => {
      const removedSince = this.#components.directory.view(change.accountId)?.removedSince(change.deviceId)
      return removedSince === undefined || storedAt <= removedSince
    })
  }
}

const byBytes = (a: Uint8Array, b: Uint8Array): number => (toHex(a) < toHex(b) ? -1 : 1)
