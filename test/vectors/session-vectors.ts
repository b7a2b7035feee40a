/**
 * Fixed values of suite volo/1: how they are made from a seed, and what any implementation must make of them. All is
 * deterministic but the sealed parts, whose encapsulation uses the platform's randomness; the file keeps one of each,
 * so that decapsulation is fixed.
 */
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { encodeMessage, type Message, type MessageBody, type MessageId } from '../../protocol/conversation/message.ts'
import { decodeRoster, encodeRoster, rosterHash, type GroupHead } from '../../protocol/roster/roster.ts'
import { conversationNumber, personNumber } from '../../protocol/conversation/safety-number.ts'
import { createNobleCrypto } from '../../protocol/crypto/noble.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { parseSite } from '../../protocol/identity/site.ts'
import type { AccountId, DeviceId, RecordId } from '../../protocol/identity/device.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { acceptOpen, readOpen } from '../../protocol/session/accept.ts'
import { contextHash, type SessionId } from '../../protocol/session/context.ts'
import type { Environment } from '../../protocol/environment.ts'
import { decryptMessage, type Inbound } from '../../protocol/session/inbound.ts'
import {
  bodyKey,
  commitmentOf,
  firstChainKey,
  messageCipherKey,
  stepChain
} from '../../protocol/session/key-schedule.ts'
import { messageHash } from '../../protocol/session/message-hash.ts'
import { decodeMessagePacket } from '../../protocol/session/message-packet.ts'
import { encryptMessage } from '../../protocol/session/outbound.ts'
import { decodePacket, encodePacket } from '../../protocol/session/packet.ts'
import { padToBucket } from '../../protocol/session/padding.ts'
import { openPairPacket, sealPairPacket } from '../../protocol/session/pair-channel.ts'
import type { PairContent } from '../../protocol/session/pair-packet.ts'
import { Secret } from '../../protocol/secret.ts'
import { pairingCommitment, pairingSecret, pairTag, type PairDirection } from '../../protocol/session/pairing.ts'
import type { SealKeyId } from '../../protocol/session/seal-key.ts'
import {
  createAccount,
  openTo,
  partFor,
  rosterOf,
  seededRandom,
  testEnvironment
} from '../unit/protocol/session/fixtures.ts'

const SEED = 'volo session vectors 1'
const EMPTY: Uint8Array = new Uint8Array(0)

export interface SessionVectors {
  description: string
  network: string
  keySchedule: {
    secret: string
    contextHash: string
    commitment: string
    bodyKey: string
    bodyNonce: string
    chain: { chainKey: string; messageKey: string; key: string; nonce: string }[]
  }
  padding: { contentBytes: number; paddedBytes: number }[]
  messages: { kind: string; encoded: string }[]
  roster: { encoded: string; hash: string; conversationNumber: string; personNumbers: string[] }
  open: {
    /** Milliseconds. */
    now: number
    recipient: string
    keyId: string
    keySeed: string
    openBody: string
    part: string
    secret: string
    contextHash: string
    conversationKeyId: string
    joined: number[]
  }
  packets: {
    packet: string
    sequence: number | null
    predecessor: string | null
    content: string
    hash: string | null
  }[]
  pairing: {
    root: string
    sessionId: string
    receiver: string
    secret: string
    commitment: string
    tags: { direction: PairDirection; tag: string }[]
    packets: { direction: PairDirection; packet: string; sentAt: number; contents: string[] }[]
    refused: { name: string; direction: PairDirection; packet: string; code: string }[]
  }
  refusedOpens: { name: string; openBody: string; part: string; code: string }[]
  refusedPackets: { name: string; packet: string; code: string }[]
}

/** Makes the vectors anew; only `open.part` and what is derived from it differ from run to run. */
export async function makeSessionVectors(): Promise<SessionVectors> {
  const noble = createNobleCrypto(length => crypto.getRandomValues(new Uint8Array(length)))
  const env = testEnvironment(SEED, noble)
  const ada = await createAccount(env, 2)
  const bob = await createAccount(env, 2)
  const roster = rosterOf(env, ada, bob)
  const [a1, a2] = ada.devices
  const [b1, b2] = bob.devices
  const opened = await openTo(env, a1!, roster, [a2!, b1!, b2!])
  const key = b1!.weekly.keys[0]!
  const part = partFor(opened, b1!.deviceId)
  const recipient = b1!.deviceId
  const held = [{ keyId: key.keyId, seed: key.seed, conversationId: null, index: null }]
  const read = await readOpen(env, recipient, held, opened.openBody, part)
  const { context, joined } = read.content
  const secret = read.secret.slice()

  const packets: SessionVectors['packets'] = []
  let outbound = opened.outbound
  for (const body of [bodies[0]!, bodies[7]!, bodies[1]!]) {
    const content = encodeMessage(messageOf(body))
    const sent = await encryptMessage(env, outbound, content, body.kind !== 'receipt')
    outbound = sent.outbound
    const { sequence, predecessor } = sent
    const sender = { conversationId: roster.conversationId, deviceId: a1!.deviceId }
    const hash = predecessor && messageHash(noble, env.network, sender, sequence!, predecessor, content)
    packets.push({
      packet: toHex(sent.packet),
      sequence,
      predecessor: predecessor && toHex(predecessor),
      content: toHex(content),
      hash: hash && toHex(hash)
    })
  }
  return {
    description:
      'Suite volo/1: see docs/sessions.md. Made by test/vectors/generate-session-vectors.ts. Bytes are lower-case hex.',
    network: toHex(env.network),
    keySchedule: keyScheduleVectors(noble, env.network),
    padding: [0, 1, 255, 256, 1023, 1024, 4095, 16_383, 16_384, 61_439].map(contentBytes => ({
      contentBytes,
      paddedBytes: padToBucket(new Uint8Array(contentBytes)).length
    })),
    messages: bodies.map(body => ({ kind: body.kind, encoded: toHex(encodeMessage(messageOf(body))) })),
    roster: {
      encoded: toHex(encodeRoster(roster)),
      hash: toHex(rosterHash(noble, env.network, roster)),
      conversationNumber: conversationNumber(noble, env.network, roster),
      personNumbers: roster.members.map(({ accountId }) => personNumber(noble, env.network, accountId))
    },
    open: {
      now: env.now(),
      recipient: toHex(recipient),
      keyId: toHex(key.keyId),
      keySeed: toHex(key.seed.expose()),
      openBody: toHex(opened.openBody),
      part: toHex(part),
      secret: toHex(secret),
      contextHash: toHex(contextHash(noble, env.network, context)),
      conversationKeyId: toHex(context.conversationKeyId),
      joined
    },
    packets,
    pairing: pairingVectors(env),
    refusedOpens: refusedOpens(opened.openBody, part, partFor(opened, b2!.deviceId)),
    refusedPackets: refusedPackets(fromHex(packets[0]!.packet))
  }
}

function keyScheduleVectors(noble: Crypto, network: NetworkId): SessionVectors['keySchedule'] {
  const random = seededRandom(noble, 'key schedule')
  const secret = random(32)
  const hash = random(32)
  const commitment = commitmentOf(noble, network, secret)
  const body = bodyKey(noble, network, secret, commitment)
  const chain = []
  let chainKey = firstChainKey(noble, network, secret, hash)
  for (let counter = 0; counter < 4; counter++) {
    const { messageKey, next } = stepChain(noble, chainKey)
    const { key, nonce } = messageCipherKey(noble, network, messageKey)
    chain.push({ chainKey: toHex(chainKey), messageKey: toHex(messageKey), key: toHex(key), nonce: toHex(nonce) })
    chainKey = next
  }
  return {
    secret: toHex(secret),
    contextHash: toHex(hash),
    commitment: toHex(commitment),
    bodyKey: toHex(body.key),
    bodyNonce: toHex(body.nonce),
    chain
  }
}

const DIRECTIONS: PairDirection[] = ['to-opener', 'from-opener']

function pairingVectors(env: Environment): SessionVectors['pairing'] {
  const { crypto: noble, network } = env
  const random = seededRandom(noble, 'pairing')
  const root = random(32)
  const sessionId = random(16) as SessionId
  const receiver = random(16) as DeviceId
  const secret = pairingSecret(noble, network, root, sessionId, receiver)
  const seal = (direction: PairDirection, content: PairContent) =>
    encodePacket({
      kind: 'pair',
      ...sealPairPacket({ ...env, random }, { secret: new Secret(secret), sessionId, direction }, content)
    })
  const contents = [encodeMessage(messageOf(bodies[14]!)), encodeMessage(messageOf(bodies[7]!))]
  const frames = contents.map(content => ({ sequence: null, predecessor: null, content }))
  const sentAt = env.now()
  const packets = DIRECTIONS.map(direction => ({
    direction,
    packet: toHex(seal(direction, { sentAt, frames })),
    sentAt,
    contents: contents.map(toHex)
  }))
  const packet = fromHex(packets[0]!.packet)
  const refused: [string, PairDirection, Uint8Array, string][] = [
    ['reflected to its sender', 'from-opener', packet, 'DECRYPT_FAILED'],
    ['changed tag', 'to-opener', flipped(packet, 5), 'DECRYPT_FAILED'],
    ['changed salt', 'to-opener', flipped(packet, 22), 'DECRYPT_FAILED'],
    ['changed ciphertext', 'to-opener', flipped(packet, 100), 'DECRYPT_FAILED'],
    ['truncated', 'to-opener', packet.slice(0, -1), 'MALFORMED']
  ]
  return {
    root: toHex(root),
    sessionId: toHex(sessionId),
    receiver: toHex(receiver),
    secret: toHex(secret),
    commitment: toHex(pairingCommitment(noble, network, secret)),
    tags: DIRECTIONS.map(direction => ({
      direction,
      tag: toHex(pairTag(noble, network, secret, sessionId, direction))
    })),
    packets,
    refused: refused.map(([name, direction, bytes, code]) => ({ name, direction, packet: toHex(bytes), code }))
  }
}

const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value)
const ownTarget = filled(16, 5) as MessageId
const target = filled(32, 6)
const version = 1_800_000_000_000
const blob = { hash: filled(32, 1), size: 1000, key: filled(32, 2), mediaType: 'image/jpeg', nodes: [filled(32, 6)] }

/** One message of each kind, in the order of their numbers. */
export const bodies: MessageBody[] = [
  { kind: 'text', text: 'Hello, Bob. 👋' },
  { kind: 'reply', target, text: 'Hello, Ada.' },
  { kind: 'reaction', target, emoji: '👍', version },
  { kind: 'edit', target: ownTarget, text: 'Hello!', version },
  { kind: 'delete', target: ownTarget },
  { kind: 'attachment', blob, name: 'a.jpg', caption: 'Us', width: 640, height: 480, thumbnail: filled(4, 3) },
  { kind: 'voiceNote', blob: { ...blob, mediaType: 'audio/ogg' }, durationMs: 4_000, waveform: filled(8, 9) },
  { kind: 'receipt', state: 'read', targets: [ownTarget] },
  { kind: 'typing', active: true },
  { kind: 'timer', seconds: 86_400, version },
  {
    kind: 'profile',
    revision: 3,
    displayName: 'Ada',
    username: 'ada',
    about: '',
    picture: blob,
    deliveryToken: filled(32, 4),
    sites: [parseSite('ada.example')],
    accounts: []
  },
  { kind: 'system', code: 'group-renamed', arguments: ['Ada', 'Friends'] },
  { kind: 'resendRequest', ranges: [{ from: 3, to: 7 }] },
  { kind: 'historyChunk', transferId: filled(16, 7), index: 1, last: true, data: filled(5, 8) },
  { kind: 'openedAck', sessions: [filled(16, 9) as SessionId] },
  { kind: 'keyUpdate', index: 2, publicKey: filled(1216, 11), signature: filled(64, 12) },
  { kind: 'gone', ranges: [{ from: 3, to: 4 }] },
  {
    kind: 'sync',
    items: [{ name: 'device-name/ab', value: filled(3, 13), version: 7, by: filled(16, 14) as DeviceId }]
  },
  { kind: 'ownMarks', conversationId: filled(32, 15), mark: 'seen', messages: [filled(32, 16)] },
  { kind: 'historyRequest', transferId: filled(16, 7), index: 4, cursor: filled(9, 17), count: 8 },
  { kind: 'head', next: 12 },
  {
    kind: 'seen',
    senders: [{ deviceId: filled(16, 19) as DeviceId, next: 3, hash: filled(16, 20) }],
    groupHeads: [filled(32, 21) as GroupHead],
    records: { height: 40, root: filled(16, 22) },
    accounts: [{ accountId: filled(32, 23) as AccountId, head: filled(32, 24) as RecordId }],
    release: { version: '0.1.0', hash: filled(32, 25) },
    asks: true
  },
  { kind: 'inviteAccepted', proof: filled(32, 18) },
  { kind: 'pin', target, isPinned: true, version },
  { kind: 'poll', question: 'Tea or coffee?', options: ['tea', 'coffee'], isMultiple: false },
  { kind: 'vote', target, choices: [1], version },
  { kind: 'forward', text: 'heard elsewhere' },
  { kind: 'star', conversationId: filled(32, 15), target, isStarred: true, version }
]

function messageOf(body: MessageBody): Message {
  return { messageId: filled(16, 10) as MessageId, sentAt: 1_790_000_000_000, expiresAfter: null, body }
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice()
  copy.set([copy.at(at)! ^ 1], at < 0 ? copy.length + at : at)
  return copy
}

function refusedOpens(openBody: Uint8Array, part: Uint8Array, otherPart: Uint8Array): SessionVectors['refusedOpens'] {
  const cases: [string, Uint8Array, Uint8Array, string][] = [
    ['part of another device', openBody, otherPart, 'NOT_FOR_US'],
    ['changed body', flipped(openBody, -1), part, 'NOT_FOR_US'],
    ['changed key tag', openBody, flipped(part, 3), 'NOT_FOR_US'],
    ['changed encapsulation', openBody, flipped(part, 100), 'DECRYPT_FAILED'],
    ['changed sealed secret', openBody, flipped(part, -1), 'DECRYPT_FAILED'],
    ['truncated part', openBody, part.slice(0, -1), 'MALFORMED'],
    ['empty part', openBody, EMPTY, 'MALFORMED']
  ]
  return cases.map(([name, body, own, code]) => ({ name, openBody: toHex(body), part: toHex(own), code }))
}

function refusedPackets(packet: Uint8Array): SessionVectors['refusedPackets'] {
  const cases: [string, Uint8Array, string][] = [
    ['changed session id', flipped(packet, 5), 'NOT_FOR_US'],
    ['changed counter', flipped(packet, 18), 'DECRYPT_FAILED'],
    ['changed ciphertext', flipped(packet, 200), 'DECRYPT_FAILED'],
    ['changed tag', flipped(packet, -1), 'DECRYPT_FAILED'],
    ['truncated', packet.slice(0, -1), 'MALFORMED'],
    ['bytes after the end', Uint8Array.of(...packet, 0), 'MALFORMED']
  ]
  return cases.map(([name, bytes, code]) => ({ name, packet: toHex(bytes), code }))
}

async function codeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run()
    return 'accepted'
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
}

/** Checks one backend against the file. @returns what differs; nothing if all is as it must be. */
export async function checkSessionVectors(vectors: SessionVectors, backend: Crypto): Promise<string[]> {
  const { open } = vectors
  const network = fromHex(vectors.network) as NetworkId
  const env: Environment = { crypto: backend, network, random: seededRandom(backend, 'check'), now: () => open.now }
  const problems: string[] = []
  const same = (what: string, actual: unknown, expected: unknown) => {
    if (JSON.stringify(actual) !== JSON.stringify(expected)) problems.push(`${what}: ${String(actual)}`)
  }
  same('key schedule', keyScheduleVectors(backend, network), vectors.keySchedule)
  const roster = decodeRoster(fromHex(vectors.roster.encoded))
  same('roster hash', toHex(rosterHash(backend, network, roster)), vectors.roster.hash)
  same('conversation number', conversationNumber(backend, network, roster), vectors.roster.conversationNumber)
  const numbers = roster.members.map(({ accountId }) => personNumber(backend, network, accountId))
  same('person numbers', numbers, vectors.roster.personNumbers)

  const made = pairingVectors({ ...env, now: () => vectors.pairing.packets[0]!.sentAt })
  same('pairing', made, vectors.pairing)
  const secret = fromHex(vectors.pairing.secret)
  const sessionId = fromHex(vectors.pairing.sessionId) as SessionId
  const openPair = async (direction: PairDirection, bytes: string) => {
    const packet = decodePacket(fromHex(bytes))
    if (packet.kind !== 'pair') throw new Error('not a packet between two')
    return openPairPacket(env, { secret: new Secret(secret), sessionId, direction }, packet)
  }
  for (const { direction, packet, contents } of vectors.pairing.packets) {
    const { frames } = await openPair(direction, packet)
    same(
      `packet ${direction}`,
      frames.map(({ content }) => toHex(content)),
      contents
    )
  }
  for (const { name, direction, packet, code } of vectors.pairing.refused) {
    same(name, await codeOf(() => openPair(direction, packet)), code)
  }

  const deviceId = fromHex(open.recipient) as DeviceId
  const keyId = fromHex(open.keyId) as SealKeyId
  const held = [{ keyId, seed: new Secret(fromHex(open.keySeed)), conversationId: null, index: null }]
  const accept = async (openBody: string, part: string) => {
    const read = await readOpen(env, deviceId, held, fromHex(openBody), fromHex(part))
    same('secret', toHex(read.secret), open.secret)
    return acceptOpen(env, { deviceId, open: read, roster, seen: undefined, peerKey: undefined })
  }
  const accepted = await accept(open.openBody, open.part)
  same('context hash', toHex(accepted.inbound.contextHash), open.contextHash)
  same('conversation key', toHex(accepted.context.conversationKeyId), open.conversationKeyId)
  const decrypt = (inbound: Inbound, packet: string) =>
    decryptMessage(env, inbound, decodeMessagePacket(fromHex(packet)))
  let { inbound } = accepted
  for (const expected of vectors.packets) {
    const decrypted = await decrypt(inbound, expected.packet)
    inbound = decrypted.inbound
    const { sequence, predecessor, content } = decrypted.frame
    same('sequence', sequence, expected.sequence)
    same('predecessor', predecessor && toHex(predecessor), expected.predecessor)
    same('content', toHex(content), expected.content)
  }
  for (const { name, openBody, part, code } of vectors.refusedOpens) {
    same(name, await codeOf(() => accept(openBody, part)), code)
  }
  for (const { name, packet, code } of vectors.refusedPackets) {
    same(name, await codeOf(() => decrypt(accepted.inbound, packet)), code)
  }
  return problems
}
