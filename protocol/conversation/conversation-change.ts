/**
 * One packet goes into a conversation, and one complete change comes out: the state of its session, the order of its
 * sender's messages, what is remembered, what is shown, what is owed to the sender. Only this file makes a
 * {@link ConversationChange}, and the only way to use one is {@link ConversationChange.applyTo}, which hands over every part,
 * in the one order in which they fit, once. So no caller can store a forgotten key without the message that it opened.
 *
 * Pure: state comes in as arguments; nothing is read, stored or sent here. A new kind of packet (of a group, of an own device) is one more function
 * that ends in `change({ … })`; a new part is one more field of {@link ChangeParts}, and nothing compiles until it is applied.
 */
import type { MessageHead } from '../audit/seen.ts'
import { equalBytes } from '../bytes.ts'
import type { Environment } from '../environment.ts'
import { ProtocolError } from '../errors.ts'
import type { AccountId } from '../identity/device.ts'
import { acceptOpen, type AcceptInit, type JoinedDevice } from '../session/accept.ts'
import type { SessionId } from '../session/context.ts'
import type { PeerKey } from '../session/conversation-keys.ts'
import { decryptMessage, supersedeInbound, surplusInbound, type Inbound } from '../session/inbound.ts'
import { acceptKeyUpdate } from '../session/key-update.ts'
import type { MessageFrame, MessagePacket } from '../session/message-packet.ts'
import type { AcceptedPairing } from '../session/pairing.ts'
import type { PairContent } from '../session/pair-packet.ts'
import type { SeenSession } from '../session/seen-session.ts'
import { decodeMessage, type BodyOf, type Message, type MessageBody, type MessageId } from './message.ts'
import {
  emptySequencer,
  markGone,
  noteSession,
  receiveMessage,
  releaseHeld,
  type Emission,
  type Sequencer,
  type SequencerStep
} from './sequencer.ts'
import type { PacketOrigin, Custody, Row, Control } from './packet-effects.ts'

/** All that one packet changes. What it leaves alone is `null` or empty. */
export interface ChangeParts {
  /** The members of a conversation that may be new here: it gets its row. Null in a group, whose log makes its row. */
  readonly members: readonly AccountId[] | null
  /** Receive states to store, with the one before, whose secrets are wiped once that is done. */
  readonly sessions: readonly { before: Inbound | null; after: Inbound }[]
  /** Receive states to erase. */
  readonly ended: readonly Inbound[]
  /** A session that never starts again. */
  readonly seen: SeenSession | null
  readonly peerKey: PeerKey | null
  /** Of a session that was just accepted. */
  readonly pairing: AcceptedPairing | null
  /** From where on each device of its roster gets what the sender says: what is earlier comes to a new one from an own device. */
  readonly joined: readonly JoinedDevice[]
  readonly sequencer: Sequencer | null
  /** Of the messages that are shown now: what other devices say that they were shown is compared with it. */
  readonly heads: readonly MessageHead[]
  /** In the order in which they are shown. */
  readonly rows: readonly Row[]
  readonly controls: readonly Control[]
  /** To be told to the sending device. */
  readonly owed: { readonly delivered: readonly MessageId[]; readonly opened: readonly SessionId[] }
  /** Whether its device was there just now. */
  readonly isHeard: boolean
}

/** What stores each part, as part of one batch. */
export type ChangeAppliers = {
  [Part in keyof ChangeParts]: (value: ChangeParts[Part], origin: PacketOrigin) => void | Promise<void>
}

/**
 * Nothing changes. Parts are applied in this order: the row of a conversation comes before what is shown in it, and what is
 * shown before what is said about it.
 */
const NOTHING: ChangeParts = {
  members: null,
  sessions: [],
  ended: [],
  seen: null,
  peerKey: null,
  pairing: null,
  joined: [],
  sequencer: null,
  heads: [],
  rows: [],
  controls: [],
  owed: { delivered: [], opened: [] },
  isHeard: false
}
const ORDER = Object.keys(NOTHING) as (keyof ChangeParts)[]

let change: (origin: PacketOrigin, isNew: boolean, parts: Partial<ChangeParts>) => ConversationChange

/** What one packet changes; see the top of this file. */
export class ConversationChange {
  readonly #origin: PacketOrigin
  readonly #isNew: boolean
  #parts: ChangeParts | undefined

  private constructor(origin: PacketOrigin, isNew: boolean, parts: ChangeParts) {
    this.#origin = origin
    this.#isNew = isNew
    this.#parts = parts
  }

  static {
    change = (origin, isNew, parts) => new ConversationChange(origin, isNew, { ...NOTHING, ...parts })
  }

  /** False for a copy of something that was taken in before. */
  get isNew(): boolean {
    return this.#isNew
  }

  /**
   * Hands each part to what stores it. They all belong to one batch.
   * @throws Error if it was applied before: a change is made for one state and fits no other.
   */
  async applyTo(appliers: ChangeAppliers): Promise<void> {
    const parts = this.#parts
    if (!parts) throw new Error('a change of a conversation is applied once')
    this.#parts = undefined
    const apply = async <Part extends keyof ChangeParts>(part: Part): Promise<void> =>
      appliers[part](parts[part], this.#origin)
    for (const part of ORDER) await apply(part)
  }
}

const originOf = ({ conversationId, senderAccount, senderDevice }: PacketOrigin): PacketOrigin => ({
  conversationId,
  senderAccount,
  senderDevice
})

/** What came after the removal of its device is not shown; what a node had before is. A thief's clock proves nothing. */
function isAfterRemoval({ storedAt, removedSince }: Custody): boolean {
  return removedSince !== undefined && storedAt > removedSince
}

/** What the store has for an Open. */
export interface OpenState {
  /** All receive states of the conversation. */
  inbounds: Inbound[]
  /** Of the sending device. */
  sequencer: Sequencer | undefined
  ownAccount: AccountId
}

/**
 * An Open that was read and whose roster is known starts a session. One that was accepted before is acknowledged again, unless
 * it comes out of this device's own store (`isRetry`).
 *
 * @throws ProtocolError as `acceptOpen`, without `REPLAYED`.
 */
export async function openChange(
  env: Environment,
  state: OpenState,
  init: AcceptInit,
  isRetry: boolean
): Promise<ConversationChange> {
  const { context, members } = init.open.content
  const { conversationId, senderDevice, sessionId } = context
  const origin = originOf(context)
  const owed = { delivered: [], opened: [sessionId] }
  const accepted = await acceptOpen(env, init).catch((error: unknown) => {
    if (error instanceof ProtocolError && error.code === 'REPLAYED') return undefined
    throw error
  })
  if (!accepted) return change(origin, false, isRetry ? {} : { owed })
  const { inbound, peerKey, seen, pairing, joined, since } = accepted
  const stored = [...supersedeInbound(state.inbounds, inbound, env.now()), inbound]
  const sequencer = state.sequencer ?? emptySequencer(conversationId, senderDevice)
  const step = noteSession(env, sequencer, { since, firstSequence: context.firstSequence })
  const shown = shownBy(origin, state.ownAccount, [step])
  return change(origin, true, {
    ...shown,
    members: members && members.map(({ accountId }) => accountId),
    sessions: stored.map(after => ({ before: null, after })),
    ended: surplusInbound([...state.inbounds, inbound], senderDevice),
    seen,
    peerKey,
    pairing,
    joined,
    owed: { ...owed, delivered: shown.owed.delivered }
  })
}

/**
 * An Open of a device that was removed before a node had it: a line says so. Its conversation may be new.
 * @param members - null in a group, whose log makes its row.
 */
export function refusedOpenChange(origin: PacketOrigin, members: readonly AccountId[] | null): ConversationChange {
  return change(originOf(origin), true, { members, rows: [{ kind: 'removed-device' }] })
}

/** What the store has for a message of a session. */
export interface MessageState {
  inbound: Inbound
  /** Of the sending device. */
  sequencer: Sequencer | undefined
  ownAccount: AccountId
}

/**
 * One message of a session that was accepted. Whatever it is, its key is used up.
 * @throws ProtocolError as `decryptMessage`; then nothing changes.
 */
export async function messageChange(
  env: Environment,
  { inbound, sequencer, ownAccount }: MessageState,
  packet: MessagePacket,
  custody: Custody
): Promise<ConversationChange> {
  const { frame, inbound: after } = await decryptMessage(env, inbound, packet)
  const sessions = [{ before: inbound, after }]
  const origin = originOf(inbound)
  if (isAfterRemoval(custody)) return change(origin, true, { sessions, rows: [{ kind: 'removed-device' }] })
  const order = sequencer ?? emptySequencer(origin.conversationId, origin.senderDevice)
  const step = sequenced(env, order, frame) ?? headStep(env, order, frame)
  // What else has no place is of no kind that goes to all. What two devices say comes on their own channel.
  if (!step) return change(origin, true, { sessions, isHeard: true })
  return change(origin, step.isNew ?? true, { ...shownBy(origin, ownAccount, [step]), sessions, isHeard: true })
}

/** What the store and the directory have for a packet of two devices. */
export interface PairState {
  sequencer: Sequencer | undefined
  peerKey: PeerKey | undefined
  /** Ed25519 key of the sending device, as the directory has it; undefined for one that was removed. */
  signingKey: Uint8Array | undefined
  /** The session that this device opened, on whose pairing the packet came; null where the other device opened it. */
  openedSession: SessionId | null
  ownAccount: AccountId
}

/** A packet of two devices that was opened. One of a removed device brings messages and receipts, but asks for nothing. */
export async function pairChange(
  env: Environment,
  from: PacketOrigin,
  state: PairState,
  { frames, sentAt }: PairContent,
  custody: Custody
): Promise<ConversationChange> {
  const origin = originOf(from)
  if (isAfterRemoval(custody)) return change(origin, true, { rows: [{ kind: 'removed-device' }] })
  let order = state.sequencer ?? emptySequencer(origin.conversationId, origin.senderDevice)
  const steps: SequencerStep[] = []
  const controls: Control[] = []
  let { peerKey } = state
  const isLive = custody.removedSince === undefined
  for (const frame of frames) {
    const body = frame.sequence === null ? decoded(frame.content)?.body : undefined
    const step = body?.kind === 'gone' ? markGone(order, body.ranges) : sequenced(env, order, frame)
    if (step) {
      steps.push(step)
      order = step.sequencer
    } else if (body?.kind === 'keyUpdate')
      peerKey = isLive ? await keyAfter(env, origin, state, peerKey, body) : peerKey
    else if (body?.kind === 'receipt' || body?.kind === 'openedAck') controls.push(body)
    else if (body?.kind === 'seen' && isLive) controls.push(body)
    else if ((body?.kind === 'typing' || body?.kind === 'presence') && isLive) controls.push({ ...body, sentAt })
    else if ((body?.kind === 'profile' || body?.kind === 'groupLog') && isLive) controls.push(body)
    else if (body?.kind === 'resendRequest' && isLive) {
      if (state.openedSession) controls.push({ ...body, sentAt, sessionId: state.openedSession })
    } else if (body?.kind === 'historyRequest' && isLive) {
      if (state.openedSession) controls.push({ ...body, sentAt, sessionId: state.openedSession })
    } else if (body?.kind === 'historyChunk' && isLive) controls.push(body)
  }
  const shown = steps.length > 0 ? shownBy(origin, state.ownAccount, steps) : { controls: [] }
  const changedKey = peerKey !== state.peerKey && peerKey !== undefined ? peerKey : null
  return change(origin, true, {
    ...shown,
    controls: [...shown.controls, ...controls],
    peerKey: changedKey,
    isHeard: true
  })
}

/** A refused key leaves the one before: the rest of the packet is of worth all the same. */
async function keyAfter(
  env: Environment,
  { conversationId, senderDevice: deviceId }: PacketOrigin,
  { signingKey }: PairState,
  held: PeerKey | undefined,
  update: BodyOf<'keyUpdate'>
): Promise<PeerKey | undefined> {
  if (!signingKey) return held
  try {
    return await acceptKeyUpdate(env, { conversationId, deviceId }, signingKey, held, update)
  } catch (error) {
    if (error instanceof ProtocolError) return held
    throw error
  }
}

/** The time for which a gap holds back what follows it has passed. */
export function waitedChange(
  env: Environment,
  from: PacketOrigin,
  sequencer: Sequencer,
  ownAccount: AccountId
): ConversationChange {
  const origin = originOf(from)
  return change(origin, true, shownBy(origin, ownAccount, [releaseHeld(env, sequencer)]))
}

function sequenced(env: Environment, sequencer: Sequencer, { sequence, predecessor, content }: MessageFrame) {
  if (sequence === null || predecessor === null) return undefined
  return receiveMessage(env, sequencer, { sequence, predecessor, content })
}

/** Kinds that are shown as a message of their own: their sender is told that they have arrived. */
const ACKNOWLEDGED: ReadonlySet<string> = new Set(['text', 'reply', 'poll', 'forward', 'attachment', 'voiceNote'])

/** The sender says how many messages there are. */
function headStep(
  env: Environment,
  sequencer: Sequencer,
  { content }: MessageFrame
): (SequencerStep & { isNew?: boolean }) | undefined {
  const body = decoded(content)?.body
  return body?.kind === 'head' ? noteSession(env, sequencer, { since: 0, firstSequence: body.next }) : undefined
}

/** What steps of the sequencer show, and what is owed for it. */
function shownBy(
  origin: PacketOrigin,
  ownAccount: AccountId,
  steps: SequencerStep[]
): Pick<ChangeParts, 'sequencer' | 'heads' | 'rows' | 'controls' | 'owed'> {
  const rows: Row[] = []
  const heads: MessageHead[] = []
  const delivered: MessageId[] = []
  const controls: Control[] = []
  const isOwn = equalBytes(origin.senderAccount, ownAccount)
  for (const emission of steps.flatMap(({ emitted }) => emitted)) {
    const row = rowOf(emission)
    rows.push(row)
    if (emission.kind === 'message') heads.push({ next: emission.sequence + 1, hash: emission.hash })
    if (emission.kind === 'message' && !emission.linked) rows.push({ kind: 'not-linked' })
    if (row.kind !== 'message') continue
    const { messageId, body } = row.message
    if (isControlForAll(body)) controls.push(body)
    if (isOwn && (body.kind === 'sync' || body.kind === 'ownMarks' || body.kind === 'star')) controls.push(body)
    if (!isOwn && ACKNOWLEDGED.has(body.kind)) delivered.push(messageId)
  }
  return { sequencer: steps.at(-1)!.sequencer, heads, rows, controls, owed: { delivered, opened: [] } }
}

type ControlForAll = BodyOf<'profile' | 'inviteAccepted' | 'firstWord' | 'groupLog' | 'groupJoin'>
const CONTROLS_FOR_ALL: ReadonlySet<string> = new Set<ControlForAll['kind']>([
  'profile',
  'inviteAccepted',
  'firstWord',
  'groupLog',
  'groupJoin'
])

/** Whether a message of a session asks something of each device that reads it, besides what it shows. */
const isControlForAll = (body: MessageBody): body is ControlForAll => CONTROLS_FOR_ALL.has(body.kind)

function rowOf(emission: Emission): Row {
  if (emission.kind !== 'message') return emission
  const { sequence, late, content } = emission
  const message = decoded(content)
  return message ? { kind: 'message', sequence, late, message } : { kind: 'unreadable', sequence, late, content }
}

/** @returns undefined for what is not a message. */
function decoded(content: Uint8Array): Message | undefined {
  try {
    return decodeMessage(content)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}
