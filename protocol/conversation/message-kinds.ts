/**
 * The kinds of messages and their fields. Numbers are for ever; a kind whose fields change gets a new version.
 *
 * A message that speaks about another one (`target`) names it. An edit and a delete name it by its id alone, and the message
 * with this id of the *same* account is meant: what others wrote cannot be named, so it cannot be changed. All others name it by
 * the hash that also covers its author (`shownIdOf`), because anybody can choose an id that another person has used.
 */
import type { Brand } from '../brand.ts'
import { seenCodec } from '../audit/seen.ts'
import { bool, bytes, bytesBetween, list, nullable, oneOf, struct, text, uint } from '../codec.ts'
import { MESSAGING_KEY_BYTES, SIGNATURE_BYTES } from '../crypto/crypto.ts'
import { deviceIdCodec } from '../identity/device.ts'
import { blobCodec } from '../files/blob-pointer.ts'
import { displayNameCodec } from '../identity/display-name.ts'
import { MAX_ABOUT_UNITS, MAX_GROUP_CHANGE_BYTES, MAX_GROUP_HEADS, MAX_TEXT_UNITS } from '../limits.ts'
import type { ConversationId } from '../roster/roster.ts'
import { linkedAccountsCodec } from '../identity/linked-account.ts'
import { MAX_SITES, siteCodec } from '../identity/site.ts'
import { sessionIdCodec } from '../session/context.ts'

export const MESSAGE_ID_BYTES = 16
/** 16 random bytes, chosen by the sender. */
export type MessageId = Brand<Uint8Array, 'MessageId'>
export const messageIdCodec = bytes<MessageId>(MESSAGE_ID_BYTES)

/** Messages that one receipt or acknowledgement names. */
export const MAX_RECEIPT_TARGETS = 256
/** Longest life that a disappearing message may be given, in seconds: a year. */
export const MAX_EXPIRY_SECONDS = 365 * 24 * 60 * 60
/** Largest piece of history in one message: one text of the greatest length fits, with what belongs to it. */
export const MAX_HISTORY_CHUNK_BYTES = 61_000
/** Pieces of history that one request asks for. */
export const MAX_HISTORY_CHUNKS_ASKED = 16
/** Changes of a group's log in one message. */
export const MAX_GROUP_LOG_MESSAGE_CHANGES = 64
/** Longest cursor of a history: opaque to the device that asks. */
export const MAX_HISTORY_CURSOR_BYTES = 512

/** Longest small picture of a file inside its message. */
export const MAX_THUMBNAIL_BYTES = 8 * 1024
/** Loudness over time, one byte for each step. */
export const MAX_WAVEFORM_BYTES = 128
/** Longest voice note: a day. */
export const MAX_VOICE_NOTE_MS = 24 * 60 * 60 * 1000

const messageText = text(MAX_TEXT_UNITS)
/** Of the same account. */
const ownTarget = messageIdCodec
/** A name that covers the author, see `shownIdOf` in peer/history. */
const target = bytes(32)
/** Of a change: the highest counts. Above every version that the device which makes the change has seen, and not below its clock. */
const version = uint()

/** Longest emoji, with its joiners, in UTF-16 code units. */
export const MAX_EMOJI_UNITS = 32
export const MAX_POLL_OPTIONS = 12
/** Longest option of a poll, in UTF-16 code units. */
export const MAX_OPTION_UNITS = 128
export const MAX_QUESTION_UNITS = 1_024
/** Numbers of the options that a person chose, from 0. */
export const pollChoicesCodec = list(uint(MAX_POLL_OPTIONS - 1), MAX_POLL_OPTIONS)

/**
 * One thing that all devices of an account agree on, such as a device's name. The highest `version` counts; of two that are
 * equal the one of the higher device id. Empty: back to what is so without it.
 */
export const syncItemCodec = struct({
  /** `<kind>/<of what>`. */
  name: text(96),
  value: bytesBetween(0, 1024),
  /** Above every version that the device which changed it had seen of the item, and not below its clock. */
  version: uint(),
  by: deviceIdCodec
})

/** Sequence numbers, from and to included. */
const ranges = list(struct({ from: uint(), to: uint() }), 32, 1)

/** Width or height of a picture. */
export const pixelsCodec = nullable(uint(65_535))

/** `number` on the wire, and the fields of version 1. */
export const messageKinds = {
  text: { number: 1, codec: struct({ text: messageText }) },
  reply: { number: 2, codec: struct({ target, text: messageText }) },
  /** One emoji of each person; null takes it back. */
  reaction: { number: 3, codec: struct({ target, emoji: nullable(text(MAX_EMOJI_UNITS)), version }) },
  edit: { number: 4, codec: struct({ target: ownTarget, text: messageText, version }) },
  /** For all. Nothing takes it back. */
  delete: { number: 5, codec: struct({ target: ownTarget }) },
  attachment: {
    number: 6,
    codec: struct({
      blob: blobCodec,
      name: text(255),
      caption: messageText,
      width: pixelsCodec,
      height: pixelsCodec,
      /** A small picture to show before the file is there. */
      thumbnail: nullable(bytesBetween(1, MAX_THUMBNAIL_BYTES))
    })
  },
  voiceNote: {
    number: 7,
    codec: struct({
      blob: blobCodec,
      durationMs: uint(MAX_VOICE_NOTE_MS),
      /** Loudness over time, 0 to 255. */
      waveform: bytesBetween(0, MAX_WAVEFORM_BYTES)
    })
  },
  receipt: {
    number: 8,
    codec: struct({ state: oneOf('delivered', 'read'), targets: list(messageIdCodec, MAX_RECEIPT_TARGETS, 1) })
  },
  typing: { number: 9, codec: struct({ active: bool }) },
  /** From now on messages of this conversation disappear this many seconds after they were read; `null`: they stay. */
  timer: { number: 10, codec: struct({ seconds: nullable(uint(MAX_EXPIRY_SECONDS)), version }) },
  /** The sender's profile, for those it talks to. The highest `revision` counts. */
  profile: {
    number: 11,
    codec: struct({
      revision: uint(),
      /** Empty if the sender gives none, or one that the rule for names refuses. */
      displayName: displayNameCodec,
      /** Without the @; believed once the directory agrees. */
      username: nullable(text(24)),
      about: text(MAX_ABOUT_UNITS),
      picture: nullable(blobCodec),
      /** 32 bytes that let the receiver deliver as a contact; see docs/protocol.md, "Envelope". */
      deliveryToken: nullable(bytes(32)),
      /** Web sites that the sender says are theirs; each is believed once the site says so, too. See identity/site.ts. */
      sites: list(siteCodec, MAX_SITES),
      /** Accounts elsewhere that the sender shows, each with the word of a node. See identity/linked-account.ts. */
      accounts: linkedAccountsCodec
    })
  },
  /** A grey line, such as "Ada renamed the group". The code names the sentence, the arguments fill it. */
  system: { number: 12, codec: struct({ code: text(32), arguments: list(text(256), 8) }) },
  /** Asks the other device for messages of its own that did not arrive; see conversation/resend.ts. */
  resendRequest: { number: 13, codec: struct({ ranges }) },
  /** A piece of the history that an own device hands to a new one. Counts from own devices only. */
  historyChunk: {
    number: 14,
    codec: struct({
      transferId: bytes(16),
      index: uint(),
      last: bool,
      data: bytesBetween(0, MAX_HISTORY_CHUNK_BYTES)
    })
  },
  /** The sending device has accepted these sessions of the other. */
  openedAck: { number: 15, codec: struct({ sessions: list(sessionIdCodec, MAX_RECEIPT_TARGETS, 1) }) },
  /** Hands over a conversation key of a device that opens no session; see session/key-update.ts. */
  keyUpdate: {
    number: 16,
    codec: struct({ index: uint(), publicKey: bytes(MESSAGING_KEY_BYTES), signature: bytes(SIGNATURE_BYTES) })
  },
  /** The sending device was asked for these messages of its own and does not have them any more. */
  gone: { number: 17, codec: struct({ ranges }) },
  /** What the own devices agree on has changed. Counts in the conversation of an account with itself only. */
  sync: { number: 18, codec: struct({ items: list(syncItemCodec, 32, 1) }) },
  /**
   * What one own device knows of messages and the others may not: that people have got them (`delivered`, `read`), that they
   * were read here (`seen`), or that the user does not want to see them any more (`hidden`). Counts as `sync`.
   */
  ownMarks: {
    number: 19,
    codec: struct({
      conversationId: bytes(32),
      mark: oneOf('delivered', 'read', 'seen', 'hidden'),
      /** Names of the messages, see `shownIdOf`. */
      messages: list(bytes(32), MAX_RECEIPT_TARGETS, 1)
    })
  },
  /** A new device asks an own one for pieces of the history, from a cursor that came with the piece before. */
  historyRequest: {
    number: 20,
    codec: struct({
      transferId: bytes(16),
      index: uint(),
      cursor: bytesBetween(0, MAX_HISTORY_CURSOR_BYTES),
      count: uint(MAX_HISTORY_CHUNKS_ASKED)
    })
  },
  /** The number of the sender's next message in this conversation: who has fewer misses the last ones. */
  head: { number: 21, codec: struct({ next: uint() }) },
  /** What the sending device was shown; see audit/seen.ts. */
  seen: { number: 22, codec: seenCodec },
  /**
   * Changes of a group's log. In a session of the group: the sender has made those named by `heads`, which came with the Open; a
   * change in `changes` came with no Open, such as the sender's own leaving. Between two devices, and between own ones: changes
   * that the other may lack, each after those that it names.
   */
  groupLog: {
    number: 30,
    codec: struct({
      groupId: bytes<ConversationId>(32),
      heads: list(bytes(32), MAX_GROUP_HEADS),
      changes: list(bytesBetween(1, MAX_GROUP_CHANGE_BYTES + 128), MAX_GROUP_LOG_MESSAGE_CHANGES)
    })
  },
  /** In a direct conversation: the sender has a link of the other and asks to be added to its group. */
  groupJoin: { number: 31, codec: struct({ secret: bytes(32) }) },
  /** The sender has accepted an invitation of the other account; see invite/invite-link.ts. */
  inviteAccepted: { number: 32, codec: struct({ proof: bytes(32) }) },
  /**
   * In a direct conversation, from device to device: whether the sender looks at Volo now, and in which minute they did last (null if
   * the device does not know). A question asks the other device for the same.
   */
  presence: { number: 33, codec: struct({ isQuestion: bool, isHere: bool, lastHere: nullable(uint()) }) },
  /** The sender knows the word that the other person wants to hear of strangers; see identity/first-word.ts. */
  firstWord: { number: 34, codec: struct({ proof: bytes(32) }) },
  /** Shows a message at the top of the conversation, for all. */
  pin: { number: 48, codec: struct({ target, isPinned: bool, version }) },
  poll: {
    number: 49,
    codec: struct({
      question: text(MAX_QUESTION_UNITS),
      options: list(text(MAX_OPTION_UNITS), MAX_POLL_OPTIONS, 2),
      /** Whether a person may choose several. */
      isMultiple: bool
    })
  },
  /** What a person chooses of a poll, instead of what they chose before; nothing takes it back. */
  vote: { number: 50, codec: struct({ target, choices: pollChoicesCodec, version }) },
  /** A text out of another message, perhaps of another person. Who wrote it is not told. */
  forward: { number: 51, codec: struct({ text: messageText }) },
  /** The user wants to find a message again. Counts as `sync`. */
  star: { number: 52, codec: struct({ conversationId: bytes(32), target, isStarred: bool, version }) }
} as const
