import { beforeAll, describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { toHex } from '../../../../protocol/bytes.ts'
import {
  messageChange,
  openChange,
  pairChange,
  waitedChange,
  type ChangeAppliers,
  type ChangeParts,
  type ConversationChange
} from '../../../../protocol/conversation/conversation-change.ts'
import type { Custody, PacketOrigin, Row } from '../../../../protocol/conversation/packet-effects.ts'
import { encodeMessage, type MessageId } from '../../../../protocol/conversation/message.ts'
import { visibleGaps, type Sequencer } from '../../../../protocol/conversation/sequencer.ts'
import { ProtocolError } from '../../../../protocol/errors.ts'
import { GAP_HOLD_MS } from '../../../../protocol/limits.ts'
import type { Roster } from '../../../../protocol/roster/roster.ts'
import { readOpen } from '../../../../protocol/session/accept.ts'
import { emptyOwnKeys, type PeerKey } from '../../../../protocol/session/conversation-keys.ts'
import { MAX_INBOUND_SESSIONS, type Inbound } from '../../../../protocol/session/inbound.ts'
import { decodeMessagePacket, type MessageFrame } from '../../../../protocol/session/message-packet.ts'
import type { OpenedSession } from '../../../../protocol/session/open.ts'
import { emptyOutbound, encryptMessage } from '../../../../protocol/session/outbound.ts'
import {
  createAccount,
  heldKeysOf,
  openTo,
  partFor,
  rosterOf,
  START,
  testEnvironment,
  type TestAccount,
  type TestDevice
} from '../session/fixtures.ts'

type Part = keyof ChangeParts

/** One packet as a node hands it out. */
type Packet = { at: number } & (
  { kind: 'open'; opened: OpenedSession } | { kind: 'message'; bytes: Uint8Array; frame: MessageFrame }
)

const env = testEnvironment('changes')
const SESSIONS = 3
const EACH = 4
/** Its content is no message, and one that is no text. */
const UNREADABLE = 5
const PROFILE = 6

let ada: TestAccount
let bob: TestAccount
let a1: TestDevice
let b1: TestDevice
let roster: Roster
let sent: Packet[]

function contentOf(sequence: number): Uint8Array {
  if (sequence === UNREADABLE) return Uint8Array.of(255)
  const messageId = new Uint8Array(16).fill(sequence) as MessageId
  const message = { messageId, sentAt: START, expiresAfter: null }
  if (sequence !== PROFILE) return encodeMessage({ ...message, body: { kind: 'text', text: `message ${sequence}` } })
  const profile = {
    revision: 1,
    displayName: 'Ada',
    username: null,
    about: '',
    picture: null,
    deliveryToken: null,
    sites: [],
    accounts: []
  }
  return encodeMessage({ ...message, body: { kind: 'profile', ...profile } })
}

beforeAll(async () => {
  ada = await createAccount(env, 1)
  bob = await createAccount(env, 1)
  a1 = ada.devices[0]!
  b1 = bob.devices[0]!
  roster = rosterOf(env, ada, bob)
  sent = []
  let outbound = emptyOutbound(env, roster.conversationId, a1.deviceId)
  let ownKeys = emptyOwnKeys()
  for (let session = 0; session < SESSIONS; session++) {
    const opened = await openTo(env, a1, roster, [b1], { outbound, ownKeys })
    ;({ outbound, ownKeys } = opened)
    sent.push({ kind: 'open', opened, at: START + sent.length })
    for (let i = 0; i < EACH; i++) {
      const content = contentOf(outbound.nextSequence)
      const { sequence, predecessor, packet, ...moved } = await encryptMessage(env, outbound, content, true)
      outbound = moved.outbound
      const frame = { sequence, predecessor, content }
      sent.push({ kind: 'message', bytes: packet, frame, at: START + sent.length })
    }
  }
})

/** What a store would hold. */
interface Stored {
  hasRow: boolean
  inbounds: Map<string, Inbound>
  sessions: Map<string, string>
  peerKey: PeerKey | undefined
  pairings: string[]
  joined: number[]
  sequencer: Sequencer | undefined
  heads: number[]
  rows: Row[]
  controls: string[]
  delivered: string[]
  opened: string[]
  heard: boolean
}

const emptyStored = (): Stored => ({
  hasRow: false,
  inbounds: new Map(),
  sessions: new Map(),
  peerKey: undefined,
  pairings: [],
  joined: [],
  sequencer: undefined,
  heads: [],
  rows: [],
  controls: [],
  delivered: [],
  opened: [],
  heard: false
})

const copyOf = (stored: Stored): Stored => ({
  ...stored,
  inbounds: new Map(stored.inbounds),
  sessions: new Map(stored.sessions),
  pairings: [...stored.pairings],
  joined: [...stored.joined],
  heads: [...stored.heads],
  rows: [...stored.rows],
  controls: [...stored.controls],
  delivered: [...stored.delivered],
  opened: [...stored.opened]
})

const appliersOf = (stored: Stored): ChangeAppliers => ({
  members: members => void (stored.hasRow ||= members !== null),
  sessions: sessions => sessions.forEach(({ after }) => stored.inbounds.set(toHex(after.sessionId), after)),
  ended: ended => ended.forEach(({ sessionId }) => stored.inbounds.delete(toHex(sessionId))),
  seen: seen => void (seen && stored.sessions.set(toHex(seen.sessionId), toHex(seen.keyId))),
  peerKey: peerKey => void (stored.peerKey = peerKey ?? stored.peerKey),
  pairing: pairing => void (pairing && stored.pairings.push(toHex(pairing.sessionId))),
  joined: joined => void stored.joined.push(...joined.map(({ since }) => since)),
  sequencer: sequencer => void (stored.sequencer = sequencer ?? stored.sequencer),
  heads: heads => void stored.heads.push(...heads.map(({ next }) => next)),
  rows: rows => {
    if (rows.length > 0 && !stored.hasRow) throw new Error('shown in no conversation')
    stored.rows.push(...rows)
  },
  controls: controls => void stored.controls.push(...controls.map(({ kind }) => kind)),
  owed: ({ delivered, opened }) => {
    stored.delivered.push(...delivered.map(id => toHex(id)))
    stored.opened.push(...opened.map(id => toHex(id)))
  },
  isHeard: isHeard => void (stored.heard ||= isHeard)
})

/** Bob's device over a store that takes a change whole or not at all. `without`: a part that it forgets to store. */
class Model {
  stored = emptyStored()
  removedSince: number | undefined
  readonly #without: Part | undefined

  constructor(without?: Part) {
    this.#without = without
  }

  get #origin(): PacketOrigin {
    return { conversationId: roster.conversationId, senderAccount: ada.accountId, senderDevice: a1.deviceId }
  }

  /** @returns false if the packet has to wait for its session. */
  async take(packet: Packet, crash: 'none' | 'before' | 'after' = 'none'): Promise<boolean> {
    const change = packet.kind === 'open' ? await this.#open(packet.opened) : await this.#message(packet)
    if (change === 'waits') return false
    if (change) await this.store(change, crash)
    return crash === 'none'
  }

  async store(change: ConversationChange, crash: 'none' | 'before' | 'after' = 'none'): Promise<void> {
    const draft = copyOf(this.stored)
    const forgotten = this.#without ? { [this.#without]: () => undefined } : {}
    await change.applyTo({ ...appliersOf(draft), ...forgotten })
    if (crash !== 'before') this.stored = draft
  }

  async #open({ openBody, ...opened }: OpenedSession): Promise<ConversationChange> {
    const held = heldKeysOf(env, b1)
    const open = await readOpen(env, b1.deviceId, held, openBody, partFor(opened, b1.deviceId))
    const { sessionId } = open.content.context
    const isSeen = this.stored.sessions.has(toHex(sessionId))
    const seen = isSeen ? { sessionId, keyId: open.key.keyId, expiry: Infinity } : undefined
    const init = { deviceId: b1.deviceId, open, roster, seen, peerKey: this.stored.peerKey }
    const inbounds = [...this.stored.inbounds.values()]
    const state = { inbounds, sequencer: this.stored.sequencer, ownAccount: bob.accountId }
    return openChange(env, state, init, false)
  }

  async #message({ bytes, at }: Extract<Packet, { kind: 'message' }>) {
    const packet = decodeMessagePacket(bytes)
    const inbound = this.stored.inbounds.get(toHex(packet.sessionId))
    if (!inbound) return 'waits'
    const state = { inbound, sequencer: this.stored.sequencer, ownAccount: bob.accountId }
    try {
      return await messageChange(env, state, packet, this.#custody(at))
    } catch (error) {
      if (error instanceof ProtocolError && error.code === 'REPLAYED') return undefined
      throw error
    }
  }

  async sentAgain(frames: MessageFrame[], at: number): Promise<void> {
    const { sequencer, peerKey } = this.stored
    const signingKey = a1.publicKeys.signingKey
    const state = { sequencer, peerKey, signingKey, openedSession: null, ownAccount: bob.accountId }
    const content = { sentAt: env.now(), frames }
    await this.store(await pairChange(env, this.#origin, state, content, this.#custody(at)))
  }

  async wait(): Promise<void> {
    env.clock.advance(GAP_HOLD_MS)
    const { sequencer } = this.stored
    if (sequencer) await this.store(waitedChange(env, this.#origin, sequencer, bob.accountId))
  }

  #custody(storedAt: number): Custody {
    return { storedAt, removedSince: this.removedSince }
  }
}

type Step =
  | { kind: 'deliver'; pick: number; crash: 'none' | 'before' | 'after' }
  | { kind: 'lose'; pick: number }
  | { kind: 'wait' }
  | { kind: 'removed'; at: number }

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('deliver' as const),
        // Mostly near the front, sometimes far ahead.
        pick: fc.oneof(fc.nat(2), fc.nat(14)),
        crash: fc.constantFrom('none' as const, 'none' as const, 'before' as const, 'after' as const)
      })
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), pick: fc.nat(14) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('removed' as const), at: fc.nat(15) }) }
  ),
  { minLength: 10, maxLength: 40 }
)

/** Plays the steps, then delivers the rest, and asks for what is missing. @returns what was delivered. */
async function play(model: Model, order: Step[]): Promise<Packet[]> {
  const queue = [...sent]
  const lost: Packet[] = []
  for (const step of order) {
    if (step.kind === 'wait') await model.wait()
    else if (step.kind === 'removed') model.removedSince ??= START + step.at
    else if (queue.length > 0) {
      const place = step.pick % queue.length
      const packet = queue[place]!
      if (step.kind === 'lose') {
        // That the last one is missing cannot be known.
        if (packet.kind === 'message' && packet !== sent.at(-1)) lost.push(...queue.splice(place, 1))
      } else if (await model.take(packet, step.crash)) queue.splice(queue.indexOf(packet), 1)
    }
  }
  for (const packet of queue) if (!(await model.take(packet))) throw new Error('a packet waits for ever')
  await model.wait()
  const frames = sent.flatMap(packet => (packet.kind === 'message' ? [packet.frame] : []))
  const asked = frames.filter(({ sequence }) => isMissing(model.stored.sequencer, sequence!))
  const body = { kind: 'receipt' as const, state: 'read' as const, targets: [new Uint8Array(16) as MessageId] }
  const message = { messageId: new Uint8Array(16) as MessageId, sentAt: START, expiresAfter: null, body }
  const receipt = { sequence: null, predecessor: null, content: encodeMessage(message) }
  await model.sentAgain([...asked, receipt], env.now())
  return sent.filter(packet => !lost.includes(packet))
}

const isMissing = (sequencer: Sequencer | undefined, sequence: number): boolean =>
  sequencer !== undefined && visibleGaps(sequencer).some(({ from, to }) => from <= sequence && sequence <= to)

/** Throws unless whatever was acknowledged is on the screen, or has its line, once and in order. */
async function check(model: Model, delivered: Packet[]): Promise<void> {
  const { stored, removedSince } = model
  const rows = stored.rows
  const isTold = rows.some(({ kind }) => kind === 'removed-device')
  let last = -1
  for (let sequence = 0; sequence < SESSIONS * EACH; sequence++) {
    const shown = rows.filter(row => isContent(row) && row.sequence === sequence)
    expect(shown.length).toBeLessThanOrEqual(1)
    expect(stored.heads.filter(next => next === sequence + 1)).toHaveLength(shown.length)
    const isGap = rows.some(row => row.kind === 'gap' && row.from <= sequence && sequence <= row.to)
    expect(shown.length === 1 || isGap || (isTold && removedSince !== undefined)).toBe(true)
    if (removedSince === undefined) expect(shown.length).toBe(1)
    if (shown.length === 1 && sequence !== UNREADABLE && sequence !== PROFILE) {
      const id = toHex(new Uint8Array(16).fill(sequence))
      expect(stored.delivered.filter(told => told === id)).toHaveLength(1)
    }
    if (shown.length === 1 && sequence === PROFILE) expect(stored.controls).toContain('profile')
  }
  for (const row of rows) {
    if (!isContent(row)) continue
    if (row.late) continue
    expect(row.sequence).toBeGreaterThan(last)
    last = row.sequence
  }
  expect(rows.filter(({ kind }) => kind === 'not-linked')).toEqual([])
  if (removedSince === undefined) {
    expect(stored.heard).toBe(true)
    expect(stored.controls).toContain('receipt')
  }
  await checkMarks(model, delivered)
}

const isContent = (row: Row): row is Extract<Row, { kind: 'message' | 'unreadable' }> =>
  row.kind === 'message' || row.kind === 'unreadable'

/** What is remembered: a second delivery of everything changes nothing but what is said again. */
async function checkMarks(model: Model, delivered: Packet[]): Promise<void> {
  const { stored } = model
  const opens = sent.flatMap(packet => (packet.kind === 'open' ? [packet.opened] : []))
  for (const { sessionId } of opens) {
    expect(stored.opened).toContain(toHex(sessionId))
    expect(stored.pairings.filter(id => id === toHex(sessionId))).toHaveLength(1)
  }
  expect(stored.joined).toHaveLength(opens.length * 2)
  expect(stored.peerKey?.index).toBe(SESSIONS - 1)
  const newest = [...stored.inbounds.values()].filter(({ supersededAt }) => supersededAt === null)
  expect(newest.map(({ sessionId }) => toHex(sessionId))).toEqual([toHex(opens.at(-1)!.sessionId)])
  const before = stored.rows.length
  for (const packet of delivered) await model.take(packet)
  expect(model.stored.rows.filter(row => row.kind !== 'removed-device').length).toBe(
    stored.rows.slice(0, before).filter(row => row.kind !== 'removed-device').length
  )
  expect(model.stored.pairings).toEqual(stored.pairings)
  expect(model.stored.joined).toEqual(stored.joined)
}

const property = (without?: Part) =>
  fc.asyncProperty(steps, async order => {
    const model = new Model(without)
    await check(model, await play(model, order))
  })

/** Past the bound the oldest session of a device is erased. */
async function checkBound(without?: Part): Promise<void> {
  const model = new Model(without)
  const [first] = sent
  await model.take(first!)
  const inbound = [...model.stored.inbounds.values()][0]!
  for (let i = 1; i <= MAX_INBOUND_SESSIONS; i++) {
    const sessionId = env.random(16) as Inbound['sessionId']
    model.stored.inbounds.set(toHex(sessionId), { ...inbound, sessionId, keyIndex: 0 })
  }
  await model.take(sent.find(packet => packet.kind === 'open' && packet !== first)!)
  expect(model.stored.inbounds.size).toBe(MAX_INBOUND_SESSIONS)
}

describe('one packet is one change', () => {
  test('whatever was acknowledged ends on the screen or has its line, once, in order, wherever a process ends', async () => {
    await fc.assert(property(), { numRuns: 60 })
    await checkBound()
  })

  const parts = Object.keys(appliersOf(emptyStored())) as Part[]
  test.each(parts)('a store that forgets "%s" is noticed', async part => {
    const run = await fc.check(property(part), { numRuns: 60, endOnFailure: true })
    if (part === 'ended') await expect(checkBound(part)).rejects.toThrow()
    else expect(run.failed).toBe(true)
  })

  test('is applied once, because it fits one state', async () => {
    const model = new Model()
    await model.take(sent[0]!)
    const change = waitedChange(
      env,
      { conversationId: roster.conversationId, senderAccount: ada.accountId, senderDevice: a1.deviceId },
      model.stored.sequencer!,
      bob.accountId
    )
    await model.store(change)
    await expect(model.store(change)).rejects.toThrow('applied once')
  })

  test('a removed device asks for nothing, and gives no key', async () => {
    const origin = { conversationId: roster.conversationId, senderAccount: ada.accountId, senderDevice: a1.deviceId }
    const message = { messageId: new Uint8Array(16) as MessageId, sentAt: START, expiresAfter: null }
    const ranges = [{ from: 0, to: 1 }]
    const frame = {
      sequence: null,
      predecessor: null,
      content: encodeMessage({ ...message, body: { kind: 'resendRequest', ranges } })
    }
    const [open] = sent
    const openedSession = (open as Extract<Packet, { kind: 'open' }>).opened.sessionId
    const state = { sequencer: undefined, peerKey: undefined, signingKey: undefined, openedSession }
    const controlsFor = async (removedSince: number | undefined): Promise<string[]> => {
      const stored = { ...emptyStored(), hasRow: true }
      const custody = { storedAt: START, removedSince }
      const content = { sentAt: START, frames: [frame] }
      const change = await pairChange(env, origin, { ...state, ownAccount: bob.accountId }, content, custody)
      await change.applyTo(appliersOf(stored))
      return stored.controls
    }
    expect(await controlsFor(undefined)).toEqual(['resendRequest'])
    expect(await controlsFor(START + 1)).toEqual([])
  })
})
