/** The peer without a screen: the calls of {@link PeerApi}, from the first sign-in to chatting. */
import { fromHex, toHex } from '../protocol/bytes.ts'
import type { Crypto, Random } from '../protocol/crypto/crypto.ts'
import type { AccountId, DeviceId } from '../protocol/identity/device.ts'
import type { Username } from '../protocol/identity/username.ts'
import { PeerError } from './errors.ts'
import type {
  ChatMessage,
  ConversationSummary,
  DeviceRecord,
  Me,
  NameAvailability,
  PeerApi,
  PeerEvents,
  PeerSnapshot,
  PeerStatus,
  Person,
  PublicRecord,
  SafetyNumber,
  SentReceipt,
  SignInProvider
} from './peer-api.ts'
import type { HttpClient, KeyVault, Log, Timers, Transport } from './ports.ts'
import type { SealedStore } from './store/sealed-store.ts'
import { Chat } from './chat-engine.ts'
import type { Core } from './engine-context.ts'
import { DeviceKeys } from './store/device-keys.ts'
import { usernameOrNothing } from './directory/names.ts'
import { accountIdFromHex } from './directory/known-account.ts'
import { NetworkBook } from './network/known-network.ts'
import { isLocalDevnet } from './network/network-info.ts'
import { epochOf } from './directory/other-operator.ts'
import { loadOwnAccount, type OwnAccount } from './account/own-account.ts'
import { PeerEventHub } from './peer-events.ts'
import { PersonFinder } from './people/person-finder.ts'
import type { PersonMarks } from './directory/person-trust.ts'
import { Registration, type FinishedSignIn } from './account/registration.ts'
import type { Unheard } from './conversations/unheard-queue.ts'

/** A burst of changes makes one snapshot. */
const SNAPSHOT_DELAY_MS = 40
const NAME_LOOK_MS = 100

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

export class PeerEngine implements PeerApi {
  readonly #components: PeerEngineComponents
  readonly #core: Core
  readonly #book: NetworkBook
  readonly #hub = new PeerEventHub()
  readonly #registration: Registration
  readonly #chat: Chat
  readonly #finder: PersonFinder
  #device: DeviceKeys | undefined
  #own: OwnAccount | undefined
  #signIn: FinishedSignIn | undefined
  #cancelSnapshot: (() => void) | undefined
  #isRunning = false

  constructor(components: PeerEngineComponents, init: PeerEngineInit) {
    const { crypto, random, timers, store, log, transport, fetch } = components
    const account = (): OwnAccount => required(this.#own)
    this.#components = components
    this.#book = new NetworkBook(
      {
        crypto,
        store,
        fetch,
        log,
        timers,
        onChange: () => this.#changed(),
        epochOverStream: node => epochOf(this.#core, transport, node)
      },
      init.entry
    )
    this.#core = {
      crypto,
      random,
      timers,
      store,
      log,
      network: () => this.#book.info,
      device: () => required(this.#device),
      accountId: () => account().accountId
    }
    this.#registration = new Registration(this.#core, fetch, () => this.#book.entry)
    this.#chat = new Chat(
      {
        core: this.#core,
        book: this.#book,
        transport,
        fetch,
        account,
        saveAccount: changed => (this.#own = changed)
      },
      {
        keepUnheard: init.keepUnheard ?? false,
        onChange: () => this.#changed(),
        onMessage: row => this.#hub.has('message') && this.#hub.emit('message', this.#chat.people.message(row))
      }
    )
    this.#finder = new PersonFinder(this.#chat, account)
  }

  /** Opens what is on disk; the network follows by itself. A start that fails leaves nothing running, and the store closed. */
  async start(): Promise<void> {
    this.#isRunning = true
    try {
      await this.#begin()
    } catch (error) {
      // Whoever tries again opens the store anew: two engines on one store would use its keys twice.
      await this.stop().catch((fault: unknown) => this.#core.log.warn('not stopped', { reason: String(fault) }))
      throw error
    }
  }

  async #begin(): Promise<void> {
    const { crypto, store, vault } = this.#components
    await this.#book.load()
    if (this.#book.isKnown) {
      this.#device = await DeviceKeys.load(crypto, this.#core.network().id, store, vault)
      this.#own = await loadOwnAccount(store)
    }
    this.#signIn = await this.#usableSignIn()
    if (this.#isReady) await this.#chat.start()
    void this.#book.tryRefresh()
  }

  /** Tells what was received, ends every timer and connection, closes the store. Safe to call twice. */
  async stop(): Promise<void> {
    if (!this.#isRunning) return
    await this.#chat.stop()
    this.#isRunning = false
    this.#cancelSnapshot?.()
    await this.#components.transport.stop()
    await this.#components.store.close()
  }

  /** The finished sign-in; undefined without the keys that it belongs to, since nothing can be registered with it then. */
  async #usableSignIn(): Promise<FinishedSignIn | undefined> {
    return this.#device && this.#registration.finishedSignIn()
  }

  get #isReady(): boolean {
    return this.#own?.registered === true
  }

  #requireReady(): Chat {
    if (this.#isReady) return this.#chat
    throw new PeerError('not-registered')
  }

  on<K extends keyof PeerEvents>(event: K, listener: (value: PeerEvents[K]) => void): () => void {
    return this.#hub.on(event, listener)
  }

  async snapshot(): Promise<PeerSnapshot> {
    const isReady = this.#isReady
    return {
      stage: isReady ? 'ready' : this.#signIn ? 'choose-name' : 'welcome',
      suggestedName: this.#signIn?.suggestedName ?? null,
      me: isReady ? this.#chat.people.me() : null,
      status: this.#status(),
      conversations: isReady ? this.#chat.conversations.summaries() : []
    }
  }

  #status(): PeerStatus {
    const info = this.#book.isKnown ? this.#book.info : undefined
    const { status, waiting, mailbox } = this.#chat
    return {
      connection: status.state,
      node: status.node?.url ?? null,
      listedNodes: info?.epoch.nodes.length ?? 0,
      operators: new Set(info?.epoch.nodes.map(({ operator }) => toHex(operator))).size,
      epoch: info?.epoch.number ?? null,
      waiting: waiting.value,
      caughtUp: mailbox.isCaughtUp,
      network: info ? { id: toHex(info.id), label: info.label, emulated: info.emulated } : null,
      problem: mailbox.problem ?? this.#book.problem ?? status.problem
    }
  }

  #changed(): void {
    if (this.#cancelSnapshot || !this.#isRunning || !this.#hub.has('snapshot')) return
    this.#cancelSnapshot = this.#core.timers.after(SNAPSHOT_DELAY_MS, () => {
      this.#cancelSnapshot = undefined
      // It may meet the store being closed; the next change brings another.
      this.snapshot().then(
        snapshot => this.#hub.emit('snapshot', snapshot),
        (error: unknown) => this.#core.log.debug('no snapshot could be told', { reason: String(error) })
      )
    })
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
    await this.#book.require()
    if (!this.#device) throw new PeerError('sign-in-elsewhere')
    this.#signIn = await this.#registration.finishSignIn(code)
    this.#changed()
  }

  async forgetSignIn(): Promise<void> {
    this.#refuseIfRegistered()
    await this.#registration.forgetSignIn()
    this.#signIn = undefined
    this.#changed()
  }

  #refuseIfRegistered(): void {
    if (this.#isReady) throw new PeerError('already-registered')
  }

  async checkName(username: string): Promise<NameAvailability> {
    const name = usernameOrNothing(username)
    if (!name) return 'invalid'
    await this.#book.require()
    // Before there is an account no node answers on the stream.
    return this.#isReady ? this.#chat.directory.names.availability(name) : this.#book.availability(name)
  }

  async register(choice: { username: string; displayName: string; deviceName: string }): Promise<Me> {
    this.#refuseIfRegistered()
    const username = await this.#freeName(choice.username)
    try {
      this.#own = await this.#registration.register({ ...choice, username })
    } finally {
      this.#signIn = await this.#usableSignIn()
      this.#changed()
    }
    await this.#chat.start()
    return this.#chat.people.me()
  }

  /** @throws PeerError `invalid-name`, `name-taken`. */
  async #freeName(text: string): Promise<Username> {
    const username = usernameOrNothing(text)
    if (!username) throw new PeerError('invalid-name')
    if ((await this.checkName(username)) === 'taken') throw new PeerError('name-taken', { username })
    return username
  }

  async claimName(username: string): Promise<Me> {
    const { nameClaim, people } = this.#requireReady()
    const { username: current, nameState } = people.me()
    if (nameState !== 'none' && nameState !== 'taken') throw new PeerError('name-chosen', { username: current ?? '' })
    await nameClaim.choose(await this.#freeName(username))
    return people.me()
  }

  async findPerson(query: string): Promise<Person | null> {
    this.#requireReady()
    return this.#finder.find(query)
  }

  async refreshPerson(accountId: string): Promise<Person> {
    this.#requireReady()
    return this.#finder.refresh(accountId)
  }

  async publicRecord(accountId: string): Promise<PublicRecord> {
    return this.#requireReady().publicRecords.of(accountIdFromHex(accountId))
  }

  async acceptAlert(accountId: string): Promise<Person> {
    return this.#mark(accountId, (marks, id) => marks.accept(id))
  }

  async safetyNumber(accountId: string): Promise<SafetyNumber> {
    return this.#requireReady().publicRecords.safetyNumber(accountIdFromHex(accountId))
  }

  async markVerified(accountId: string, conversation: string): Promise<Person> {
    // Devices may have come or gone while two people read digits to each other.
    if ((await this.safetyNumber(accountId)).conversation !== conversation) {
      throw new PeerError('safety-number-changed')
    }
    return this.#mark(accountId, (marks, id) => marks.verify(id))
  }

  async clearVerified(accountId: string): Promise<Person> {
    return this.#mark(accountId, (marks, id) => marks.unverify(id))
  }

  async #mark(accountId: string, change: (marks: PersonMarks, id: AccountId) => Promise<void>): Promise<Person> {
    const { marks, people } = this.#requireReady()
    const id = accountIdFromHex(accountId)
    await change(marks, id)
    this.#changed()
    this.#chat.resume()
    return people.person(id)
  }

  async devices(): Promise<DeviceRecord[]> {
    return this.#requireReady().publicRecords.ownDevices()
  }

  async revokeDevice(deviceId: string): Promise<DeviceRecord> {
    const { deviceRemoval, publicRecords } = this.#requireReady()
    if (!/^[0-9a-f]{32}$/.test(deviceId)) throw new PeerError('malformed-call')
    await deviceRemoval.remove(fromHex(deviceId) as DeviceId)
    this.#changed()
    return (await publicRecords.ownDevices()).find(device => device.deviceId === deviceId)!
  }

  async openConversation(accountId: string): Promise<ConversationSummary> {
    return this.#requireReady().conversations.open(accountIdFromHex(accountId))
  }

  async messages(conversationId: string, options: { before?: string; limit?: number } = {}): Promise<ChatMessage[]> {
    return this.#requireReady().conversations.messages(conversationId, options)
  }

  async sendText(conversationId: string, text: string): Promise<ChatMessage> {
    return this.#requireReady().conversations.sendText(conversationId, text)
  }

  async retry(messageId: string): Promise<void> {
    const { conversations, outbox } = this.#requireReady()
    await conversations.retry(messageId)
    outbox.kick(true)
  }

  async markRead(conversationId: string, upTo?: string): Promise<void> {
    await this.#requireReady().readMarks.mark(conversationId, upTo)
  }

  async saveDraft(conversationId: string, text: string): Promise<void> {
    await this.#requireReady().conversations.saveDraft(conversationId, text)
  }

  async receipts(messageId: string): Promise<SentReceipt[]> {
    return this.#requireReady().conversations.receipts(messageId)
  }

  async reconnect(): Promise<void> {
    await this.#chat.keeper.reconnect()
  }

  /** Whether the network is a devnet of this machine; false while it is not known. */
  get isLocalDevnet(): boolean {
    return this.#book.isKnown && isLocalDevnet(this.#book.info)
  }

  /** Why deliveries came to nothing, for reports. */
  get counts() {
    const { receiver, inbox } = this.#chat
    return { ...receiver.counts, parked: receiver.parkedCount, unreadable: inbox.malformed }
  }

  /** Waits for a connection, at most `ms`. @returns whether there is one. */
  async online(ms: number): Promise<boolean> {
    return this.#isReady && this.#chat.online(ms)
  }

  /** Waits until what was waiting for this device has arrived, at most `ms`. @returns whether it has. */
  async caughtUp(ms: number): Promise<boolean> {
    return this.#isReady && this.#chat.mailbox.caughtUp(ms)
  }

  /** Looks at the own record anew, at most for `ms`. */
  async refreshMe(ms: number): Promise<void> {
    const done = Promise.withResolvers<void>()
    const cancel = this.#core.timers.after(ms, done.resolve)
    const asked = this.online(ms).then(isOnline => (isOnline ? this.#refreshOwn() : undefined))
    await Promise.race([asked.catch(() => undefined), done.promise])
    cancel()
  }

  async #refreshOwn(): Promise<void> {
    await this.#chat.directory.refresh(this.#core.accountId())
    await this.#chat.nameClaim.settle()
  }

  /** Waits until the name was told to the network, at most `ms`. @returns whether others can find it. */
  async settleName(ms: number): Promise<boolean> {
    const { nameClaim } = this.#chat
    const deadline = this.#core.timers.monotonic() + ms
    while (!nameClaim.isHandedIn && this.#core.timers.monotonic() < deadline) {
      await new Promise<void>(resolve => this.#core.timers.after(NAME_LOOK_MS, resolve))
    }
    return nameClaim.isHandedIn
  }

  /** Received messages that were not marked as heard, oldest first, with the senders' names where they can be had. */
  async unheard(limit: number): Promise<Unheard[]> {
    return this.#requireReady().unheard.first(limit)
  }

  /** Takes a message off the line. */
  async markHeard(unheard: Pick<Unheard, 'order'>): Promise<void> {
    await this.#requireReady().unheard.leave(unheard)
  }
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new PeerError('not-registered')
  return value
}
