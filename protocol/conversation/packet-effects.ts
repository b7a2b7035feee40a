/** Where a packet of a conversation comes from, and what it can show and ask for: the words of `conversation-change.ts`. */
import type { AccountId, DeviceId } from '../identity/device.ts'
import type { ConversationId } from '../roster/roster.ts'
import type { SessionId } from '../session/context.ts'
import type { BodyOf, Message } from './message.ts'

/** Whose packet it is, and in which conversation. */
export interface PacketOrigin {
  conversationId: ConversationId
  senderAccount: AccountId
  senderDevice: DeviceId
}

/** What is known of when a packet was sent, milliseconds. */
export interface Custody {
  /** When a node had it, by the word of the node that hands it out. */
  storedAt: number
  /** When its device was removed from its account; undefined for one that lives. */
  removedSince: number | undefined
}

/** What the conversation shows next. */
export type Row =
  /** `late`: it stands where it was missing. */
  | { kind: 'message'; sequence: number; late: boolean; message: Message }
  /** Signed by its sender, but not a message of any version: shown as one that cannot be read here. */
  | { kind: 'unreadable'; sequence: number; late: boolean; content: Uint8Array }
  | { kind: 'gap'; from: number; to: number }
  /** Part of a gap will not be filled. */
  | { kind: 'gone'; from: number; to: number }
  /** The message above does not follow the one before it. */
  | { kind: 'not-linked' }
  /** Something of a device is not shown, because it was removed before. */
  | { kind: 'removed-device' }

/** What a packet of two devices asks of this one, besides messages; each may be applied twice. */
export type Control =
  | BodyOf<'receipt'>
  | BodyOf<'openedAck'>
  /** What the other device was shown. */
  | BodyOf<'seen'>
  /** Of worth for seconds after `sentAt`, by the sender's clock. */
  | (BodyOf<'typing'> & { sentAt: number })
  /** As typing. */
  | (BodyOf<'presence'> & { sentAt: number })
  | BodyOf<'profile'>
  | BodyOf<'inviteAccepted'>
  | BodyOf<'firstWord'>
  /** Changes of a group, each signed by itself. */
  | BodyOf<'groupLog'>
  /** In a direct conversation: asks to be added to a group. */
  | BodyOf<'groupJoin'>
  /** Counts only if it is newer than the last one taken on the pairing of that session, which this device opened. */
  | (BodyOf<'resendRequest'> & { sentAt: number; sessionId: SessionId })
  /** From own devices only, and in the conversation of the account with itself only: whoever applies them checks that. */
  | BodyOf<'sync'>
  | BodyOf<'ownMarks'>
  | BodyOf<'star'>
  | BodyOf<'historyChunk'>
  /** As a resend request. */
  | (BodyOf<'historyRequest'> & { sentAt: number; sessionId: SessionId })
