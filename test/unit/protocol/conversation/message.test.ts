import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeCbor, type Cbor } from '../../../../protocol/cbor.ts'
import {
  createMessageId,
  decodeMessage,
  encodeMessage,
  isBetweenTwo,
  isSequenced,
  type Message,
  type MessageBody,
  type MessageId
} from '../../../../protocol/conversation/message.ts'
import {
  MAX_HISTORY_CHUNK_BYTES,
  MAX_RECEIPT_TARGETS,
  messageKinds
} from '../../../../protocol/conversation/message-kinds.ts'
import { ProtocolError } from '../../../../protocol/errors.ts'
import { MAX_TEXT_UNITS } from '../../../../protocol/limits.ts'
import { parseSite } from '../../../../protocol/identity/site.ts'
import type { AccountId, DeviceId, RecordId } from '../../../../protocol/identity/device.ts'
import type { GroupHead } from '../../../../protocol/roster/roster.ts'
import type { SessionId } from '../../../../protocol/session/context.ts'
import { MAX_CONTENT_BYTES } from '../../../../protocol/session/message-packet.ts'
import { seededRandom, START, testEnvironment } from '../session/fixtures.ts'

const refused = (code: string) => expect.objectContaining({ name: 'ProtocolError', code })
const ownTarget = new Uint8Array(16).fill(5) as MessageId
const target = new Uint8Array(32).fill(6)
const version = START
const blob = {
  hash: new Uint8Array(32),
  size: 100,
  key: new Uint8Array(32).fill(1),
  mediaType: 'image/jpeg',
  nodes: []
}

/** One of every kind. */
const bodies: MessageBody[] = [
  { kind: 'text', text: 'Hello, Bob. 👋 שלום' },
  { kind: 'reply', target, text: 'yes' },
  { kind: 'reaction', target, emoji: '👍', version },
  { kind: 'edit', target: ownTarget, text: 'Hello!', version },
  { kind: 'delete', target: ownTarget },
  { kind: 'attachment', blob, name: 'a.jpg', caption: '', width: 640, height: 480, thumbnail: null },
  { kind: 'voiceNote', blob, durationMs: 4_000, waveform: Uint8Array.of(1, 2, 3) },
  { kind: 'receipt', state: 'read', targets: [ownTarget] },
  { kind: 'typing', active: true },
  { kind: 'presence', isQuestion: true, isHere: false, lastHere: 1_800_000_000_000 },
  { kind: 'timer', seconds: 86_400, version },
  {
    kind: 'profile',
    revision: 3,
    displayName: 'Ada',
    username: 'ada',
    about: '',
    picture: blob,
    deliveryToken: new Uint8Array(32),
    sites: [parseSite('ada.example')],
    accounts: [
      { provider: 'x', handle: 'ada', time: 5, nodeKey: new Uint8Array(32), nodeSignature: new Uint8Array(64) }
    ]
  },
  { kind: 'system', code: 'group-renamed', arguments: ['Ada', 'Friends'] },
  { kind: 'resendRequest', ranges: [{ from: 3, to: 7 }] },
  { kind: 'historyChunk', transferId: new Uint8Array(16), index: 0, last: true, data: new Uint8Array(10) },
  {
    kind: 'openedAck',
    sessions: [new Uint8Array(16) as SessionId]
  },
  { kind: 'keyUpdate', index: 2, publicKey: new Uint8Array(1216), signature: new Uint8Array(64) },
  { kind: 'gone', ranges: [{ from: 3, to: 4 }] },
  {
    kind: 'sync',
    items: [{ name: 'device-name/ab', value: new Uint8Array(3), version: START, by: new Uint8Array(16) as DeviceId }]
  },
  { kind: 'ownMarks', conversationId: new Uint8Array(32), mark: 'seen', messages: [new Uint8Array(32)] },
  { kind: 'groupLog', groupId: new Uint8Array(32) as never, heads: [new Uint8Array(32)], changes: [new Uint8Array(9)] },
  { kind: 'groupJoin', secret: new Uint8Array(32) },
  { kind: 'historyRequest', transferId: new Uint8Array(16), index: 4, cursor: new Uint8Array(9), count: 8 },
  { kind: 'head', next: 12 },
  {
    kind: 'seen',
    senders: [{ deviceId: new Uint8Array(16).fill(1) as DeviceId, next: 3, hash: new Uint8Array(16).fill(2) }],
    groupHeads: [new Uint8Array(32).fill(3) as GroupHead],
    records: { height: 40, root: new Uint8Array(16).fill(4) },
    accounts: [{ accountId: new Uint8Array(32).fill(5) as AccountId, head: new Uint8Array(32).fill(6) as RecordId }],
    release: { version: '0.1.0', hash: new Uint8Array(32).fill(7) },
    asks: true
  },
  { kind: 'inviteAccepted', proof: new Uint8Array(32) },
  { kind: 'firstWord', proof: new Uint8Array(32) },
  { kind: 'pin', target, isPinned: true, version },
  { kind: 'poll', question: 'Tea or coffee?', options: ['tea', 'coffee'], isMultiple: false },
  { kind: 'vote', target, choices: [1], version },
  { kind: 'forward', text: 'heard elsewhere' },
  { kind: 'star', conversationId: new Uint8Array(32), target, isStarred: true, version }
]

const messageOf = (body: MessageBody, expiresAfter: number | null = null): Message => ({
  messageId: ownTarget,
  sentAt: START,
  expiresAfter,
  body
})

describe('a message', () => {
  it.each(bodies.map(body => [body.kind, body] as const))('of kind %s comes back as it was', (_, body) => {
    expect(decodeMessage(encodeMessage(messageOf(body, 60)))).toEqual(messageOf(body, 60))
  })

  it('exists in every kind that has a number, and numbers are unique', () => {
    expect(bodies.map(({ kind }) => kind).sort()).toEqual(Object.keys(messageKinds).sort())
    const taken = Object.values(messageKinds).map(({ number }) => number)
    expect(new Set(taken).size).toBe(taken.length)
  })

  const raw = (body: Cbor) => encodeCbor([ownTarget, START, null, body])

  it.each([
    ['an unknown kind', [999, 1, 'from the future', [1, 2]]],
    ['a newer version of a known kind', [1, 2, 'bold text', ['b', 0, 4]]]
  ] as [string, Cbor[]][])('of %s is kept, and comes back byte for byte', (_, body) => {
    const decoded = decodeMessage(raw(body))
    expect(decoded.body).toMatchObject({ kind: 'unsupported', kindNumber: body[0], version: body[1] })
    expect(encodeMessage(decoded)).toEqual(raw(body))
    expect(isSequenced(decoded.body.kind)).toBe(true)
  })

  it('of a known kind with missing, extra or wrong fields is refused', () => {
    for (const body of [
      [1, 1],
      [1, 1, 'a', 'b'],
      [1, 1, 5],
      [5, 1, new Uint8Array(15)],
      [1],
      [],
      'text',
      ['1', 1, 'a']
    ]) {
      expect(() => decodeMessage(raw(body as Cbor))).toThrow(refused('MALFORMED'))
    }
  })

  it('of the longest text fits, in any script, and one character more does not', () => {
    for (const character of ['a', 'é', '漢', '😀']) {
      const longest = character.repeat(MAX_TEXT_UNITS / character.length)
      const encoded = encodeMessage(messageOf({ kind: 'text', text: longest }))
      expect(encoded.length).toBeLessThanOrEqual(MAX_CONTENT_BYTES)
    }
    const tooLong = { kind: 'text', text: 'a'.repeat(MAX_TEXT_UNITS + 1) } as const
    expect(() => encodeMessage(messageOf(tooLong))).toThrow(refused('MALFORMED'))
  })

  it('of any kind fits at its largest', () => {
    const largest: MessageBody[] = [
      { kind: 'receipt', state: 'delivered', targets: Array.from({ length: MAX_RECEIPT_TARGETS }, () => ownTarget) },
      {
        kind: 'historyChunk',
        transferId: new Uint8Array(16),
        index: 1,
        last: false,
        data: new Uint8Array(MAX_HISTORY_CHUNK_BYTES)
      },
      {
        kind: 'openedAck',
        sessions: Array.from({ length: MAX_RECEIPT_TARGETS }, () => new Uint8Array(16) as SessionId)
      }
    ]
    for (const body of largest) expect(encodeMessage(messageOf(body)).length).toBeLessThanOrEqual(MAX_CONTENT_BYTES)
  })

  it('with a fraction or a time before 1970 is not sent', () => {
    expect(() => encodeMessage({ ...messageOf({ kind: 'typing', active: true }), sentAt: 1.5 })).toThrow(ProtocolError)
    expect(() => encodeMessage({ ...messageOf({ kind: 'typing', active: true }), sentAt: -1 })).toThrow(ProtocolError)
  })

  it('of any bytes is refused with an error of ours', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
        try {
          decodeMessage(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
        }
      }),
      { numRuns: 500 }
    )
  })

  it('has an id of its own', () => {
    const { crypto } = testEnvironment()
    const random = seededRandom(crypto, 'ids')
    expect(createMessageId(random)).toHaveLength(16)
    expect(createMessageId(random)).not.toEqual(createMessageId(random))
  })

  it('takes a place in the sequence only if its loss would matter', () => {
    const outside = bodies.filter(({ kind }) => !isSequenced(kind)).map(({ kind }) => kind)
    expect(outside).toEqual([
      'receipt',
      'typing',
      'presence',
      'resendRequest',
      'historyChunk',
      'openedAck',
      'keyUpdate',
      'gone',
      'historyRequest',
      'head',
      'seen'
    ])
  })

  it('goes to one device alone if it is none of the others’ business', () => {
    expect(bodies.filter(({ kind }) => isBetweenTwo(kind)).map(({ kind }) => kind)).toEqual([
      'receipt',
      'typing',
      'presence',
      'resendRequest',
      'historyChunk',
      'openedAck',
      'keyUpdate',
      'gone',
      'historyRequest',
      'seen'
    ])
  })
})
