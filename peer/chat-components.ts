/** What the parts of a registered account are built from, what they tell, and which of them answer calls. */
import type { AppRelease } from '../protocol/audit/seen.ts'
import type { DeriveSecrets } from '../protocol/backup/backup-passphrase.ts'
import type { BackupAuthorization } from '../protocol/identity/backup-authorization.ts'
import type { Epoch } from '../protocol/wire/placement.ts'
import type { ExpiryClock } from './amendments/expiry-clock.ts'
import type {
  AmendmentsApi,
  BackupWork,
  ComplaintsApi,
  FileTransfer,
  InvitesApi,
  PersonMarks,
  SearchApi,
  SocialApi,
  PresenceNotice,
  TypingNotice
} from './peer-api.ts'
import type { HttpClient, LocalObjects, Transport } from './ports.ts'
import type { ConnectionStatus } from './network/connection-status.ts'
import type { NodeConnection } from './network/node-connection.ts'
import type { MessageCalls } from './conversations/message-calls.ts'
import type { EngineContext } from './engine-context.ts'
import type { BackupCalls } from './backup/backup-calls.ts'
import type { Files } from './files/files.ts'
import type { GroupCalls } from './groups/group-calls.ts'
import type { PersonFinder } from './people/person-finder.ts'
import type { Reporting } from './reports/reporting.ts'
import type { NameClaim } from './account/name-claim.ts'
import type { AccountDeletion } from './account/account-deletion.ts'
import type { OwnPicture } from './account/own-picture.ts'
import type { OwnProfile } from './account/own-profile.ts'
import type { KnownNetwork } from './network/known-network.ts'
import type { ChangeAccount, OwnAccount } from './store/own-account.ts'
import type { PersonMarking } from './people/person-marking.ts'
import type { Pictures } from './people/pictures.ts'
import type { GroupPictures } from './groups/group-pictures.ts'
import type { MessageRow } from './store/conversation-entries.ts'
import type { Presence } from './conversations/presence.ts'
import type { Typing } from './conversations/typing.ts'
import type { UnheardQueue } from './conversations/unheard-queue.ts'

export interface ChatComponents {
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
  /** The build of the app that runs here; null where it is not known. */
  release: () => AppRelease | null
}

/** What the parts tell the engine. */
export interface ChatEvents {
  /** Whether received messages are kept in line until they are marked as heard. */
  keepUnheard: boolean
  /** Something that a screen shows has changed. */
  onChange: () => void
  onMessage: (row: MessageRow) => void
  onTransfer: (transfer: FileTransfer) => void
  /** A backup is made, checked or restored; null at its end. */
  onBackupWork: (work: BackupWork | null) => void
  onTyping: (notice: TypingNotice) => void
  onPresence: (notice: PresenceNotice) => void
  /** Somebody else did something that `listen` prints. */
  onEvent: () => void
  /** A connection is authenticated. @returns whether this node keeps our mailbox. */
  onOnline: (connection: NodeConnection) => Promise<boolean>
  onStatus: (status: ConnectionStatus) => void
  /** A node told its list. Never rejects. */
  onEpoch: (epoch: Epoch, connection: NodeConnection) => Promise<void>
  onMarked: (set: readonly (keyof PersonMarks)[]) => void
}

/** The parts that answer calls of screens and commands, see `chat-areas.ts`. */
export interface ChatAreas {
  messages: MessageCalls
  amending: AmendmentsApi
  expiry: ExpiryClock
  search: SearchApi
  complaints: ComplaintsApi
  files: Files
  backup: BackupCalls
  groups: GroupCalls
  marking: PersonMarking
  unheard: UnheardQueue
  typing: Typing
  presence: Presence
  nameClaim: NameClaim
  profile: OwnProfile
  pictures: Pictures
  ownPicture: OwnPicture
  groupPictures: GroupPictures
  reporting: Pick<Reporting, 'report'>
  deletion: Pick<AccountDeletion, 'run'>
  finder: PersonFinder
  social: SocialApi
  invites: InvitesApi
}
