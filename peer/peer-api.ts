/**
 * What a screen or a command line sees of the peer, by area. Plain data only, so that every value passes through a worker's
 * message port: ids are lower-case hex, times are milliseconds since 1970.
 *
 * To add a call: name it in the interface and the table of its area (`api/`), write it in the area's room, use it in a screen.
 */
import { ACCOUNT_CALLS, type AccountApi, type Me, type Stage } from './api/account-api.ts'
import { AMENDMENTS_CALLS, type AmendmentsApi } from './api/amendments-api.ts'
import { BACKUP_CALLS, type BackupApi, type BackupWork } from './api/backup-api.ts'
import type { CallTable } from './api/call-table.ts'
import { COMPLAINTS_CALLS, type ComplaintsApi } from './api/complaints-api.ts'
import { CONVERSATIONS_CALLS, type ConversationsApi, type ConversationSummary } from './api/conversations-api.ts'
import { DEVICES_CALLS, type DevicesApi } from './api/devices-api.ts'
import { FILES_CALLS, type FilesApi, type FileTransfer } from './api/files-api.ts'
import { GROUPS_CALLS, type GroupsApi } from './api/groups-api.ts'
import { HISTORY_CALLS, type HistoryApi } from './api/history-api.ts'
import { INVITES_CALLS, type InvitesApi } from './api/invites-api.ts'
import { LINKING_CALLS, type LinkingApi, type LinkingState } from './api/linking-api.ts'
import { MESSAGES_CALLS, type ChatMessage, type MessagesApi, type TypingNotice } from './api/messages-api.ts'
import { NETWORK_CALLS, type NetworkApi, type PeerStatus } from './api/network-api.ts'
import { PEOPLE_CALLS, type PeopleApi, type PresenceNotice } from './api/people-api.ts'
import { RECORD_CALLS, type RecordApi } from './api/record-api.ts'
import { RECOVERY_CALLS, type RecoveryApi } from './api/recovery-api.ts'
import { SEARCH_CALLS, type SearchApi } from './api/search-api.ts'
import { SOCIAL_CALLS, type SocialApi } from './api/social-api.ts'

export type * from './api/account-api.ts'
export type * from './api/amendments-api.ts'
export type * from './api/backup-api.ts'
export type * from './api/complaints-api.ts'
export type * from './api/conversations-api.ts'
export type * from './api/devices-api.ts'
export type * from './api/file-view.ts'
export type * from './api/files-api.ts'
export type * from './api/groups-api.ts'
export type * from './api/history-api.ts'
export type * from './api/ids.ts'
export type * from './api/invites-api.ts'
export type * from './api/linking-api.ts'
export type * from './api/messages-api.ts'
export type * from './api/network-api.ts'
export type * from './api/people-api.ts'
export type * from './api/record-api.ts'
export type * from './api/record-state.ts'
export type * from './system-line.ts'
export type * from './api/recovery-api.ts'
export type * from './api/search-api.ts'
export type * from './api/social-api.ts'

/** The calls of the peer, grouped by what they are about. All of them may reject with a `PeerError` (`errors.ts`). */
export interface PeerAreas {
  account: AccountApi
  devices: DevicesApi
  linking: LinkingApi
  people: PeopleApi
  conversations: ConversationsApi
  messages: MessagesApi
  complaints: ComplaintsApi
  files: FilesApi
  groups: GroupsApi
  amendments: AmendmentsApi
  record: RecordApi
  recovery: RecoveryApi
  backup: BackupApi
  history: HistoryApi
  search: SearchApi
  social: SocialApi
  invites: InvitesApi
  network: NetworkApi
}

/** Every call that a page may make through the worker. */
export const PEER_CALLS: { readonly [Area in keyof PeerAreas]: CallTable<PeerAreas[Area]> } = {
  account: ACCOUNT_CALLS,
  devices: DEVICES_CALLS,
  linking: LINKING_CALLS,
  people: PEOPLE_CALLS,
  conversations: CONVERSATIONS_CALLS,
  messages: MESSAGES_CALLS,
  complaints: COMPLAINTS_CALLS,
  files: FILES_CALLS,
  groups: GROUPS_CALLS,
  amendments: AMENDMENTS_CALLS,
  record: RECORD_CALLS,
  recovery: RECOVERY_CALLS,
  backup: BACKUP_CALLS,
  history: HISTORY_CALLS,
  search: SEARCH_CALLS,
  social: SOCIAL_CALLS,
  invites: INVITES_CALLS,
  network: NETWORK_CALLS
}

/** The peer, as its worker offers it to every tab, and as the command line uses it. */
export interface PeerApi extends Readonly<PeerAreas> {
  snapshot(): Promise<PeerSnapshot>
  /** @returns a function that stops the listening. */
  on<K extends keyof PeerEvents>(event: K, listener: (value: PeerEvents[K]) => void): () => void
}

/** Everything that a screen needs before it asks for more. */
export interface PeerSnapshot {
  stage: Stage
  /** What the sign-in suggests for a username, as the provider spells it; null if it does not say, or in another stage. */
  suggestedName: string | null
  me: Me | null
  status: PeerStatus
  /** How far a further device is, on the old device or on the new one; null without a linking. */
  linking: LinkingState | null
  conversations: ConversationSummary[]
}

/** What the peer reports without being asked. */
export interface PeerEvents {
  /** Any part of the snapshot changed. */
  snapshot: PeerSnapshot
  /** A message appeared or changed. */
  message: ChatMessage
  /** A file is a part further on its way. */
  transfer: FileTransfer
  /** A backup is made, checked or restored, and how far it is; null at its end. */
  backup: BackupWork | null
  /** A person whom the user has accepted types, or not any more. */
  typing: TypingNotice
  /** Something is new about where a person is whom {@link PeopleApi.presence} was asked about. */
  presence: PresenceNotice
  /** A person did something that is not a message, such as a reaction: `listen` has another line to print. */
  event: null
  /** Another process answers from now on: nobody heard what happened in between, so lists are read again. */
  resumed: null
}
