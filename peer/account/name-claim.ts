/**
 * Brings a chosen name onto the public record.
 *
 *     committed ── seen in a block ──▶ revealed ── seen in a block ──▶ reserved ── 112 blocks ──▶ recorded
 *         ▲                              │
 *         └── lapsed: commit again ◀─────┘             any time: held by another account ──▶ taken
 *
 * The name itself is told only once the commitment stands in a block, so that a node that sees it cannot be faster.
 */
import { equalBytes } from '../../protocol/bytes.ts'
import type { AccountState } from '../../protocol/directory/account.ts'
import {
  buildNameCommit,
  buildNameRelease,
  buildNameReveal,
  type RecordSigner
} from '../../protocol/identity/build-record.ts'
import { NAME_SALT_BYTES, nameCommitment } from '../../protocol/identity/name-commitment.ts'
import { encodeRecord } from '../../protocol/identity/record.ts'
import type { Username } from '../../protocol/identity/username.ts'
import { MAX_NAMES_PER_ACCOUNT, NAME_REVEAL_MAX_BLOCKS, NAME_SETTLED_CONFIRMATIONS } from '../../protocol/limits.ts'
import { PeerError } from '../errors.ts'
import type { NodeConnection } from '../network/node-connection.ts'
import type { EngineContext } from '../engine-context.ts'
import type { RecordedPlace } from '../directory/agreement.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { KnownAccount } from '../directory/known-account.ts'
import type { ChangeAccount, NameClaimState, OwnAccount } from '../store/own-account.ts'

/** Blocks before a commitment lapses at which a new one is made instead of a reveal that may come too late. */
const REVEAL_MARGIN_BLOCKS = 5
/** A commitment this deep is opened though no second operator answers: else one that is gone would keep the name back. */
const REVEAL_ALONE_BLOCKS = 20
/** While the name is on its way, the record is looked at this often; later far less. */
export const NAME_POLL_MS = 1_500
const SLOW_POLL_MS = 60_000
const HANDED_IN_LOOK_MS = 100

export interface NameClaimComponents {
  context: EngineContext
  directory: DirectoryClient
  connection: () => NodeConnection | undefined
  account: () => OwnAccount
  changeAccount: ChangeAccount
}

export class NameClaim {
  readonly #components: NameClaimComponents
  /** Whether others can find the account by the name already, as far as its reveal was handed in. */
  #handedIn = false
  #running: Promise<void> | undefined
  #cancelTimer: (() => void) | undefined
  #stopped = true

  constructor(components: NameClaimComponents) {
    this.#components = components
  }

  start(): void {
    this.#stopped = false
    this.kick()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelTimer?.()
    await this.#running
  }

  /** Begins to claim a name in place of the one before; on disk once this resolves. */
  async choose(username: Username): Promise<void> {
    const tag = await this.#components.directory.names.tagOf(username)
    // A step under way would write the old name over the new one.
    while (this.#running) await this.#running
    this.#cancelTimer?.()
    const saved = this.#save({ username, tag, salt: this.#salt(), state: 'reserving' })
    this.#running = saved.catch(() => undefined).finally(() => (this.#running = undefined))
    await this.#running
    await saved
    this.#handedIn = false
    this.kick()
  }

  /**
   * Gives every name of the account back, and claims none any more: anybody may take it from then on.
   * @returns how many names the public record had for it.
   * @throws PeerError `offline`; NodeRefusal if a node does not take a record.
   */
  async release(): Promise<number> {
    const { context, connection, directory, account, changeAccount } = this.#components
    const online = connection()
    if (!online) throw new PeerError('offline', { origin: null })
    while (this.#running) await this.#running
    this.#cancelTimer?.()
    // Stored first: a name that is given back must not be claimed again by a process that goes on.
    await changeAccount(current => ({ ...current, name: null }))
    let released = 0
    for (; released < MAX_NAMES_PER_ACCOUNT; released++) {
      const state = (await directory.refresh(account().accountId))?.checked.account
      const [name] = state?.names ?? []
      if (!state || !name) break
      await this.#publish(online, await buildNameRelease(context.network().id, this.#signer(state), name.nameTag))
    }
    await directory.refresh(account().accountId)
    return released
  }

  /** Waits until the name was told to the network, at most `ms`. @returns whether others can find it. */
  async handedIn(ms: number): Promise<boolean> {
    const { timers } = this.#components.context
    const deadline = timers.monotonic() + ms
    while (!this.#handedIn && timers.monotonic() < deadline) {
      await new Promise<void>(resolve => timers.after(HANDED_IN_LOOK_MS, resolve))
    }
    return this.#handedIn
  }

  /** Looks at the record now, and waits for what comes of it. */
  async settle(): Promise<void> {
    this.kick()
    await this.#running
  }

  /** Looks at the record now. */
  kick(): void {
    if (this.#stopped || this.#running) return
    this.#cancelTimer?.()
    this.#running = this.#step()
      .catch((error: unknown) => this.#components.context.log.debug('name not settled yet', { reason: String(error) }))
      .finally(() => {
        this.#running = undefined
        this.#schedule()
      })
  }

  #schedule(): void {
    const state = this.#components.account().name?.state
    if (this.#stopped || state === undefined || state === 'recorded') return
    const ms = state === 'reserving' ? NAME_POLL_MS : SLOW_POLL_MS
    this.#cancelTimer = this.#components.context.timers.after(ms, () => this.kick())
  }

  async #step(): Promise<void> {
    const { context, directory, connection, account } = this.#components
    const { name, accountId } = account()
    const online = connection()
    if (!name || name.state === 'recorded' || !online) return
    const known = await directory.refresh(accountId)
    if (!known) return
    const { account: state, tip } = known.checked
    const claim = state.names.find(({ nameTag }) => equalBytes(nameTag, name.tag))
    if (claim) {
      this.#handedIn = true
      return this.#noteClaimed(name, known, await this.#depthOf(known, claim))
    }
    if (name.state === 'taken') return
    const commitment = nameCommitment(context.crypto, context.network().id, name.tag, accountId, name.salt)
    const mark = state.commitments.find(other => equalBytes(other.commitment, commitment))
    if (!mark) return this.#commit(online, known, name)
    if (!mark.order) return
    const blocks = tip.height - mark.order.blockHeight
    // Lapsed by the word of two: one node must not make us commit again and again.
    const isLate = blocks > NAME_REVEAL_MAX_BLOCKS - REVEAL_MARGIN_BLOCKS
    if (isLate && (await this.#depthOf(known, mark)) > NAME_REVEAL_MAX_BLOCKS - REVEAL_MARGIN_BLOCKS)
      return this.#commit(online, known, { ...name, salt: this.#salt() })
    if (blocks < REVEAL_ALONE_BLOCKS && !(await this.#isInBlock(known))) return
    await this.#publish(online, await buildNameReveal(context.network().id, this.#signer(state), name.tag, name.salt))
    this.#handedIn = true
    await directory.refresh(accountId)
  }

  /**
   * Whether the commitment stands in a block by more than one operator's word, where there are more: a node that hears the
   * name before could commit to it first.
   */
  async #isInBlock(known: KnownAccount): Promise<boolean> {
    const { directory } = this.#components
    if (!directory.opinion.isThere) return true
    const opinion = await directory.opinionOn(known)
    return opinion === 'same' || opinion === 'behind'
  }

  #salt(): Uint8Array {
    return this.#components.context.random(NAME_SALT_BYTES)
  }

  /** How deep a mark lies, by the word of two operators where there are two: both are asked before a node's height is believed. */
  async #depthOf(known: KnownAccount, mark: RecordedPlace): Promise<number> {
    const { directory } = this.#components
    if (!mark.order) return 0
    const told = known.checked.tip.height - mark.order.blockHeight + 1
    const counted = directory.confirmationsOf(known, mark)
    if (told < NAME_SETTLED_CONFIRMATIONS - REVEAL_MARGIN_BLOCKS || counted >= told) return counted
    return directory.confirmationsOf((await directory.agree(known.accountId)) ?? known, mark)
  }

  async #noteClaimed(name: NameClaimState, known: KnownAccount, depth: number): Promise<void> {
    const { directory } = this.#components
    // Another account committed to the name earlier.
    if (await directory.isTakenFrom(name.username as Username, known.accountId))
      return this.#save({ ...name, state: 'taken' })
    // A reservation that was undone is on its way again, and looks it.
    if (depth === 0) return name.state === 'reserved' ? this.#save({ ...name, state: 'reserving' }) : undefined
    await this.#save({ ...name, state: depth >= NAME_SETTLED_CONFIRMATIONS ? 'recorded' : 'reserved' })
  }

  /** Commits (again): the first commitment never reached the chain, or lapsed there. */
  async #commit(connection: NodeConnection, known: KnownAccount, name: NameClaimState): Promise<void> {
    const { context } = this.#components
    // Stored first: a reveal without its salt would be lost.
    await this.#save(name)
    const { id } = context.network()
    const commitment = nameCommitment(context.crypto, id, name.tag, known.accountId, name.salt)
    await this.#publish(connection, await buildNameCommit(id, this.#signer(known.checked.account), commitment))
  }

  #signer(state: AccountState): RecordSigner {
    const { context } = this.#components
    const { signingKey, deviceId } = context.device()
    return { key: signingKey, deviceId, prev: state.head, time: context.timers.now() }
  }

  async #publish(connection: NodeConnection, record: Parameters<typeof encodeRecord>[0]): Promise<void> {
    await connection.request({ kind: 'publishRecords', records: [encodeRecord(record)] }, 'done')
  }

  async #save(name: NameClaimState): Promise<void> {
    await this.#components.changeAccount(account => ({ ...account, name }))
  }
}
