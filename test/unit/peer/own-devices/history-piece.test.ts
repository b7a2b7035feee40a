import { describe, expect, it } from 'vitest'
import { MAX_HISTORY_CHUNK_BYTES } from '../../../../protocol/conversation/message-kinds.ts'
import type { ConversationId } from '../../../../protocol/roster/roster.ts'
import type { AccountId, DeviceId } from '../../../../protocol/identity/device.ts'
import { toHex } from '../../../../protocol/bytes.ts'
import { decodePiece, encodePiece, rowBytes, type HistoryPiece } from '../../../../peer/own-devices/history-piece.ts'
import type { MessageRow } from '../../../../peer/store/conversation-entries.ts'

const filled = <T extends Uint8Array>(length: number, value: number): T => new Uint8Array(length).fill(value) as T
const accountId = filled<AccountId>(32, 1)
const deviceId = filled<DeviceId>(16, 2)
const conversationId = filled<ConversationId>(32, 3)
const setBy = { accountId, deviceId, version: 1 }

const plain: MessageRow = {
  messageId: filled(16, 4),
  conversationId,
  from: accountId,
  device: deviceId,
  mine: true,
  kind: 'text',
  text: 'a',
  line: null,
  sentAt: 1,
  receivedAt: 1,
  state: 'sent',
  problem: null,
  readTold: false,
  file: null,
  replyTo: null,
  isForwarded: false,
  poll: null,
  expiresAfter: null,
  expiresAt: null,
  amendments: null
}
const person = { accountId: toHex(accountId), name: '', isMe: false }

/** Each has the deepest form of one part of a row. */
const rows: Record<string, MessageRow> = {
  'a line that names people of a group': {
    ...plain,
    kind: 'system',
    line: { kind: 'group', what: 'added', by: person, who: [person, person], text: '' }
  },
  'a file with a picture and a waveform': {
    ...plain,
    kind: 'file',
    file: {
      hash: filled(32, 5),
      size: 1,
      key: filled(32, 6),
      name: 'a.ogg',
      mediaType: 'audio/ogg',
      nodes: [filled(32, 7)],
      width: 1,
      height: 1,
      thumbnail: filled(8, 8),
      voice: { durationMs: 1, waveform: filled(8, 9) }
    }
  },
  'a poll with votes, and all else that is said about a message': {
    ...plain,
    kind: 'poll',
    poll: { options: ['a', 'b'], isMultiple: true },
    amendments: {
      isHidden: false,
      isDeleted: false,
      edit: { ...setBy, text: '', at: 1 },
      reactions: [{ ...setBy, emoji: '👍' }],
      votes: [{ ...setBy, choices: [0, 1] }],
      pin: { ...setBy, isPinned: true },
      star: { ...setBy, isStarred: true }
    }
  }
}

const pieceWith = (some: MessageRow[]): HistoryPiece => ({
  from: new Uint8Array(),
  next: new Uint8Array(),
  chats: 1,
  chatsTotal: 1,
  items: [],
  ownToken: null,
  conversations: [
    {
      conversationId,
      accountId,
      kind: 'group',
      updatedAt: 1,
      isRead: true,
      username: null,
      displayName: null,
      deliveryToken: null,
      rows: some.map(row => ({ order: '1', row, behind: null })),
      timer: { accountId, deviceId, version: 1, seconds: 1 }
    }
  ],
  groupLogs: [{ groupId: conversationId, changes: [filled(8, 1)] }]
})

describe('a piece of history', () => {
  it.each(Object.entries(rows))('comes back as it was, with %s', (_, row) => {
    const piece = pieceWith([row])
    expect(decodePiece(encodePiece(piece))).toEqual(piece)
  })

  it('comes back with as many of the shortest messages as it has room for', () => {
    const size = rowBytes({ order: '1', row: plain, behind: null })
    const count = Math.floor((MAX_HISTORY_CHUNK_BYTES - 512) / size)
    const piece = pieceWith(Array.from({ length: count }, () => plain))
    expect(decodePiece(encodePiece(piece))).toEqual(piece)
  })
})
