/**
 * The parts of a registered account that send, receive and keep: what each of them sees of the others is what it is given here.
 */
import { equalBytes } from '../protocol/bytes.ts'
import type { AccountId } from '../protocol/identity/device.ts'
import { SerialQueue } from '../protocol/serial-queue.ts'
import { Erasure } from './amendments/erasure.ts'
import { createAuditor } from './audit/create-audit.ts'
import { MemberRecords } from './audit/member-records.ts'
import { SeenBook } from './audit/seen-book.ts'
import { ConnectionKeeper } from './network/connection-keeper.ts'
import type { NodeConnection } from './network/node-connection.ts'
import { ReadMarks } from './history/read-marks.ts'
import { Conversations } from './conversations/conversations.ts'
import { PartnerLook } from './conversations/partner-look.ts'
import { deviceProof } from './device-proof.ts'
import { DeviceRemoval } from './account/device-removal.ts'
import { DirectoryClient } from './directory/directory-client.ts'
import { ConversationRoster } from './groups/conversation-roster.ts'
import { GroupBook } from './groups/group-book.ts'
import { GroupKnowledge } from './groups/group-knowledge.ts'
import { GroupOpens } from './groups/group-opens.ts'
import { GroupWriter } from './groups/group-writer.ts'
import { SendHolds } from './directory/send-holds.ts'
import { Maintenance } from './maintenance/maintenance.ts'
import { Inbox } from './receiving/inbox.ts'
import { Mailbox } from './receiving/mailbox.ts'
import { MailboxLosses } from './receiving/mailbox-losses.ts'
import { OwnInvites } from './invites/own-invites.ts'
import type { OwnDetails } from './sending/profile.ts'
import { LinkedAccounts } from './social/linked-accounts.ts'
import { PersonSites } from './social/person-sites.ts'
import { SearchIndex } from './search/search-index.ts'
import { ConversationTimer } from './history/conversation-timer.ts'
import { HeardBook } from './history/heard-book.ts'
import { ConversationRows } from './history/conversation-rows.ts'
import { MessageLog } from './history/message-log.ts'
import { candidateNodes } from './network/network-info.ts'
import { dialOtherOperator } from './directory/other-operator.ts'
import { LateHistory } from './own-devices/late-history.ts'
import { OwnDevices } from './own-devices/own-devices.ts'
import { RecoveryLines } from './recovery/recovery-lines.ts'
import { Outbox } from './sending/outbox.ts'
import type { ConversationSafetyCheck } from './people/conversation-safety.ts'
import { PersonViews } from './people/person-views.ts'
import { type ChosenMarks } from './people/person-marking.ts'
import { PersonMarksBook } from './people/person-marks.ts'
import { PersonProfiles } from './people/person-profiles.ts'
import { FIRST_WORD_ITEM, FirstWords } from './people/first-words.ts'
import { PublicProfileBook } from './public-profile/public-profile-book.ts'
import { PublicProfiles } from './public-profile/public-profiles.ts'
import { PersonTrust } from './directory/person-trust.ts'
import { loadedLater } from './loaded-later.ts'
import type { PublicRecords } from './people/public-record.ts'
import { ControlInbox } from './receiving/control-inbox.ts'
import { RowWriter } from './receiving/row-writer.ts'
import { Receiver } from './receiving/receiver.ts'
import { PairInbox } from './receiving/pair-inbox.ts'
import { DeliveryTokens } from './sending/delivery-tokens.ts'
import { PairSender } from './sending/pair-sender.ts'
import { SealRound } from './sending/seal-round.ts'
import { Sealer } from './sending/sealer.ts'
import { SealingPlanner } from './sending/sealing-plan.ts'
import { UnsentQueue } from './sending/unsent-queue.ts'
import { SessionUpkeep } from './maintenance/session-upkeep.ts'
import { PairingBook } from './store/pairing-book.ts'
import { StateStore } from './store/state-store.ts'
import type { ChatAreas, ChatComponents, ChatEvents } from './chat-components.ts'

/** Built from each other in this order. */
export type CoreParts = ReturnType<typeof createCoreParts>

/** @param areas - of this engine; there once everything is built. */
export function createCoreParts(components: ChatComponents, events: ChatEvents, areas: () => ChatAreas) {
  const { context, network, transport, account, changeAccount } = components
  const { onChange } = events
  const states = new StateStore(context.store, error =>
    context.log.warn('something was stored, but not everybody heard of it', { reason: String(error) })
  )
  const connection = (): NodeConnection | undefined => keeper.connection
  const trust = new PersonTrust(context.store, () => context.timers.now())
  const otherOperator = (): Promise<NodeConnection | undefined> => dialOtherOperator(context, transport, keeper.node)
  const directory = new DirectoryClient({
    ...context,
    trust,
    connection: () => keeper.required,
    fetch: components.fetch,
    otherOperator,
    onChange: known => {
      onChange()
      void receiver.accountChanged(known.accountId)
      void maintenance.seekSecondOpinion(known)
      void recoveryLines.note(known)
      if (equalBytes(known.accountId, context.accountId())) publicProfiles.ownRecordChanged(known)
    }
  })
  const isReadOnly = (): boolean => components.access() !== undefined
  const holds = new SendHolds(context, directory, trust, isReadOnly)
  const book = new GroupBook(context, states)
  const roster = new ConversationRoster(context, directory, book)
  const marks = new PersonMarksBook(
    states,
    () => context.timers.now(),
    set => events.onMarked(set)
  )
  const profiles = new PersonProfiles(states, onChange)
  const details = (): OwnDetails => own.details
  const sites = new PersonSites(states)
  const accounts = new LinkedAccounts(context, states)
  const publicBook = new PublicProfileBook({ states, directory, onChange })
  const publicProfiles = new PublicProfiles({
    context,
    directory,
    connection: () => keeper.required,
    account,
    details,
    book: publicBook
  })
  const firstWords = new FirstWords({ context, states, marks, item: () => own.items.get(FIRST_WORD_ITEM), onChange })
  const groupItems = { get: (name: string) => own.items.get(name) }
  const people = new PersonViews(context, directory, account, trust, holds, roster, book, groupItems, marks, {
    of: accountId => profiles.of(accountId),
    instead: accountId => publicBook.instead(accountId),
    isLackingWord: accountId => firstWords.isLacking(accountId),
    get firstWord() {
      return firstWords.own
    },
    own: details
  })
  const safety = loadedLater<Pick<ConversationSafetyCheck, 'of' | 'check'>>(
    { of: 'repeat', check: 'repeat' },
    async () => {
      const { ConversationSafetyCheck } = await import('./people/conversation-safety.ts')
      return new ConversationSafetyCheck({ context, states, directory, roster, people })
    }
  )
  const recordCalls = { of: 'repeat', ownDevices: 'repeat', safetyNumber: 'repeat' } as const
  const publicRecords = loadedLater<Pick<PublicRecords, keyof typeof recordCalls>>(recordCalls, async () => {
    const { PublicRecords } = await import('./people/public-record.ts')
    return new PublicRecords(context, directory, people, account)
  })
  const deviceRemoval = new DeviceRemoval({ context, directory, connection, otherOperator })
  const index = new SearchIndex({ states, timers: context.timers, log: context.log })
  const queue = new UnsentQueue(states)
  const erasure = new Erasure(context, queue, (unit, file) => areas().files.erase(unit, file))
  const history = new MessageLog(context, states, {
    index,
    keepUnheard: events.keepUnheard,
    ownName: () => account().name?.username ?? null,
    erasing: erasure,
    onEvent: events.onEvent,
    onExpiry: at => areas().expiry.note(at),
    onMessage: row => events.onMessage(row),
    onConversation: conversation => {
      conversations.noteConversation(conversation)
      onChange()
    }
  })
  const outbox = new Outbox(context, states, history, {
    connection,
    onEpoch: (epoch, online) => events.onEpoch(epoch, online),
    onFruitless: online => void keeper.leave(online)
  })
  const onKeysChanged = (...change: Parameters<Receiver['noteKeys']>): void => receiver.noteKeys(...change)
  const pairings = new PairingBook(states)
  const tokens = new DeliveryTokens(context, states, directory)
  const records = new MemberRecords(context, directory)
  const seen = new SeenBook({ book, roster, records, release: components.release })
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
    seen,
    onKeysChanged
  }
  const pairs = new PairSender(saying)
  const recoveryLines = new RecoveryLines({ context, states, history, trust })
  const late = new LateHistory(context, states, { onLate: device => own.onLate(device) })
  const onNamed = (...named: Parameters<Maintenance['noteMember']>): void => void maintenance.noteMember(...named)
  const spread = (...message: Parameters<Sealer['enqueue']>): Promise<void> => sealer.enqueue(...message)
  const groupWriter = new GroupWriter({ context, book, directory, history, pairings, marks, spread, onNamed })
  const groupKnowledge = new GroupKnowledge(context, book)
  const groupOpens = new GroupOpens({
    context,
    states,
    book,
    directory,
    writer: groupWriter,
    knowledge: groupKnowledge
  })
  const sealing = {
    late,
    context,
    history,
    queue,
    outbox,
    roster,
    pairings,
    groups: groupKnowledge,
    tokens,
    seen,
    account,
    details,
    onKeysChanged
  }
  const round = new SealRound(sealing)
  const planner = new SealingPlanner(context, states, directory, holds, roster)
  const sealer = new Sealer({ context, states, history, queue, outbox, planner, round })
  const onGap = (conversationId: string): void => void maintenance.keepUp(conversationId)
  const timer = new ConversationTimer(context, history)
  const writer = new RowWriter({ context, history, marks, timer, groups: groupWriter, late, onGap })
  const rows = new ConversationRows(context, history)
  const own: OwnDevices = new OwnDevices({
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
    shareGroups: () => areas().groups.shareWithOwn(),
    noteProfile: (accountId, profile) => maintenance.noteProfile(accountId, profile),
    onChange
  })
  // What the user decides here counts on all devices.
  const chosen: ChosenMarks = { set: (unit, accountId, wanted) => own.mark(unit, accountId, wanted) }
  const ownInvites = new OwnInvites({ context, states, items: own.items, sync: own.sync, marks: chosen })
  const auditor = createAuditor({
    ...saying,
    ...components,
    directory,
    history,
    book,
    knowledge: groupKnowledge,
    pairs,
    records
  })
  const controls = new ControlInbox({
    auditor,
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
    firstWords,
    profiles,
    sites,
    accounts,
    groups: groupOpens,
    groupKnowledge,
    onTyping: (...said) => areas().typing.note(...said),
    onPresence: (...said) => areas().presence.note(...said),
    onGroupJoin: (...asked) => void areas().groups.onJoin(...asked),
    onProfile: (accountId, profile) => void maintenance.noteProfile(accountId, profile)
  })
  const inbox = new Inbox({
    context,
    states,
    rows,
    writer,
    controls,
    pairs,
    pairings,
    auditor,
    marks,
    late,
    presence: own.presence
  })
  const pairInbox = new PairInbox({ context, pairings, roster })
  const isPartner = (accountId: AccountId): boolean => conversations.isPartner(accountId)
  // Nobody has said anything of a stranger: not blocked is not yet accepted.
  const isFriend = (accountId: AccountId): boolean => isPartner(accountId) && marks.isSpokenTo(accountId)
  const receiving = { context, states, directory, inbox, pairInbox, groups: groupOpens, isPartner, isFriend }
  const receiver = new Receiver(receiving)
  const losses = new MailboxLosses({ context, states, rows, history })
  const mailbox = new Mailbox({ context, receiver, losses }, { onChange })
  const writing = new SerialQueue()
  const conversations = new Conversations({
    context,
    states,
    writing,
    directory,
    history,
    roster,
    rows,
    marks,
    sealer,
    words: firstWords,
    readMarks: new ReadMarks({ context, states, history, pairs, own: own.sync }),
    people,
    partners: new PartnerLook({ context, directory, roster }),
    onChange
  })
  const keeping = {
    context,
    states,
    directory,
    roster,
    inbox,
    pairs,
    pairings,
    groups: groupKnowledge,
    tokens,
    outbox,
    sealer,
    onKeysChanged
  }
  const upkeep = new SessionUpkeep(keeping)
  const maintenance = new Maintenance({
    context,
    directory,
    conversations,
    roster,
    groups: book,
    receiver,
    upkeep,
    tokens,
    connection
  })
  const keeper = new ConnectionKeeper(
    { transport, timers: context.timers, log: context.log, randomFraction: () => context.random(1)[0]! / 256 },
    {
      network: () => context.network().id,
      authenticate: deviceProof(context),
      candidates: () => candidateNodes(context.crypto, network.info, context.device().deviceId),
      onOnline: online => events.onOnline(online),
      onState: (state, node, problem) => events.onStatus({ state, node, problem })
    }
  )
  return {
    context,
    states,
    connection,
    trust,
    directory,
    holds,
    book,
    roster,
    marks,
    profiles,
    publicBook,
    publicProfiles,
    firstWords,
    details,
    sites,
    accounts,
    people,
    publicRecords,
    safety,
    deviceRemoval,
    index,
    queue,
    erasure,
    history,
    outbox,
    pairings,
    tokens,
    pairs,
    recoveryLines,
    late,
    groupWriter,
    groupOpens,
    groupKnowledge,
    sealer,
    timer,
    rowWriter: writer,
    rows,
    ownDevices: own,
    chosen,
    ownInvites,
    inbox,
    receiver,
    mailbox,
    writing,
    conversations,
    maintenance,
    keeper
  }
}
