/**
 * The peer without a screen: builds the parts, hands them to each other, and offers the calls of {@link PeerApi}.
 * Longer than most files, because it is the one place where the order of starting and the flow between parts can be read.
 */
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import { encodeBundle } from '../../protocol/identity/bundle.ts'
import { createMessageId, decodeMessage, type MessageId } from '../../protocol/conversation/message.ts'
import { MAX_TEXT_CHARACTERS } from '../../protocol/conversation/message-kinds.ts'
import { wakeAt } from '../../protocol/conversation/sequencer.ts'
import type { Crypto, Random } from '../../protocol/crypto/crypto.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { signPeerAuthentication } from '../../protocol/identity/peer-authentication.ts'
import { signAcknowledgement } from '../../protocol/wire/custody.ts'
import type { Delivery, DeliveryId } from '../../protocol/wire/envelope.ts'
import type { Epoch, ListedNode } from '../../protocol/wire/placement.ts'
import {
  PeerError,
  type ChatMessage,
  type ConnectionState,
  type ConversationSummary,
  type Me,
  type NameAvailability,
  type PeerApi,
  type PeerEvents,
  type PeerSnapshot,
  type PeerStatus,
  type Person,
  type SentReceipt,
  type SignInProvider
} from '../peer-api.ts'
import type { HttpClient, KeyVault, Log, Timers, Transport } from '../ports.ts'
import type { SealedStore } from '../store/sealed-store.ts'
import { ConnectionKeeper } from '../transport/connection-keeper.ts'
import { ConnectionLost, NodeConnection, NodeRefusal, type PushFrame } from '../transport/node-connection.ts'
import { sessionEnvironment, type Core } from './core.ts'
import { DeviceKeys } from './device-keys.ts'
import { DirectoryClient, usernameOrNothing } from './directory-client.ts'
import { Inbox } from './inbox.ts'
import { accountIdFromHex, holdReason, type KnownAccount } from './known-account.ts'
import { MessageLog } from './message-log.ts'
import { NameClaim } from './name-claim.ts'
import { candidateNodes, isNewerEpoch, replicasOf, type NetworkInfo } from './network-info.ts'
import { NetworkBook } from './network-book.ts'
import { Outbox } from './outbox.ts'
import { loadOwnAccount, type OwnAccount } from './own-account.ts'
import { PeerEventHub } from './peer-events.ts'
import { People, sentReceipt } from './people.ts'
import { Receiver } from './receiver.ts'
import { Registration } from './registration.ts'
import { SealRound } from './seal-round.ts'
import { Sealer } from './sealer.ts'
import { SealingPlanner } from './sealing-plan.ts'
import {
  conversationEntry,
  receiptsEntry,
  slots,
  unheardEntry,
  unsentEntry,
  type Conversation,
  type MessageRow
} from './slots.ts'
import { Upkeep, UPKEEP_INTERVAL_MS } from './upkeep.ts'
import { StateStore } from './work.ts'

/** A burst of changes makes one snapshot. */
const SNAPSHOT_DELAY_MS = 40
/** Messages of a page, unless asked otherwise. */
const DEFAULT_PAGE = 50
const MAX_PAGE = 500
/** Time to tell what was received before the process ends. */
const FLUSH_TIMEOUT_MS = 1_500
/** Quiet conversations are looked after this often … */
const SWEEP_INTERVAL_MS = 10 * 60_000
/** … and those that are not quiet, each round. */
const LATELY_MS = 60 * 60_000
const SECOND_OPINION_TIMEOUT_MS = 4_000
/** A question that lost its node is put to the next one, if that is found within this. */
const RECONNECT_WAIT_MS = 6_000

export interface PeerEngineComponents {
  crypto: Crypto
  random: Random
  timers: Timers
  store: SealedStore
  vault: KeyVault
  transport: Transport
  fetch: HttpClient
  log: Log
}

export interface PeerEngineInit {
  /** Origin of the node to start from; undefined for the one used last. */
  entry: string | undefined
  /** Whether received messages are kept in line until they are marked as heard (`listen`). */
  keepUnheard?: boolean
}

/** A received message that nobody has listened to yet. */
export interface Unheard {
  /** For `markHeard`. */
  order: string
  message: ChatMessage
  person: Person
}

export class PeerEngine implements PeerApi {
  readonly #components: PeerEngineComponents
  readonly #core: Core
  readonly #book: NetworkBook
  readonly #hub = new PeerEventHub()
  readonly #states: StateStore
  readonly #log: MessageLog
  readonly #directory: DirectoryClient
  readonly #outbox: Outbox
  readonly #sealer: Sealer
  readonly #inbox: Inbox
  readonly #receiver: Receiver
  readonly #upkeep: Upkeep
  readonly #nameClaim: NameClaim
  readonly #registration: Registration
  readonly #people: People
  readonly #keeper: ConnectionKeeper
  readonly #conversations = new Map<string, { conversation: Conversation; last: MessageRow | undefined }>()
  #device: DeviceKeys | undefined
  #own: OwnAccount | undefined
  #signedIn = false
  #connection: { state: ConnectionState; node: ListedNode | null; problem: string | null } = {
    state: 'offline',
    node: null,
    problem: null
  }
  #caughtUp = false
  #caughtUpWaiters: (() => void)[] = []
  #waiting = 0
  #counting: Promise<void> | undefined
  #countAgain = false
  #storeProblem: string | null = null
  #sweptAt = 0
  #cancelSnapshot: (() => void) | undefined
  #cancelUpkeep: (() => void) | undefined
  /** Which state of a record a second opinion was sought on, by account. */
  readonly #opinions = new Map<string, string>()
  #running = false

  constructor(components: PeerEngineComponents, init: PeerEngineInit) {
    const { crypto, random, timers, store, log, transport, fetch } = components
    this.#components = components
    this.#book = new NetworkBook({ crypto, store, fetch, log }, init.entry)
    this.#core = {
      crypto,
      random,
      timers,
      store,
      log,
      network: () => this.#book.info,
      device: () => required(this.#device),
      accountId: () => required(this.#own).accountId
    }
    const core = this.#core
    this.#states = new StateStore(store)
    this.#log = new MessageLog(core, this.#states, {
      keepUnheard: init.keepUnheard ?? false,
      onMessage: row => this.#onMessage(row),
      onConversation: conversation => this.#onConversation(conversation)
    })
    this.#directory = new DirectoryClient({
      crypto,
      store,
      timers,
      log,
      network: core.network,
      connection: () => this.#requireConnection(),
      otherOperator: () => this.#dialOtherOperator(),
      onChange: account => this.#onAccount(account)
    })
    const states = this.#states
    const directory = this.#directory
    this.#outbox = new Outbox(core, states, this.#log, {
      connection: () => this.#keeper.connection,
      onEpoch: epoch => this.#onEpoch(epoch),
      onChange: () => void this.#countWaiting()
    })
    const round = new SealRound({
      core,
      log: this.#log,
      outbox: this.#outbox,
      account: () => required(this.#own),
      onKeysChanged: (conversationId, own) => this.#receiver.noteKeys(conversationId, own)
    })
    const planner = new SealingPlanner(core, states, directory)
    this.#sealer = new Sealer({ core, states, log: this.#log, outbox: this.#outbox, planner, round })
    this.#inbox = new Inbox({
      core,
      states,
      directory,
      log: this.#log,
      sealer: this.#sealer,
      onProfile: (accountId, profile) => void this.#onProfile(accountId, profile),
      onGap: conversationId => void this.#keepUp(conversationId)
    })
    this.#receiver = new Receiver({ core, states, directory, inbox: this.#inbox, sealer: this.#sealer })
    this.#upkeep = new Upkeep({
      core,
      states,
      directory,
      inbox: this.#inbox,
      sealer: this.#sealer,
      outbox: this.#outbox,
      onKeysChanged: (conversationId, own) => this.#receiver.noteKeys(conversationId, own)
    })
    this.#nameClaim = new NameClaim({
      core,
      directory,
      connection: () => this.#keeper.connection,
      account: () => required(this.#own),
      onAccount: account => {
        this.#own = account
        this.#changed()
      }
    })
    this.#registration = new Registration(core, fetch, () => this.#book.entry)
    this.#people = new People(core, directory, () => required(this.#own))
    this.#keeper = new ConnectionKeeper(
      { transport, timers, log, randomFraction: () => random(1)[0]! / 256 },
      {
        network: () => core.network().id,
        authenticate: async (hello, ends) => {
          const { deviceId, publicKeys, signingKey } = core.device()
          const time = timers.now()
          const proof = { nodeKey: ends.node, clientPeerKey: ends.client, nonce: hello.nonce, deviceId, time }
          const signature = await signPeerAuthentication(core.network().id, signingKey, proof)
          return { kind: 'authenticate', version: 1, keys: publicKeys, time, signature }
        },
        candidates: () => candidateNodes(crypto, core.network(), core.device().deviceId),
        onOnline: (connection, node) => this.#onOnline(connection, node),
        onState: (state, node, problem) => this.#onState(state, node, problem)
      }
    )
  }

  /** Opens what is on disk; the network follows by itself. */
  async start(): Promise<void> {
    this.#running = true
    const { crypto, store, vault } = this.#components
    await this.#book.load()
    if (this.#book.isKnown) {
      this.#device = await DeviceKeys.load(crypto, this.#core.network().id, store, vault)
      this.#own = await loadOwnAccount(store)
    }
    this.#signedIn = (await this.#registration.signInCode()) !== undefined
    if (this.#own?.registered) await this.#startChatting()
    void this.#refreshNetwork()
  }

  async #startChatting(): Promise<void> {
    await this.#loadConversations()
    await this.#outbox.start()
    await this.#sealer.start()
    await this.#receiver.start()
    await this.#countWaiting()
    this.#keeper.start()
    this.#nameClaim.start()
    this.#scheduleUpkeep()
    this.#changed()
  }

  async #loadConversations(): Promise<void> {
    const me = this.#core.accountId()
    await this.#directory.load(me)
    for (const conversation of await this.#states.all('conversation', conversationEntry)) {
      const key = toHex(conversation.conversationId)
      await this.#directory.load(conversation.accountId)
      const last = conversation.lastOrder
        ? await this.#states.read(slots.message(key, conversation.lastOrder))
        : undefined
      this.#conversations.set(key, { conversation, last })
      await this.#resumeGaps(key, conversation)
    }
  }

  /** Waits for missing messages that an earlier process began. */
  async #resumeGaps(key: string, { conversationId, accountId }: Conversation): Promise<void> {
    for (const { value } of await this.#states.range('sequencer', key, slots.sequencer('', '').codec)) {
      const at = wakeAt(value)
      if (at === undefined) continue
      this.#inbox.resume({ conversationId, senderAccount: accountId, senderDevice: value.deviceId }, at)
    }
  }

  /** Tells what was received, ends every timer and connection, closes the store. Safe to call twice. */
  async stop(): Promise<void> {
    if (!this.#running) return
    if (this.#own?.registered && this.#keeper.connection) await this.#flush()
    this.#running = false
    this.#cancelSnapshot?.()
    this.#cancelUpkeep?.()
    this.#inbox.stop()
    this.#receiver.stop()
    this.#outbox.stop()
    await this.#sealer.stop()
    await this.#nameClaim.stop()
    await this.#keeper.stop()
    await this.#components.transport.stop()
    await this.#states.idle()
    await this.#components.store.close()
  }

  async #flush(): Promise<void> {
    const done = Promise.withResolvers<void>()
    const cancel = this.#core.timers.after(FLUSH_TIMEOUT_MS, done.resolve)
    await Promise.race([this.#flushOutbox(), done.promise])
    cancel()
  }

  async #flushOutbox(): Promise<void> {
    await this.#states.idle()
    await this.#sealer.flush()
    const deadline = this.#core.timers.now() + FLUSH_TIMEOUT_MS
    while (this.#outbox.size > 0 && this.#keeper.connection && this.#core.timers.now() < deadline) {
      await new Promise<void>(resolve => this.#core.timers.after(20, resolve))
    }
  }

  // ---- what parts tell

  async #refreshNetwork(): Promise<void> {
    try {
      await this.#book.refresh()
      this.#changed()
    } catch (error) {
      this.#core.log.debug('no network info', { reason: String(error) })
    }
  }

  #onState(state: ConnectionState, node: ListedNode | null, problem: string | null): void {
    if (state !== 'online') this.#caughtUp = false
    this.#connection = { state, node, problem: state === 'connecting' ? this.#connection.problem : problem }
    // The list may be out of date, such as after a devnet moved to other ports.
    if (state === 'offline' && this.#running) void this.#refreshNetwork()
    if (state === 'online') this.#kickAll()
    this.#changed()
  }

  #kickAll(): void {
    this.#outbox.kick(true)
    this.#sealer.kick()
    this.#nameClaim.kick()
    void this.#afterConnect()
  }

  async #afterConnect(): Promise<void> {
    try {
      await this.#publishBundle()
      await this.#directory.account(this.#core.accountId(), 0)
      await this.#receiver.retryParked('roster')
      for (const key of this.#conversationsToKeepUp()) await this.#keepUp(key)
    } catch (error) {
      this.#core.log.debug('work after connecting is not done', { reason: String(error) })
    }
  }

  /** All of them now and then; in between those in which something happened lately. */
  #conversationsToKeepUp(): string[] {
    const now = this.#core.timers.now()
    const isSweep = now - this.#sweptAt >= SWEEP_INTERVAL_MS
    if (isSweep) this.#sweptAt = now
    return [...this.#conversations]
      .filter(([, { conversation }]) => isSweep || now - conversation.updatedAt < LATELY_MS)
      .map(([key]) => key)
  }

  async #publishBundle(): Promise<void> {
    const device = this.#core.device()
    if (!device.isBundleDue(this.#core.timers.now())) return
    const bundle = await device.bundle(sessionEnvironment(this.#core))
    await this.#requireConnection().request({ kind: 'publishBundle', bundle: encodeBundle(bundle) }, 'done')
    await device.notePublished(bundle)
  }

  #scheduleUpkeep(): void {
    this.#cancelUpkeep = this.#core.timers.after(UPKEEP_INTERVAL_MS, () => {
      if (!this.#running) return
      if (this.#keeper.connection) void this.#afterConnect()
      this.#scheduleUpkeep()
    })
  }

  async #keepUp(conversationId: string): Promise<void> {
    const entry = this.#conversations.get(conversationId)
    if (!entry || !this.#running) return
    try {
      await this.#upkeep.run(entry.conversation)
      const known = this.#directory.peek(toHex(entry.conversation.accountId))
      if (known?.claimedName) await this.#directory.checkClaimedName(known, known.claimedName)
    } catch (error) {
      this.#core.log.debug('upkeep failed', { reason: String(error) })
    }
  }

  /** A connection is authenticated: attach to the mailbox. @returns whether this node keeps it. */
  async #onOnline(connection: NodeConnection, node: ListedNode): Promise<boolean> {
    await this.#onEpoch(connection.authenticated.epoch)
    connection.onPush(frame => this.#onPush(connection, frame))
    try {
      const { pending } = await connection.request({ kind: 'attach' }, 'attached')
      this.#core.log.debug('attached', { node: node.url, pending })
      return true
    } catch (error) {
      if (error instanceof NodeRefusal && error.code === 'not-a-replica') return false
      throw error
    }
  }

  async #onPush(connection: NodeConnection, frame: PushFrame): Promise<void> {
    switch (frame.kind) {
      case 'deliver':
        return this.#onDeliveries(connection, frame.deliveries)
      case 'caughtUp':
        this.#caughtUp = true
        for (const resolve of this.#caughtUpWaiters.splice(0)) resolve()
        return this.#changed()
      case 'evicted':
        // What was dropped shows as a gap of its sender; the count tells why.
        this.#core.log.warn('messages were dropped to keep the mailbox within its limits', {
          count: frame.eviction.ids.length
        })
        return
      case 'error':
        this.#core.log.debug('the node hangs up', { code: frame.code })
        return connection.close(frame.message)
    }
  }

  async #onDeliveries(connection: NodeConnection, deliveries: Delivery[]): Promise<void> {
    const stored: DeliveryId[] = []
    try {
      for (const delivery of deliveries) if (await this.#receiver.receive(delivery)) stored.push(delivery.id)
    } catch (error) {
      // Nothing can be kept any more: do not take what would be lost.
      this.#storeProblem = 'Messages cannot be stored on this device. Free some space, then start again.'
      this.#core.log.warn('a delivery could not be stored', { reason: String(error) })
      this.#changed()
      // What was not stored comes again with the next connection.
      connection.close('the store failed')
      return
    }
    this.#storeProblem = null
    if (stored.length === 0) return
    const { crypto } = this.#core
    const { signingKey, publicKeys } = this.#core.device()
    const acknowledgement = await signAcknowledgement(crypto, this.#core.network().id, signingKey, publicKeys, stored)
    connection.request({ kind: 'acknowledge', acknowledgement }, 'done').catch((error: unknown) => {
      // It is delivered again then, found to be a copy, and acknowledged again.
      this.#core.log.debug('an acknowledgement did not arrive', { reason: String(error) })
    })
  }

  async #onEpoch(epoch: Epoch): Promise<void> {
    if (isNewerEpoch(this.#core.network(), epoch)) await this.#book.noteEpoch(epoch)
  }

  #onMessage(row: MessageRow): void {
    const key = toHex(row.conversationId)
    const entry = this.#conversations.get(key)
    if (entry?.last && equalBytes(entry.last.messageId, row.messageId)) entry.last = row
    if (this.#hub.has('message')) this.#hub.emit('message', this.#people.message(row))
    void this.#countWaiting()
    this.#changed()
  }

  #onConversation(conversation: Conversation): void {
    const key = toHex(conversation.conversationId)
    const entry = { conversation, last: this.#conversations.get(key)?.last }
    this.#conversations.set(key, entry)
    const { lastOrder } = conversation
    if (lastOrder === null) return this.#changed()
    void this.#states.read(slots.message(key, lastOrder)).then(row => {
      if (row && this.#conversations.get(key)?.conversation.lastOrder === lastOrder) {
        this.#conversations.get(key)!.last = row
        this.#changed()
      }
    })
  }

  #onAccount(account: KnownAccount): void {
    void this.#receiver.retryParked('roster')
    this.#changed()
    void this.#seekSecondOpinion(account)
  }

  /** What one operator says about somebody we talk to is compared with another's, once per change of the record. */
  async #seekSecondOpinion(account: KnownAccount): Promise<void> {
    const key = toHex(account.accountId)
    const isPartner = [...this.#conversations.values()].some(({ conversation }) =>
      equalBytes(conversation.accountId, account.accountId)
    )
    const { places } = account.checked
    const state = `${places.length}/${places.filter(({ order }) => order !== null).length}`
    if (account.trust === 'L2' || !isPartner || this.#opinions.get(key) === state) return
    this.#opinions.set(key, state)
    await this.#directory.confirm(account)
  }

  readonly #nameChecks = new Map<string, Promise<void>>()

  /** Somebody told their name: taken once the directory agrees. */
  async #onProfile(accountId: AccountId, profile: { username: string | null; displayName: string }): Promise<void> {
    const key = toHex(accountId)
    const check = this.#checkProfile(accountId, profile).catch((error: unknown) =>
      this.#core.log.debug('a name could not be checked', { reason: String(error) })
    )
    this.#nameChecks.set(key, check)
    await check
    this.#nameChecks.delete(key)
  }

  async #checkProfile(accountId: AccountId, profile: { username: string | null; displayName: string }): Promise<void> {
    const account = await this.#directory.load(accountId)
    if (!account) return
    const named = { ...account, displayName: profile.displayName || null, claimedName: profile.username }
    await this.#directory.save(named)
    if (profile.username !== null) await this.#directory.checkClaimedName(named, profile.username)
  }

  /** Counts what is not kept yet; a burst of changes makes one count more at most. */
  #countWaiting(): Promise<void> {
    this.#countAgain = true
    this.#counting ??= this.#count().finally(() => (this.#counting = undefined))
    return this.#counting
  }

  async #count(): Promise<void> {
    while (this.#countAgain && this.#running) {
      this.#countAgain = false
      const unsent = await this.#states.range('unsent', undefined, unsentEntry)
      const shown = unsent.filter(({ value }) => value.messageId !== null).map(({ value }) => toHex(value.messageId!))
      const waiting = new Set([...this.#outbox.waitingMessages(), ...shown]).size
      if (waiting !== this.#waiting) {
        this.#waiting = waiting
        this.#changed()
      }
    }
  }

  #changed(): void {
    if (this.#cancelSnapshot || !this.#running || !this.#hub.has('snapshot')) return
    this.#cancelSnapshot = this.#core.timers.after(SNAPSHOT_DELAY_MS, () => {
      this.#cancelSnapshot = undefined
      this.#hub.emit('snapshot', this.#snapshot())
    })
  }

  #requireConnection(): NodeConnection {
    const connection = this.#keeper.connection
    if (connection) return connection
    throw new PeerError('offline', this.#connection.problem ?? 'No node of the network can be reached right now.')
  }

  /** For a second opinion: a node whose operator is not that of the node in use. */
  async #dialOtherOperator(): Promise<NodeConnection | undefined> {
    const info = this.#core.network()
    const current = this.#keeper.node
    const others = info.epoch.nodes.filter(node => current && !equalBytes(node.operator, current.operator))
    const { transport, timers } = this.#components
    const { deviceId, publicKeys, signingKey } = this.#core.device()
    const start = others.length === 0 ? 0 : this.#core.random(1)[0]! % others.length
    for (const node of [...others.slice(start), ...others.slice(0, start)].slice(0, 2)) {
      try {
        const signal = AbortSignal.timeout(SECOND_OPINION_TIMEOUT_MS)
        const stream = await transport.dial(node.url, node.key, { signal })
        return await NodeConnection.open(stream, {
          network: info.id,
          timers,
          authenticate: async (hello, ends) => {
            const time = timers.now()
            const proof = { nodeKey: ends.node, clientPeerKey: ends.client, nonce: hello.nonce, deviceId, time }
            const signature = await signPeerAuthentication(info.id, signingKey, proof)
            return { kind: 'authenticate', version: 1, keys: publicKeys, time, signature }
          }
        })
      } catch (error) {
        this.#core.log.debug('no second opinion from this node', { node: node.url, reason: String(error) })
      }
    }
    return undefined
  }

  // ---- PeerApi

  async snapshot(): Promise<PeerSnapshot> {
    return this.#snapshot()
  }

  #snapshot(): PeerSnapshot {
    const ready = this.#own?.registered === true
    return {
      stage: ready ? 'ready' : this.#signedIn ? 'choose-name' : 'welcome',
      me: ready ? this.#people.me() : null,
      status: this.#status(),
      conversations: ready
        ? [...this.#conversations.values()]
            .map(({ conversation, last }) => this.#people.conversation(conversation, last))
            .sort((a, b) => b.updatedAt - a.updatedAt)
        : []
    }
  }

  #status(): PeerStatus {
    const info: NetworkInfo | undefined = this.#book.isKnown ? this.#book.info : undefined
    return {
      connection: this.#connection.state,
      node: this.#connection.node?.url ?? null,
      listedNodes: info?.epoch.nodes.length ?? 0,
      epoch: info?.epoch.number ?? null,
      waiting: this.#waiting,
      caughtUp: this.#caughtUp,
      network: info ? { id: toHex(info.id), label: info.label, emulated: info.emulated } : null,
      problem: this.#storeProblem ?? this.#book.problem ?? this.#connection.problem
    }
  }

  on<K extends keyof PeerEvents>(event: K, listener: (value: PeerEvents[K]) => void): () => void {
    return this.#hub.on(event, listener)
  }

  async providers(): Promise<SignInProvider[]> {
    await this.#book.require()
    return this.#registration.providers()
  }

  async startSignIn(provider: string, returnTo: string): Promise<string> {
    this.#refuseIfRegistered()
    await this.#book.require()
    const { crypto, store, vault, random } = this.#components
    this.#device ??= await DeviceKeys.create(crypto, this.#core.network().id, store, vault, random)
    return this.#registration.startSignIn(provider, returnTo)
  }

  async finishSignIn(code: string): Promise<void> {
    this.#refuseIfRegistered()
    await this.#registration.finishSignIn(code)
    this.#signedIn = true
    this.#changed()
  }

  #refuseIfRegistered(): void {
    if (this.#own?.registered) throw new PeerError('already-registered', 'This device already has an account.')
  }

  /** Before there is an account no node answers on the stream; then `unknown` is all that can be said. */
  async checkName(username: string): Promise<NameAvailability> {
    const name = usernameOrNothing(username)
    if (!name) return 'invalid'
    await this.#book.require()
    return this.#own?.registered ? this.#directory.availability(name) : this.#book.availability(name)
  }

  async register(choice: { username: string; displayName: string; deviceName: string }): Promise<Me> {
    this.#refuseIfRegistered()
    const username = usernameOrNothing(choice.username)
    if (!username) {
      throw new PeerError('invalid-name', 'A username has 3 to 24 of a to z, 0 to 9 and _.')
    }
    if ((await this.checkName(username)) === 'taken') throw new PeerError('name-taken', `@${username} is taken.`)
    try {
      this.#own = await this.#registration.register({ ...choice, username })
    } catch (error) {
      this.#signedIn = (await this.#registration.signInCode()) !== undefined
      this.#changed()
      throw error
    }
    await this.#startChatting()
    return this.#people.me()
  }

  async findPerson(query: string): Promise<Person | null> {
    this.#requireReady()
    const account = await this.#translated(() => this.#find(query.trim()))
    return account ? this.#people.person(account.accountId) : null
  }

  async #find(query: string): Promise<KnownAccount | undefined> {
    if (/^[0-9a-f]{64}$/.test(query)) return this.#knownOrFresh(accountIdFromHex(query))
    const username = usernameOrNothing(query)
    if (!username) return undefined
    const { name, accountId } = required(this.#own)
    if (name?.username === username && name.state !== 'taken') return this.#knownOrFresh(accountId)
    if (this.#keeper.connection) return this.#directory.findByName(username)
    // Offline: those we talk to are known by name.
    const known = [...this.#conversations.values()].find(
      ({ conversation }) => this.#directory.peek(toHex(conversation.accountId))?.username === username
    )
    if (known) return this.#directory.load(known.conversation.accountId)
    this.#requireConnection()
    return undefined
  }

  async #knownOrFresh(accountId: AccountId): Promise<KnownAccount | undefined> {
    const known = await this.#directory.load(accountId)
    if (!this.#keeper.connection && known) return known
    return this.#directory.account(accountId)
  }

  async openConversation(accountId: string): Promise<ConversationSummary> {
    this.#requireReady()
    const other = accountIdFromHex(accountId)
    const conversation = await this.#states.unit(unit =>
      this.#inbox.conversationFor(unit, [this.#core.accountId(), other])
    )
    return this.#people.conversation(conversation, this.#conversations.get(toHex(conversation.conversationId))?.last)
  }

  async messages(conversationId: string, options: { before?: string; limit?: number } = {}): Promise<ChatMessage[]> {
    this.#requireReady()
    const limit = Math.max(1, Math.min(options.limit ?? DEFAULT_PAGE, MAX_PAGE))
    const before = options.before === undefined ? undefined : await this.#states.read(slots.place(options.before))
    const rows = await this.#log.page(conversationId, before?.order, limit)
    return rows.map(row => this.#people.message(row))
  }

  async sendText(conversationId: string, text: string): Promise<ChatMessage> {
    this.#requireReady()
    if (text.trim() === '') throw new PeerError('usage', 'The message is empty.')
    if (text.length > MAX_TEXT_CHARACTERS) {
      throw new PeerError(
        'usage',
        `A message has at most ${MAX_TEXT_CHARACTERS} characters; this one has ${text.length}.`
      )
    }
    const messageId = createMessageId(this.#core.random)
    const sentAt = this.#core.timers.now()
    const row = await this.#states.unit(async unit => {
      const conversation = await unit.read(slots.conversation(conversationId))
      if (!conversation) throw new PeerError('not-found', 'There is no such conversation.')
      const known = this.#directory.peek(toHex(conversation.accountId))
      const held = known && holdReason(known, known.username ?? 'this person')
      if (held) throw new PeerError('held', held)
      const appended = await this.#log.append(
        unit,
        { ...conversation, draft: '' },
        {
          messageId,
          from: this.#core.accountId(),
          device: this.#core.device().deviceId,
          mine: true,
          kind: 'text',
          text,
          sentAt,
          state: 'waiting',
          problem: null
        }
      )
      await this.#sealer.take(
        unit,
        conversation.conversationId,
        { kind: 'text', text },
        { messageId, shown: true, sentAt }
      )
      return appended!
    })
    return this.#people.message(row)
  }

  async retry(messageId: string): Promise<void> {
    this.#requireReady()
    const id = fromHex(messageId) as MessageId
    await this.#states.unit(async unit => {
      const row = await this.#log.update(unit, id, current =>
        current.mine && current.state === 'failed' ? { ...current, state: 'waiting', problem: null } : undefined
      )
      if (!row) return
      const { conversationId } = row
      const key = toHex(conversationId)
      const sent = await this.#states.range('sent', key, slots.sent('', 0).codec)
      const first = sent.find(({ value }) => equalBytes(decodeMessage(value.content).messageId, id))?.value
      if (!first) {
        await this.#sealer.take(
          unit,
          conversationId,
          { kind: 'text', text: row.text },
          { messageId: id, shown: true, sentAt: row.sentAt }
        )
        return
      }
      const { sequence, predecessor, content } = first
      const again = { sequence, predecessor, device: null }
      await this.#sealer.takeAgain(unit, { conversationId, messageId: id, content, sequenced: true, again })
    })
    this.#outbox.kick(true)
  }

  async markRead(conversationId: string): Promise<void> {
    this.#requireReady()
    const rows = await this.#log.page(conversationId, undefined, MAX_PAGE)
    await this.#states.unit(async unit => {
      const conversation = await unit.read(slots.conversation(conversationId))
      if (!conversation) return
      const told: MessageId[] = []
      for (const { messageId } of rows.filter(row => !row.mine && row.kind === 'text' && !row.readTold)) {
        const row = await this.#log.update(unit, messageId, current => ({ ...current, readTold: true }))
        if (row) told.push(messageId)
      }
      if (told.length > 0) await this.#sealer.noteDue(unit, conversation.conversationId, { read: told })
      if (conversation.unread > 0) this.#log.saveConversation(unit, { ...conversation, unread: 0 })
    })
  }

  async saveDraft(conversationId: string, text: string): Promise<void> {
    this.#requireReady()
    await this.#states.unit(async unit => {
      const conversation = await unit.read(slots.conversation(conversationId))
      if (conversation) this.#log.saveConversation(unit, { ...conversation, draft: text.slice(0, MAX_TEXT_CHARACTERS) })
    })
  }

  async receipts(messageId: string): Promise<SentReceipt[]> {
    this.#requireReady()
    const info = this.#core.network()
    const entries = await this.#states.range('receipts', messageId, receiptsEntry)
    return entries.flatMap(({ value }) =>
      value.flatMap(({ mailbox, id, receipts }) =>
        receipts.map(proof => {
          const replica = replicasOf(this.#core.crypto, info, mailbox).find(node =>
            equalBytes(node.key, proof.receipt.node)
          )
          return sentReceipt(replica?.operator ?? new Uint8Array(), mailbox, id, proof)
        })
      )
    )
  }

  async refreshPerson(accountId: string): Promise<Person> {
    this.#requireReady()
    const account = await this.#translated(() => this.#directory.account(accountIdFromHex(accountId), 0))
    if (!account) throw new PeerError('not-found', 'There is no such account.')
    const confirmed = await this.#directory.confirm(account)
    return this.#people.person(confirmed.accountId)
  }

  async reconnect(): Promise<void> {
    await this.#keeper.reconnect()
  }

  #requireReady(): void {
    if (!this.#own?.registered) throw new PeerError('not-registered', 'This device has no account yet.')
  }

  /** Asks a node; while a connection is being made, or is lost on the way, the next one is waited for, once. */
  async #translated<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#connection.state === 'connecting') await this.online(RECONNECT_WAIT_MS)
    try {
      return await ask()
    } catch (error) {
      if (error instanceof ConnectionLost && (await this.online(RECONNECT_WAIT_MS))) return this.#askAgain(ask)
      throw inPeerWords(error)
    }
  }

  async #askAgain<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      throw inPeerWords(error)
    }
  }

  /** Whether the network is a devnet of this machine; false while it is not known. */
  get isEmulated(): boolean {
    return this.#book.isKnown && this.#book.info.emulated
  }

  // ---- for the command line

  /** Waits for a connection, at most `ms`. @returns whether there is one. */
  async online(ms: number): Promise<boolean> {
    if (!this.#own?.registered) return false
    const abort = new AbortController()
    const cancel = this.#core.timers.after(ms, () => abort.abort(new PeerError('offline', 'not online in time')))
    try {
      await this.#keeper.online(abort.signal)
      return true
    } catch {
      return false
    } finally {
      cancel()
    }
  }

  /** Waits until what was waiting for this device has arrived, at most `ms`. @returns whether it has. */
  async caughtUp(ms: number): Promise<boolean> {
    if (this.#caughtUp) return true
    if (!this.#own?.registered) return false
    const done = Promise.withResolvers<void>()
    const cancel = this.#core.timers.after(ms, done.resolve)
    this.#caughtUpWaiters.push(done.resolve)
    await done.promise
    cancel()
    return this.#caughtUp
  }

  /** Asks the directory about this account, at most for `ms`. */
  async refreshMe(ms: number): Promise<void> {
    const done = Promise.withResolvers<void>()
    const cancel = this.#core.timers.after(ms, done.resolve)
    const asked = this.online(ms).then(isOnline => (isOnline ? this.#refreshOwn() : undefined))
    await Promise.race([asked.catch(() => undefined), done.promise])
    cancel()
  }

  async #refreshOwn(): Promise<void> {
    await this.#directory.refresh(this.#core.accountId())
    await this.#nameClaim.settle()
  }

  /** Waits until the name was told to the network, at most `ms`. @returns whether others can find it. */
  async settleName(ms: number): Promise<boolean> {
    const deadline = this.#core.timers.now() + ms
    while (!this.#nameClaim.isHandedIn && this.#core.timers.now() < deadline) {
      await new Promise<void>(resolve => this.#core.timers.after(100, resolve))
    }
    return this.#nameClaim.isHandedIn
  }

  /** Received messages that were not marked as heard, oldest first, with the names of their senders where they can be had. */
  async unheard(limit: number): Promise<Unheard[]> {
    this.#requireReady()
    const entries = await this.#states.range('unheard', undefined, unheardEntry, { limit })
    const unheard: Unheard[] = []
    for (const { order, value } of entries) {
      const row = await this.#rowOf(toHex(value.messageId))
      if (!row) continue
      await this.#nameChecks.get(toHex(row.from))
      unheard.push({ order, message: this.#people.message(row), person: this.#people.person(row.from) })
    }
    return unheard
  }

  async #rowOf(messageId: string): Promise<MessageRow | undefined> {
    const place = await this.#states.read(slots.place(messageId))
    return place && this.#states.read(slots.message(toHex(place.conversationId), place.order))
  }

  /** Takes a message off the line. */
  async markHeard({ order }: Pick<Unheard, 'order'>): Promise<void> {
    await this.#states.unit(async unit => unit.remove(slots.unheard(order)))
  }

  /** Why deliveries came to nothing, for reports. */
  get counts() {
    return { ...this.#receiver.counts, parked: this.#receiver.parkedCount, unreadable: this.#inbox.malformed }
  }
}

function inPeerWords(error: unknown): unknown {
  if (error instanceof ConnectionLost) {
    return new PeerError('offline', 'The connection was lost. It is being made anew.', { cause: error })
  }
  if (error instanceof NodeRefusal) {
    return new PeerError('refused', `The node answered: ${error.message}`, { cause: error })
  }
  return error
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new PeerError('not-registered', 'This device has no account yet.')
  return value
}
