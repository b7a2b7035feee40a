/** What a registered account can do for its person, one area after the other. */
import { passphraseSecrets } from '../protocol/backup/backup-passphrase.ts'
import { equalBytes } from '../protocol/bytes.ts'
import type { BlobPointer } from '../protocol/files/blob-pointer.ts'
import type { AccountId } from '../protocol/identity/device.ts'
import type { ConversationId } from '../protocol/roster/roster.ts'
import type { ListedNode } from '../protocol/wire/placement.ts'
import { ExpiryClock } from './amendments/expiry-clock.ts'
import { MessageCalls } from './conversations/message-calls.ts'
import { OwnMessages } from './conversations/own-messages.ts'
import { BackupCalls } from './backup/backup-calls.ts'
import { Files } from './files/files.ts'
import { GroupCalls } from './groups/group-calls.ts'
import { loadedLater } from './loaded-later.ts'
import { SearchCalls } from './search/search-calls.ts'
import { PersonFinder } from './people/person-finder.ts'
import { PEER_CALLS } from './peer-api.ts'
import { NameClaim } from './account/name-claim.ts'
import type { AccountDeletion } from './account/account-deletion.ts'
import { OwnPicture } from './account/own-picture.ts'
import { OwnProfile } from './account/own-profile.ts'
import type { ChangeAccount } from './store/own-account.ts'
import type { Reporting } from './reports/reporting.ts'
import { Pictures } from './people/pictures.ts'
import { PictureUpload } from './objects/picture-upload.ts'
import { GroupPictures } from './groups/group-pictures.ts'
import { PersonMarking } from './people/person-marking.ts'
import { GroupCarrier } from './sending/group-carrier.ts'
import { SendPermission } from './sending/send-permission.ts'
import { ObjectClient } from './objects/object-client.ts'
import { ObjectNodes } from './objects/object-nodes.ts'
import { SignedRequests } from './objects/signed-requests.ts'
import { ownShownId } from './history/shown-id.ts'
import { Presence } from './conversations/presence.ts'
import { Typing } from './conversations/typing.ts'
import { UnheardQueue } from './conversations/unheard-queue.ts'
import type { ShownId } from './store/conversation-entries.ts'
import type { UnitOfWork } from './store/state-store.ts'
import type { ChatAreas, ChatComponents, ChatEvents } from './chat-components.ts'
import type { CoreParts } from './chat-parts.ts'

/** Builds what calls of screens and commands need, from the parts that send, receive and keep. */
export function createAreas(components: ChatComponents, events: ChatEvents, core: CoreParts): ChatAreas {
  const { network, account, changeAccount } = components
  const { onChange } = events
  const {
    context,
    states,
    connection,
    directory,
    deviceRemoval,
    holds,
    book,
    roster,
    marks,
    profiles,
    publicBook,
    publicProfiles,
    details,
    sites,
    accounts,
    people,
    index,
    history,
    outbox,
    pairings,
    tokens,
    pairs,
    groupWriter,
    groupOpens,
    groupKnowledge,
    sealer,
    timer,
    rows,
    ownDevices: own,
    chosen,
    ownInvites,
    writing,
    conversations,
    maintenance,
    keeper
  } = core
  const permission = new SendPermission({ directory, roster, holds, marks, groups: groupWriter })
  const ownMessages: OwnMessages = new OwnMessages({
    context,
    states,
    writing,
    rows,
    marks,
    history,
    permission,
    sealer,
    outbox,
    people,
    retryFile: (unit, row) => files.retry(unit, row)
  })
  const noticed = {
    context,
    states,
    roster,
    pairs,
    marks,
    isOnline: () => keeper.connection !== undefined,
    privacy: () => details().privacy
  }
  const typing = new Typing({ ...noticed, onTyping: events.onTyping })
  const presence = new Presence({ ...noticed, onPresence: events.onPresence })
  const waiting = async (): Promise<ShownId[]> => {
    const unsealed = (await core.queue.shown()).map(message => ownShownId(context, message))
    return [...unsealed, ...outbox.waitingMessages(), ...files.waitingMessages()]
  }
  const messages = new MessageCalls({ context, states, history, own: ownMessages, waiting, people, typing })
  const amending = loadedLater(PEER_CALLS.amendments, async () => {
    const { Amending } = await import('./amendments/amending.ts')
    return new Amending({ context, states, history, permission, sealer, timer, own: own.sync, people })
  })
  const expiry = new ExpiryClock(context, states, history)
  const { fetch } = components
  const complaints = loadedLater(PEER_CALLS.complaints, async () => {
    const { Complaints } = await import('./complaints/complaints.ts')
    return new Complaints({ context, states, fetch })
  })
  const search = new SearchCalls({ index, states, people, conversations, marks })
  const { objects } = components
  const requests = new SignedRequests(context, fetch, components.access)
  const node = (): ListedNode | undefined => keeper.node
  const { onTransfer, onBackupWork } = events
  const files: Files = new Files({
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
  const nodes = new ObjectNodes(context, node)
  const backup = new BackupCalls({
    context,
    states,
    directory,
    own,
    book,
    groups: groupOpens,
    objects,
    access: components.access,
    fetch,
    nodes,
    derive: components.deriveBackupSecrets ?? passphraseSecrets,
    isOnline: () => node() !== undefined,
    onWork: onBackupWork,
    noteProfile: (accountId, profile) => maintenance.noteProfile(accountId, profile)
  })
  const notes = async (unit: UnitOfWork): Promise<ConversationId> =>
    (await rows.rowFor(unit, [context.accountId()])).conversationId
  const client = new ObjectClient(requests)
  const pointerOf = (accountId: AccountId): BlobPointer | null =>
    (equalBytes(accountId, context.accountId()) ? details() : (publicBook.instead(accountId) ?? profiles.of(accountId)))
      .picture
  const pictures = new Pictures({ context, client, nodes, pointerOf })
  const uploadOf = (purpose: 'file' | 'profile') => new PictureUpload({ context, client, nodes }, purpose)
  const ownPicture = new OwnPicture({
    context,
    upload: uploadOf('profile'),
    pictures,
    current: () => details().picture
  })
  const groupPictures = new GroupPictures({ context, book, upload: uploadOf('file'), pictures })
  const groups = new GroupCalls({
    context,
    pictures: groupPictures,
    states,
    book,
    writer: groupWriter,
    directory,
    holds,
    sending: new GroupCarrier({ sealer, pairs, pairings, knowledge: groupKnowledge, notes }),
    items: {
      get: name => own.items.get(name),
      set: (name, value) => own.sync.setItem(name, value),
      namesWith: prefix => own.items.namesWith(prefix)
    },
    people,
    ask: (accountId, secret) => ownMessages.askToJoin(accountId, secret),
    shownIdOf: (conversationId, messageId) => ownShownId(context, { conversationId, messageId }),
    onAccepted: () => pairs.resume()
  })
  const marking = new PersonMarking({
    context,
    states,
    directory,
    marks,
    chosen,
    people,
    rotateToken: unit => tokens.rotate(unit)
  })
  const unheard = new UnheardQueue(states, people, row => maintenance.nameChecked(row.from))
  const changeShownAccount: ChangeAccount = async (change, store) => {
    await changeAccount(change, store)
    // A name that was reserved, or given back.
    publicProfiles.kick()
    onChange()
  }
  const nameClaim = new NameClaim({
    context,
    directory,
    connection,
    account,
    changeAccount: changeShownAccount
  })
  const profile = new OwnProfile({
    picture: ownPicture,
    onChanged: () => publicProfiles.kick(),
    sync: own.sync,
    details,
    states,
    sealer,
    tokens,
    conversations: () => conversations.all(),
    isSpokenTo: conversation =>
      conversation.kind === 'direct' && roster.othersOf(conversation).every(other => marks.isSpokenTo(other)),
    changeAccount: changeShownAccount
  })
  const finder = new PersonFinder({ directory, keeper, people, conversations, account, publicProfiles })
  const social = loadedLater(PEER_CALLS.social, async () => {
    const [{ Social }, { AccountLinking }] = await Promise.all([
      import('./social/social.ts'),
      import('./social/account-linking.ts')
    ])
    return new Social({
      context,
      fetch,
      network,
      own: {
        sites: () => details().sites,
        accounts: () => details().accounts,
        change: changed => profile.changeSites(changed)
      },
      others: { of: async id => publicBook.instead(id)?.sites ?? sites.of(id) },
      accounts,
      othersAccounts: async id => publicBook.instead(id)?.accounts ?? accounts.of(id),
      linking: new AccountLinking({
        context,
        fetch,
        requests,
        network,
        own: { accounts: () => details().accounts, change: changed => profile.changeAccounts(changed) }
      })
    })
  })
  const invites = loadedLater(PEER_CALLS.invites, async () => {
    const [{ Invites }, { InviteClient }] = await Promise.all([
      import('./invites/invites.ts'),
      import('./invites/invite-client.ts')
    ])
    return new Invites({
      context,
      states,
      client: new InviteClient(fetch),
      own: ownInvites,
      account,
      network,
      people: finder,
      conversations,
      rows,
      sealer,
      marks: chosen
    })
  })
  return {
    messages,
    amending,
    expiry,
    search,
    complaints,
    files,
    backup,
    groups,
    marking,
    unheard,
    typing,
    presence,
    nameClaim,
    profile,
    pictures,
    ownPicture,
    groupPictures,
    deletion: loadedLater<Pick<AccountDeletion, 'run'>>({ run: 'give-up' }, async () => {
      const { AccountDeletion } = await import('./account/account-deletion.ts')
      const removing = { nameClaim, deviceRemoval, publicProfile: publicProfiles }
      return new AccountDeletion({ context, directory, client, requests, ...removing })
    }),
    reporting: loadedLater<Pick<Reporting, 'report'>>({ report: 'give-up' }, async () => {
      const { Reporting } = await import('./reports/reporting.ts')
      return new Reporting({ context, fetch, requests, network, messages })
    }),
    finder,
    social,
    invites
  }
}
