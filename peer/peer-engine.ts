/** The peer without a screen: builds its parts, starts and stops them. What it can do is in its areas, see `peer-api.ts`. */
import { toHex } from '../protocol/bytes.ts'
import type { AppRelease } from '../protocol/audit/seen.ts'
import type { Crypto, Random } from '../protocol/crypto/crypto.ts'
import type { DeriveSecrets } from '../protocol/backup/backup-passphrase.ts'
import type { BackupAuthorization } from '../protocol/identity/backup-authorization.ts'
import type { AccountId } from '../protocol/identity/device.ts'
import type { Epoch, ListedNode } from '../protocol/wire/placement.ts'
import { AccountCalls } from './account/account-calls.ts'
import { DeviceCalls } from './account/device-calls.ts'
import { OwnIdentity } from './account/own-identity.ts'
import { Registration } from './account/registration.ts'
import { ChatEngine } from './chat-engine.ts'
import type { UnheardQueue } from './conversations/unheard-queue.ts'
import { epochOf } from './directory/other-operator.ts'
import type { EngineContext } from './engine-context.ts'
import { LinkingCalls } from './linking/linking-calls.ts'
import { KnownNetwork } from './network/known-network.ts'
import { isLocalDevnet } from './network/network-info.ts'
import {
  PEER_CALLS,
  type AmendmentsApi,
  type BackupApi,
  type ComplaintsApi,
  type ConversationsApi,
  type DevicesApi,
  type FilesApi,
  type GroupsApi,
  type HistoryApi,
  type MessagesApi,
  type NetworkApi,
  type PeerApi,
  type PeerAreas,
  type PeerEvents,
  type PeerSnapshot,
  type PeerStatus,
  type PeopleApi,
  type RecordApi,
  type RecoveryApi,
  type SearchApi,
  type SocialApi,
  type InvitesApi
} from './peer-api.ts'
import { PeerEventHub } from './peer-events.ts'
import { PeopleCalls } from './people/people-calls.ts'
import type { LinkingHooks } from './linking/linking-hooks.ts'
import type { HttpClient, KeyVault, LocalObjects, Log, Timers, Transport } from './ports.ts'
import { registeredOnly } from './registered-only.ts'
import { WaysBack } from './ways-back.ts'
import type { SealedStore } from './store/sealed-store.ts'

/** A burst of changes makes one snapshot. */
const SNAPSHOT_DELAY_MS = 40

export interface PeerEngineComponents {
  crypto: Crypto
  random: Random
  timers: Timers
  store: SealedStore
  vault: KeyVault
  transport: Transport
  fetch: HttpClient
  /** Keeps files, encrypted. */
  objects: LocalObjects
  log: Log
  /** The build of the app that runs; left out where it is not known. */
  release?: () => AppRelease | null
  /** In tests, what is quicker than Argon2id; a passphrase is turned into the keys of a backup by it. */
  deriveBackupSecrets?: DeriveSecrets
}

export interface PeerEngineInit {
  /** Origin of the node to start from; undefined for the one used last. */
  entry: string | undefined
  /** Whether received messages are kept in line until they are marked as heard (`listen`). */
  keepUnheard?: boolean
}

export class PeerEngine implements PeerApi {
  readonly account: AccountCalls
  readonly devices: DevicesApi
  readonly people: PeopleApi
  readonly conversations: ConversationsApi
  readonly messages: MessagesApi
  readonly files: FilesApi
  readonly groups: GroupsApi
  readonly amendments: AmendmentsApi
  readonly record: RecordApi
  readonly recovery: RecoveryApi
  readonly backup: BackupApi
  readonly history: HistoryApi
  readonly search: SearchApi
  readonly complaints: ComplaintsApi
  readonly social: SocialApi
  readonly invites: InvitesApi
  readonly linking: LinkingCalls
  readonly network: NetworkApi
  readonly #components: PeerEngineComponents
  readonly #known: KnownNetwork
  readonly #identity: OwnIdentity
  readonly #context: EngineContext
  readonly #chat: ChatEngine
  readonly #hub = new PeerEventHub()
  #cancelSnapshot: (() => void) | undefined
  #isRunning = false

  constructor(components: PeerEngineComponents, init: PeerEngineInit) {
    this.#components = components
    this.#identity = new OwnIdentity(components)
    this.#known = this.#createKnownNetwork(init.entry)
    this.#context = this.#createContext()
    this.#chat = this.#createChat(init.keepUnheard ?? false)
    const {
      publicRecords,
      safety,
      deviceRemoval,
      conversations,
      people,
      trust,
      marking,
      pictures,
      presence,
      reporting,
      keeper,
      ownDevices,
      search,
      invites,
      finder
    } = this.#chat.parts
    const onChange = (): void => this.#changed()
    const onTrust = (): void => {
      onChange()
      this.#chat.resume()
    }
    const tellDevices = (accountId: AccountId): Promise<void> => ownDevices.sync.noteVerified(accountId)
    this.account = this.#createAccount()
    this.devices = this.#registered(
      'devices',
      new DeviceCalls({
        context: this.#context,
        me: () => people.me(),
        publicRecords,
        deviceRemoval,
        ownDevices,
        onChange
      })
    )
    this.people = this.#registered(
      'people',
      new PeopleCalls({
        finder,
        publicRecords,
        people,
        trust,
        safety,
        marking,
        pictures,
        presence,
        reporting,
        tellDevices,
        onTrust
      })
    )
    this.conversations = this.#registered('conversations', conversations)
    this.messages = this.#registered('messages', this.#chat.parts.messages)
    this.amendments = this.#registered('amendments', this.#chat.parts.amending)
    this.files = this.#registered('files', this.#chat.parts.files.calls)
    this.groups = this.#registered('groups', this.#chat.parts.groups)
    this.record = this.#registered('record', publicRecords)
    const { fetch } = components
    const [context, network, identity, chat] = [this.#context, this.#known, this.#identity, this.#chat]
    const back = new WaysBack({ context, fetch, network, identity, chat, onChange })
    this.recovery = back.recovery()
    this.backup = back.backup()
    this.history = this.#registered('history', ownDevices)
    this.search = this.#registered('search', search)
    this.complaints = this.#registered('complaints', this.#chat.parts.complaints)
    this.social = this.#registered('social', this.#chat.parts.social)
    // A link is looked at before there is an account.
    this.invites = { ...this.#registered('invites', invites), look: address => invites.look(address) }
    this.linking = this.#createLinking(ownDevices)
    this.network = keeper
  }

  #registered<Area extends keyof PeerAreas>(name: Area, area: PeerAreas[Area]): PeerAreas[Area] {
    return registeredOnly(PEER_CALLS[name], area, () => this.#identity.requireRegistered())
  }

  #createKnownNetwork(entry: string | undefined): KnownNetwork {
    const { crypto, store, fetch, log, timers, transport } = this.#components
    const onChange = (): void => this.#changed()
    const epochOverStream = (node: ListedNode): Promise<Epoch | undefined> => epochOf(this.#context, transport, node)
    return new KnownNetwork({ crypto, store, fetch, log, timers, onChange, epochOverStream }, entry)
  }

  #createContext(): EngineContext {
    const { crypto, random, timers, store, log } = this.#components
    return {
      crypto,
      random,
      timers,
      store,
      log,
      network: () => this.#known.info,
      device: () => this.#identity.device,
      accountId: () => this.#identity.account.accountId
    }
  }

  #createChat(keepUnheard: boolean): ChatEngine {
    const { transport, fetch, objects } = this.#components
    return new ChatEngine(
      {
        context: this.#context,
        network: this.#known,
        transport,
        fetch,
        objects,
        deriveBackupSecrets: this.#components.deriveBackupSecrets,
        access: () => this.#access(),
        release: this.#components.release ?? (() => null),
        account: () => this.#identity.account,
        changeAccount: (change, store) => this.#identity.changeAccount(change, store)
      },
      {
        keepUnheard,
        onChange: () => this.#changed(),
        onEvent: () => this.#hub.emit('event', null),
        onMessage: row => this.#hub.has('message') && this.#hub.emit('message', this.#chat.parts.people.message(row)),
        onTransfer: transfer => this.#hub.emit('transfer', transfer),
        onBackupWork: work => this.#hub.emit('backup', work),
        onTyping: notice => this.#hub.emit('typing', notice),
        onPresence: notice => this.#hub.emit('presence', notice)
      }
    )
  }

  #access(): BackupAuthorization | undefined {
    const { readOnly } = this.#identity
    return readOnly && { account: toHex(this.#identity.account.accountId), token: toHex(readOnly.token) }
  }

  #createAccount(): AccountCalls {
    const { keeper, directory, nameClaim, profile, deletion, people } = this.#chat.parts
    const context = this.#context
    const network = this.#known
    const registration = new Registration(context, this.#components.fetch, () => network.entry)
    const identity = this.#identity
    return new AccountCalls(
      { context, network, keeper, directory, identity, registration, nameClaim, profile, deletion, people },
      { onRegistered: () => this.#chat.start(), onChange: () => this.#changed() }
    )
  }

  #createLinking(hooks: LinkingHooks): LinkingCalls {
    const { directory, people } = this.#chat.parts
    const identity = this.#identity
    const network = this.#known
    return new LinkingCalls({
      context: this.#context,
      fetch: this.#components.fetch,
      directory,
      hooks,
      isRegistered: () => identity.isRegistered,
      account: () => identity.account,
      makeDevice: async () => identity.makeDevice((await network.require()).id),
      begin: async account => {
        identity.account = account
        await this.#chat.start()
        return people.me()
      },
      onChange: () => this.#changed()
    })
  }

  /** Opens what is on disk; the network follows by itself. A start that fails leaves nothing running, and the store closed. */
  async start(): Promise<void> {
    this.#isRunning = true
    try {
      await this.#begin()
    } catch (error) {
      // The caller may try again with the store opened again: two engines on one store would use its keys twice.
      await this.stop().catch((fault: unknown) => this.#context.log.warn('not stopped', { reason: String(fault) }))
      throw error
    }
  }

  async #begin(): Promise<void> {
    await this.#known.load()
    if (this.#known.isKnown) await this.#identity.load(this.#known.info.id)
    await this.account.load()
    if (this.#identity.isRegistered) await this.#chat.start()
    else if (this.#identity.hasDevice) void this.linking.resume()
    void this.#known.tryRefresh()
  }

  /** Tells what was received, ends every timer and connection, closes the store. Safe to call twice. */
  async stop(): Promise<void> {
    if (!this.#isRunning) return
    await this.linking.stop()
    await this.#chat.stop()
    this.#isRunning = false
    this.#cancelSnapshot?.()
    await this.#components.transport.stop()
    await this.#components.objects.close()
    await this.#components.store.close()
  }

  on<K extends keyof PeerEvents>(event: K, listener: (value: PeerEvents[K]) => void): () => void {
    return this.#hub.on(event, listener)
  }

  async snapshot(): Promise<PeerSnapshot> {
    const isReady = this.#identity.isRegistered
    return {
      stage: isReady ? 'ready' : this.account.signIn ? 'choose-name' : 'welcome',
      suggestedName: this.account.signIn?.suggestedName ?? null,
      me: isReady ? this.#chat.parts.people.me() : null,
      status: this.#status(),
      linking: this.linking.state,
      conversations: isReady ? this.#chat.parts.conversations.summaries() : []
    }
  }

  #status(): PeerStatus {
    const info = this.#known.isKnown ? this.#known.info : undefined
    const { status, waiting } = this.#chat
    const { mailbox } = this.#chat.parts
    return {
      connection: status.state,
      node: status.node?.url ?? null,
      listedNodes: info?.epoch.nodes.length ?? 0,
      operators: new Set(info?.epoch.nodes.map(({ operator }) => toHex(operator))).size,
      epoch: info?.epoch.number ?? null,
      waiting: waiting.value,
      caughtUp: mailbox.isCaughtUp,
      network: info ? { id: toHex(info.id), label: info.label, emulated: info.emulated } : null,
      problem: mailbox.problem ?? this.#known.problem ?? status.problem
    }
  }

  #changed(): void {
    if (this.#cancelSnapshot || !this.#isRunning || !this.#hub.has('snapshot')) return
    this.#cancelSnapshot = this.#context.timers.after(SNAPSHOT_DELAY_MS, () => {
      this.#cancelSnapshot = undefined
      // It may meet the store being closed; the next change brings another.
      this.snapshot().then(
        snapshot => this.#hub.emit('snapshot', snapshot),
        (error: unknown) => this.#context.log.debug('no snapshot could be told', { reason: String(error) })
      )
    })
  }

  /** Whether the network is a devnet of this machine; false while it is not known. */
  get isLocalDevnet(): boolean {
    return this.#known.isKnown && isLocalDevnet(this.#known.info)
  }

  /** Why deliveries came to nothing, for reports. */
  get counts() {
    const { receiver, rowWriter } = this.#chat.parts
    return { ...receiver.counts, parked: receiver.parkedCount, unreadable: rowWriter.unreadable }
  }

  /** Waits for a connection, at most `ms`. @returns whether there is one. */
  async online(ms: number): Promise<boolean> {
    return this.#identity.isRegistered && this.#chat.parts.keeper.isOnlineWithin(ms)
  }

  /** Waits until what was waiting for this device has arrived, at most `ms`. @returns whether it has. */
  async caughtUp(ms: number): Promise<boolean> {
    return this.#identity.isRegistered && this.#chat.parts.mailbox.caughtUp(ms)
  }

  /** Whether the network keeps all that was said in a conversation. @param conversationId - lower-case hex. */
  isAllSent(conversationId: string): boolean {
    return this.#chat.isAllSent(conversationId)
  }

  /** What follows the linking of a device. */
  get linked(): LinkingHooks {
    return this.#chat.parts.ownDevices
  }

  /** Received messages that `listen` has not printed yet. @throws PeerError `not-registered`. */
  get unheard(): UnheardQueue {
    this.#identity.requireRegistered()
    return this.#chat.parts.unheard
  }
}
