/**
 * Everything that a registered account does: builds the parts, hands them to each other, starts and stops them in order.
 * A part sees of the others only what it is given here.
 */
import { toHex } from '../protocol/bytes.ts'
import { passphraseSecrets, type DeriveSecrets } from '../protocol/backup/backup-passphrase.ts'
import type { BackupAuthorization } from '../protocol/identity/backup-authorization.ts'
import type { AccountId } from '../protocol/identity/device.ts'
import type { ConversationId } from '../protocol/roster/roster.ts'
import { wakeAt } from '../protocol/conversation/sequencer.ts'
import { SerialQueue } from '../protocol/serial-queue.ts'
import type { Epoch, ListedNode } from '../protocol/wire/placement.ts'
import { Amending } from './amendments/amending.ts'
import { Erasure } from './amendments/erasure.ts'
import { ExpiryClock } from './amendments/expiry-clock.ts'
import { PeerError } from './errors.ts'
import type { FileTransfer, PersonMarks } from './peer-api.ts'
import type { HttpClient, LocalObjects, Transport } from './ports.ts'
import { ConnectionKeeper } from './network/connection-keeper.ts'
import { nextStatus, NOT_CONNECTED, type ConnectionStatus } from './network/connection-status.ts'
import type { NodeConnection } from './network/node-connection.ts'
import { ReadMarks } from './history/read-marks.ts'
import { MessageCalls } from './conversations/message-calls.ts'
import { OwnMessages } from './conversations/own-messages.ts'
import { Conversations } from './conversations/conversations.ts'
import type { EngineContext } from './engine-context.ts'
import { deviceProof } from './device-proof.ts'
import { DeviceRemoval } from './account/device-removal.ts'
import { BackupCalls } from './backup/backup-calls.ts'
import { DirectoryClient } from './directory/directory-client.ts'
import { Files } from './files/files.ts'
import { ConversationRoster } from './groups/conversation-roster.ts'
import { GroupBook } from './groups/group-book.ts'
import { GroupCalls } from './groups/group-calls.ts'
import { GroupKnowledge } from './groups/group-knowledge.ts'
import { GroupOpens } from './groups/group-opens.ts'
import { GroupWriter } from './groups/group-writer.ts'
import { SendHolds } from './directory/send-holds.ts'
import { Maintenance } from './maintenance/maintenance.ts'
import { Inbox } from './receiving/inbox.ts'
import { Mailbox } from './receiving/mailbox.ts'
import { MailboxLosses } from './receiving/mailbox-losses.ts'
import { InviteClient } from './invites/invite-client.ts'
import { Invites } from './invites/invites.ts'
import { OwnInvites } from './invites/own-invites.ts'
import { PersonFinder } from './people/person-finder.ts'
import type { OwnDetails } from './sending/profile.ts'
import { PersonSites } from './social/person-sites.ts'
import { Social } from './social/social.ts'
import { SearchCalls } from './search/search-calls.ts'
import { SearchIndex } from './search/search-index.ts'
import { ConversationTimer } from './history/conversation-timer.ts'
import { HeardBook } from './history/heard-book.ts'
import { ConversationRows } from './history/conversation-rows.ts'
import { MessageLog } from './history/message-log.ts'
import { NameClaim } from './account/name-claim.ts'
import { OwnProfile } from './account/own-profile.ts'
import type { KnownNetwork } from './network/known-network.ts'
import { candidateNodes } from './network/network-info.ts'
import { dialOtherOperator } from './directory/other-operator.ts'
import { LateHistory } from './own-devices/late-history.ts'
import { OwnDevices } from './own-devices/own-devices.ts'
import { RecoveryLines } from './recovery/recovery-lines.ts'
import { Outbox } from './sending/outbox.ts'
import type { ChangeAccount, OwnAccount } from './store/own-account.ts'
import { PersonViews } from './people/person-views.ts'
import { PersonMarking, type ChosenMarks } from './people/person-marking.ts'
import { PersonMarksBook } from './people/person-marks.ts'
import { PersonProfiles } from './people/person-profiles.ts'
import { PersonTrust } from './directory/person-trust.ts'
import { PublicRecords } from './people/public-record.ts'
import { ControlInbox } from './receiving/control-inbox.ts'
import { RowWriter } from './receiving/row-writer.ts'
import { Receiver } from './receiving/receiver.ts'
import { PairInbox } from './receiving/pair-inbox.ts'
import { GroupCarrier } from './sending/group-carrier.ts'
import { DeliveryTokens } from './sending/delivery-tokens.ts'
import { sayLastWords } from './sending/last-words.ts'
import { PairSender } from './sending/pair-sender.ts'
import { SendPermission } from './sending/send-permission.ts'
import { ObjectNodes } from './objects/object-nodes.ts'
import { SignedRequests } from './objects/signed-requests.ts'
import { SealRound } from './sending/seal-round.ts'
import { Sealer } from './sending/sealer.ts'
import { SealingPlanner } from './sending/sealing-plan.ts'
import { ownShownId, shownIdOf } from './history/shown-id.ts'
import { slots, type Conversation, type MessageRow } from './store/store-layout.ts'
import { UnheardQueue } from './conversations/unheard-queue.ts'
import { UnsentQueue } from './sending/unsent-queue.ts'
import { SessionUpkeep } from './maintenance/session-upkeep.ts'
import { WaitingCount } from './history/waiting-count.ts'
import { PairingBook } from './store/pairing-book.ts'
import { StateStore, type UnitOfWork } from './store/state-store.ts'

export interface ChatEngineComponents {
  context: EngineContext
  network: KnownNetwork
  transport: Transport
  fetch: HttpClient
  objects: LocalObjects
  deriveBackupSecrets: DeriveSecrets | undefined
  /** Set where this device only reads a backup: what it shows to nodes. */
  access: () => BackupAuthorization | undefined
  account: () => OwnAccount
  changeAccount: ChangeAccount
}

export interface ChatEngineInit {
  /** Whether received messages are kept in line until they are marked as heard. */
  keepUnheard: boolean
  /** Something that a screen shows has changed. */
  onChange: () => void
  onMessage: (row: MessageRow) => void
  onTransfer: (transfer: FileTransfer) => void
  /** Somebody else did something that `listen` prints. */
  onEvent: () => void
}

export class ChatEngine {
  readonly people: PersonViews
  readonly trust: PersonTrust
  readonly marking: PersonMarking
  readonly publicRecords: PublicRecords
  readonly deviceRemoval: DeviceRemoval
  readonly directory: DirectoryClient
  readonly conversations: Conversations
  readonly files: Files
  readonly messages: MessageCalls
  readonly amending: Amending
  readonly backup: BackupCalls
  readonly mailbox: Mailbox
  readonly keeper: ConnectionKeeper
  readonly ownDevices: OwnDevices
  readonly search: SearchCalls
  readonly invites: Invites
  readonly social: Social
  readonly finder: PersonFinder
  readonly nameClaim: NameClaim
  readonly profile: OwnProfile
  readonly receiver: Receiver
  readonly inbox: Inbox
  readonly rowWriter: RowWriter
  readonly outbox: Outbox
  readonly groups: GroupCalls
  readonly waiting = new WaitingCount()
  readonly unheard: UnheardQueue
  readonly #components: ChatEngineComponents
  readonly #init: ChatEngineInit
  readonly #states: StateStore
  readonly #queue: UnsentQueue
  readonly #index: SearchIndex
  readonly #groups: GroupBook
  readonly #roster: ConversationRoster
  readonly #marks: PersonMarksBook
  readonly #profiles: PersonProfiles
  readonly #late: LateHistory
  readonly #recoveryLines: RecoveryLines
  readonly #erasure: Erasure
  readonly #expiry: ExpiryClock
  readonly #sealer: Sealer
  readonly #pairs: PairSender
  readonly #maintenance: Maintenance
  #status = NOT_CONNECTED
  #isRunning = false

  constructor(components: ChatEngineComponents, init: ChatEngineInit) {
    const { context, network, transport, account, changeAccount } = components
    const { onChange } = init
    this.#components = components
    this.#init = init
    const states = (this.#states = new StateStore(context.store, error =>
      context.log.warn('something was stored, but not everybody heard of it', { reason: String(error) })
    ))
    const connection = (): NodeConnection | undefined => this.keeper.connection
    const trust = (this.trust = new PersonTrust(context.store, () => context.timers.now()))
    const otherOperator = (): Promise<NodeConnection | undefined> =>
      dialOtherOperator(context, transport, this.keeper.node)
    const directory = (this.directory = new DirectoryClient({
      ...context,
      trust,
      connection: () => this.#requireConnection(),
      fetch: components.fetch,
      otherOperator,
      onChange: known => {
        onChange()
        void this.receiver.accountChanged(known.accountId)
        void this.#maintenance.seekSecondOpinion(known)
        void this.#recoveryLines.note(known)
      }
    }))
    const isReadOnly = (): boolean => components.access() !== undefined
    const holds = new SendHolds(context, directory, trust, isReadOnly)
    const book = (this.#groups = new GroupBook(context, states))
    const roster = (this.#roster = new ConversationRoster(context, directory, book))
    const marks = (this.#marks = new PersonMarksBook(
      states,
      () => context.timers.now(),
      set => this.#onMarked(set)
    ))
    const profiles = (this.#profiles = new PersonProfiles(states, onChange))
    const details = (): OwnDetails => this.ownDevices.details
    const sites = new PersonSites(states)
    this.people = new PersonViews(context, directory, account, trust, holds, roster, book, marks, {
      of: accountId => profiles.of(accountId),
      own: () => details().about
    })
    this.publicRecords = new PublicRecords(context, directory, this.people, account)
    this.deviceRemoval = new DeviceRemoval({ context, directory, connection, otherOperator })
    const index = (this.#index = new SearchIndex({ states, timers: context.timers, log: context.log }))
    const queue = (this.#queue = new UnsentQueue(states))
    const history = new MessageLog(context, states, {
      index,
      keepUnheard: init.keepUnheard,
      erasing: (this.#erasure = new Erasure(context, queue, (unit, file) => this.files.erase(unit, file))),
      onEvent: init.onEvent,
      onExpiry: at => this.#expiry.note(at),
      onMessage: row => this.#onMessage(row),
      onConversation: conversation => {
        this.conversations.noteConversation(conversation)
        onChange()
      }
    })
    const outbox = (this.outbox = new Outbox(context, states, history, {
      connection,
      onEpoch: (epoch, online) => this.#onEpoch(epoch, online),
      onFruitless: online => void this.keeper.leave(online)
    }))
    const onKeysChanged = (...change: Parameters<Receiver['noteKeys']>): void => this.receiver.noteKeys(...change)
    const pairings = new PairingBook(states)
    const tokens = new DeliveryTokens(context, states, directory)
    const saying = {
      context,
      states,
      pairings,
      tokens,
      roster,
      outbox,
      account,
      details,
      marks,
      groups: book,
      onKeysChanged
    }
    const pairs = (this.#pairs = new PairSender(saying))
    this.#recoveryLines = new RecoveryLines({ context, states, history, trust })
    const late = (this.#late = new LateHistory(context, states, { onLate: device => this.ownDevices.onLate(device) }))
    const onNamed = (...named: Parameters<Maintenance['noteMember']>): void =>
      void this.#maintenance.noteMember(...named)
    const spread = (...message: Parameters<Sealer['enqueue']>): Promise<void> => this.#sealer.enqueue(...message)
    const groupWriter = new GroupWriter({ context, book, directory, history, pairings, marks, spread, onNamed })
    const groups = new GroupKnowledge(context, book)
    const groupOpens = new GroupOpens({ context, states, book, directory, writer: groupWriter, knowledge: groups })
    const sealing = {
      late,
      context,
      history,
      queue,
      outbox,
      roster,
      pairings,
      groups,
      tokens,
      account,
      details,
      onKeysChanged
    }
    const round = new SealRound(sealing)
    const planner = new SealingPlanner(context, states, directory, holds, roster)
    const sealer = (this.#sealer = new Sealer({ context, states, history, queue, outbox, planner, round }))
    const onGap = (conversationId: string): void => void this.#maintenance.keepUp(conversationId)
    const timer = new ConversationTimer(context, history)
    const shown = { context, history, marks, timer, groups: groupWriter, late, onGap }
    const writer = (this.rowWriter = new RowWriter(shown))
    const rows = new ConversationRows(context, history)
    const own = (this.ownDevices = new OwnDevices({
      context,
      states,
      directory,
      roster,
      rows,
      history,
      index,
      sealer,
      trust,
      marks,
      tokens,
      late,
      outbox,
      pairs,
      account,
      changeAccount,
      shareGroups: () => this.groups.shareWithOwn(),
      noteProfile: (accountId, profile) => this.#maintenance.noteProfile(accountId, profile),
      onChange
    }))
    // What the user decides here counts on all devices.
    const chosen: ChosenMarks = { set: (unit, accountId, wanted) => own.mark(unit, accountId, wanted) }
    const ownInvites = new OwnInvites({ context, states, items: own.items, sync: own.sync, marks: chosen })
    const controls = new ControlInbox({
      context,
      states,
      pairings,
      heard: new HeardBook(context, history, roster),
      pairs,
      tokens,
      own: own.sync,
      historySource: own.source,
      historyTransfer: own.transfer,
      invites: ownInvites,
      profiles,
      sites,
      groups: groupOpens,
      groupKnowledge: groups,
      onGroupJoin: (...asked) => void this.groups.onJoin(...asked),
      onProfile: (accountId, profile) => void this.#maintenance.noteProfile(accountId, profile)
    })
    const inbox = (this.inbox = new Inbox({
      context,
      states,
      rows,
      writer,
      controls,
      pairs,
      pairings,
      marks,
      late,
      presence: own.presence
    }))
    const pairInbox = new PairInbox({ context, pairings, roster })
    const isPartner = (accountId: AccountId): boolean => this.conversations.isPartner(accountId)
    const isFriend = (accountId: AccountId): boolean => marks.isSpokenTo(accountId)
    const receiving = { context, states, directory, inbox, pairInbox, groups: groupOpens, isPartner, isFriend }
    const receiver = (this.receiver = new Receiver(receiving))
    const losses = new MailboxLosses({ context, states, rows, history })
    this.mailbox = new Mailbox({ context, receiver, losses }, { onChange })
    const writing = new SerialQueue()
    const conversations = (this.conversations = new Conversations({
      context,
      states,
      writing,
      directory,
      history,
      roster,
      rows,
      marks,
      readMarks: new ReadMarks({ context, states, history, pairs, own: own.sync }),
      people: this.people,
      onChange
    }))
    const permission = new SendPermission({ directory, roster, holds, marks, groups: groupWriter })
    const ownMessages = new OwnMessages({
      context,
      states,
      writing,
      rows,
      marks,
      history,
      permission,
      sealer,
      outbox,
      people: this.people,
      retryFile: (unit, row) => this.files.retry(unit, row)
    })
    this.messages = new MessageCalls({ context, states, history, own: ownMessages, people: this.people })
    const amending = { context, states, history, permission, sealer, timer, own: own.sync, people: this.people }
    this.amending = new Amending(amending)
    this.#expiry = new ExpiryClock(context, states, history)
    this.search = new SearchCalls({ index, states, people: this.people, conversations, marks })
    const { objects } = components
    const requests = new SignedRequests(context, components.fetch, components.access)
    const node = (): ListedNode | undefined => this.keeper.node
    const { onTransfer } = init
    this.files = new Files({
      context,
      states,
      history,
      sealer,
      objects,
      requests,
      own: ownMessages,
      node,
      onTransfer
    })
    this.backup = new BackupCalls({
      context,
      states,
      directory,
      own,
      objects,
      access: components.access,
      fetch: components.fetch,
      nodes: new ObjectNodes(context, node),
      derive: components.deriveBackupSecrets ?? passphraseSecrets,
      noteProfile: (accountId, profile) => this.#maintenance.noteProfile(accountId, profile)
    })
    const keeping = {
      context,
      states,
      directory,
      roster,
      inbox,
      pairs,
      pairings,
      groups,
      tokens,
      outbox,
      sealer,
      onKeysChanged
    }
    const notes = async (unit: UnitOfWork): Promise<ConversationId> =>
      (await rows.rowFor(unit, [context.accountId()])).conversationId
    this.groups = new GroupCalls({
      context,
      states,
      book,
      writer: groupWriter,
      directory,
      holds,
      sending: new GroupCarrier({ sealer, pairs, pairings, knowledge: groups, notes }),
      items: { get: name => own.items.get(name), set: (name, value) => own.sync.setItem(name, value) },
      people: this.people,
      ask: (accountId, secret) => ownMessages.askToJoin(accountId, secret),
      shownIdOf: (conversationId, messageId) => ownShownId(context, { conversationId, messageId }),
      onAccepted: () => pairs.resume()
    })
    const upkeep = new SessionUpkeep(keeping)
    const maintenance = { context, directory, conversations, roster, receiver, upkeep, tokens, connection }
    this.#maintenance = new Maintenance(maintenance)
    this.marking = new PersonMarking({
      context,
      states,
      directory,
      marks,
      chosen,
      people: this.people,
      rotateToken: unit => tokens.rotate(unit)
    })
    this.unheard = new UnheardQueue(states, this.people, row => this.#maintenance.nameChecked(row.from))
    const changeShownAccount: ChangeAccount = async (change, store) => {
      await changeAccount(change, store)
      onChange()
    }
    this.nameClaim = new NameClaim({
      context,
      directory,
      connection,
      account,
      changeAccount: changeShownAccount
    })
    this.profile = new OwnProfile({
      sync: own.sync,
      details,
      states,
      sealer: this.#sealer,
      tokens,
      conversations: () => conversations.all(),
      changeAccount: changeShownAccount
    })
    this.keeper = new ConnectionKeeper(
      { transport, timers: context.timers, log: context.log, randomFraction: () => context.random(1)[0]! / 256 },
      {
        network: () => context.network().id,
        authenticate: deviceProof(context),
        candidates: () => candidateNodes(context.crypto, network.info, context.device().deviceId),
        onOnline: online => this.#onOnline(online),
        onState: (state, node, problem) => this.#onStatus({ state, node, problem })
      }
    )
    const { keeper, people } = this
    const finder = (this.finder = new PersonFinder({ directory, keeper, people, conversations, account }))
    this.social = new Social({
      context,
      fetch: components.fetch,
      network,
      own: { sites: () => details().sites, change: changed => this.profile.changeSites(changed) },
      others: sites
    })
    this.invites = new Invites({
      context,
      states,
      client: new InviteClient(components.fetch),
      own: ownInvites,
      account,
      network,
      people: finder,
      conversations,
      rows,
      sealer,
      marks: chosen
    })
  }

  get status(): ConnectionStatus {
    return this.#status
  }

  /** Opens what is on disk; the network follows by itself. */
  async start(): Promise<void> {
    this.#isRunning = true
    await this.trust.load()
    await this.#marks.load(this.directory)
    await this.#profiles.load()
    await this.directory.load(this.#components.context.accountId())
    await this.#groups.load()
    for (const conversation of await this.conversations.load()) await this.#resumeGaps(conversation)
    await this.#late.start()
    await this.outbox.start()
    await this.#sealer.start()
    await this.#pairs.start()
    await this.ownDevices.start()
    await this.receiver.start()
    await this.files.start()
    await this.backup.start()
    await this.#expiry.start()
    for (const id of [...this.outbox.waitingMessages(), ...this.files.waitingMessages()]) this.waiting.add(id)
    for (const message of await this.#queue.shown()) this.waiting.add(ownShownId(this.#components.context, message))
    this.#maintenance.start()
    this.#index.start()
    // A device that only shows a backup is let in by no node.
    if (!this.#components.access()) this.keeper.start()
    this.nameClaim.start()
    await this.deviceRemoval.start()
    await this.groups.finishLeaving()
    this.#init.onChange()
  }

  /** Waits for missing messages that an earlier process began. */
  async #resumeGaps(conversation: Conversation): Promise<void> {
    const { conversationId } = conversation
    const { codec } = slots.sequencer('', '')
    for (const { value } of await this.#states.range('sequencer', toHex(conversationId), codec)) {
      const at = wakeAt(value)
      if (at === undefined) continue
      const senderAccount = this.#roster.ownerOf(conversation, value.deviceId)
      this.inbox.resume({ conversationId, senderAccount, senderDevice: value.deviceId }, at)
    }
  }

  /** Hands in what is due, then ends every timer and connection. */
  async stop(): Promise<void> {
    if (!this.#isRunning) return
    if (this.keeper.connection) await this.#sayLastWords()
    this.#isRunning = false
    this.#maintenance.stop()
    this.inbox.stop()
    await this.receiver.stop()
    await this.files.stop()
    await this.backup.stop()
    this.outbox.stop()
    await this.#sealer.stop()
    await this.#expiry.stop()
    await this.ownDevices.stop()
    await this.#pairs.stop()
    await this.nameClaim.stop()
    await this.deviceRemoval.stop()
    await this.keeper.stop()
    await this.#index.stop()
    await this.#states.idle()
    await this.#erasure.stop()
  }

  #sayLastWords(): Promise<void> {
    const { context } = this.#components
    return sayLastWords({
      context,
      states: this.#states,
      sealer: this.#sealer,
      pairs: this.#pairs,
      outbox: this.outbox,
      isOnline: () => this.keeper.connection !== undefined
    })
  }

  /** A connection is authenticated. @returns whether this node keeps our mailbox. */
  async #onOnline(connection: NodeConnection): Promise<boolean> {
    connection.onEpoch(epoch => void this.#onEpoch(epoch, connection))
    void this.#onEpoch(connection.authenticated.epoch, connection)
    return this.mailbox.attach(connection)
  }

  /** A node told its list. Never rejects. */
  async #onEpoch(epoch: Epoch, { node }: NodeConnection): Promise<void> {
    const { network, context } = this.#components
    try {
      await network.noteEpoch(epoch, node)
    } catch (error) {
      context.log.debug('a list of nodes could not be looked at', { reason: String(error) })
    }
  }

  #onStatus(next: ConnectionStatus): void {
    const { state, problem } = next
    this.#status = nextStatus(this.#status, next)
    if (state === 'online') {
      this.outbox.kick(true)
      this.#sealer.kick()
      this.files.kick()
      this.nameClaim.kick()
      this.deviceRemoval.kick()
      void this.ownDevices.kick()
      void this.#maintenance.round()
    } else this.mailbox.detach()
    if (problem?.code === 'device-removed' && this.people.me().deviceState !== 'removed') {
      void this.deviceRemoval.checkSelf()
    }
    // The list may be out of date, such as after a devnet moved to other ports.
    if (state === 'offline' && this.#isRunning) void this.#components.network.tryRefresh()
    this.#init.onChange()
  }

  /** What is due to a person who may be told now goes out; a new delivery token is handed in. */
  #onMarked(set: readonly (keyof PersonMarks)[]): void {
    this.#init.onChange()
    if (set.includes('answer') || set.includes('blocked')) this.#pairs.resume()
    if (set.includes('blocked')) void this.#maintenance.round()
  }

  /** Whether nothing of a conversation waits to be sealed, or for enough receipts. */
  isAllSent(conversationId: string): boolean {
    return !this.#queue.conversations().includes(conversationId) && !this.outbox.isIn(conversationId)
  }

  /** Something that held messages back may have gone. */
  resume(): void {
    this.#sealer.kick()
  }

  #onMessage(row: MessageRow): void {
    this.conversations.noteMessage(row)
    this.waiting.note(shownIdOf(this.#components.context, row), row)
    if (row.line?.kind === 'group' && row.line.what === 'left' && row.mine) void this.groups.finishLeaving()
    this.#init.onMessage(row)
    this.#init.onChange()
  }

  #requireConnection(): NodeConnection {
    const { connection } = this.keeper
    if (connection) return connection
    throw new PeerError('offline', { origin: null })
  }
}
