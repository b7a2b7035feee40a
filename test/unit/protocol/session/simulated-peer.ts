/**
 * The least engine that a device needs over the protocol's pure functions, for simulations. Every state is kept as
 * bytes only and decoded for each step, so each step is also a restart.
 */
import { equalBytes, toHex } from '../../../../protocol/bytes.ts'
import {
  createMessageId,
  decodeMessage,
  encodeMessage,
  isSequenced,
  type Message,
  type MessageBody
} from '../../../../protocol/conversation/message.ts'
import {
  resolveGroupRoster,
  resolveRoster,
  type DirectoryView,
  type RosterDecision,
  type RosterReference
} from '../../../../protocol/roster/roster-resolution.ts'
import { findRosterDevice, rosterDevices, rosterHash, type Roster } from '../../../../protocol/roster/roster.ts'
import {
  emptySequencer,
  hasGaps,
  markGone,
  noteSession,
  receiveMessage,
  releaseHeld,
  sequencerState,
  visibleGaps,
  type Emission,
  type SequenceRange,
  type Sequencer
} from '../../../../protocol/conversation/sequencer.ts'
import { ProtocolError } from '../../../../protocol/errors.ts'
import type { AccountId, DeviceId } from '../../../../protocol/identity/device.ts'
import { acceptOpen, discardOpen, readOpen } from '../../../../protocol/session/accept.ts'
import {
  devicesWithoutKey,
  emptyOwnKeys,
  eraseOwnKeys,
  heldConversationKeys,
  ownKeysState,
  peerKeyState,
  type PeerKey
} from '../../../../protocol/session/conversation-keys.ts'
import type { SessionLimits } from '../../../../protocol/session/context.ts'
import type { Environment } from '../../../../protocol/environment.ts'
import {
  decryptMessage,
  eraseInbound,
  inboundState,
  type Inbound,
  isInboundFinished,
  releaseInbound,
  supersedeInbound
} from '../../../../protocol/session/inbound.ts'
import { decodeMessagePacket } from '../../../../protocol/session/message-packet.ts'
import {
  acknowledgeOpen,
  devicesToReopen,
  eraseDelivery,
  isDeliveryFinished,
  openDeliveryState
} from '../../../../protocol/session/open-delivery.ts'
import { openSession } from '../../../../protocol/session/open.ts'
import {
  emptyOutbound,
  encryptMessage,
  outboundState,
  releaseOutbound,
  renewalReason,
  type Outbound,
  type SentMessage
} from '../../../../protocol/session/outbound.ts'
import { decodePacket, encodePacket } from '../../../../protocol/session/packet.ts'
import { reopenSession } from '../../../../protocol/session/reopen.ts'
import {
  answerResendRequest,
  requestsDue,
  resendAnswersState,
  resendRequestsState,
  type SentLookup
} from '../../../../protocol/conversation/resend.ts'
import { acceptKeyUpdate, keyUpdateFor } from '../../../../protocol/session/key-update.ts'
import type { MessageFrame } from '../../../../protocol/session/message-packet.ts'
import { seenSessionState } from '../../../../protocol/session/seen-session.ts'
import { heldKeysOf, type TestDevice } from './fixtures.ts'
import { SimulatedPairs, type PairDelivery, type SimulatedEnvelope } from './simulated-pairs.ts'

export type { SimulatedEnvelope } from './simulated-pairs.ts'

export interface Shown {
  sequence: number
  message: Message
  linked: boolean
}

export class SimulatedPeer {
  readonly env: Environment
  readonly device: TestDevice
  readonly directory: DirectoryView
  readonly rosterNow: () => Roster
  readonly bundleOf: (deviceId: DeviceId) => TestDevice['bundle']
  readonly limits: SessionLimits
  /** Everything the device keeps. */
  readonly #store = new Map<string, Uint8Array>()
  readonly #sent: SentMessage[] = []
  readonly outbox: SimulatedEnvelope[] = []
  /** What the screen shows, by sender device, in place. */
  readonly shown = new Map<string, Shown[]>()
  readonly emissions: Emission[] = []
  /** Parts that this device could not open or accept, by code. */
  readonly refusals: string[] = []
  opens = 0
  heardAt = new Map<string, number>()
  readonly pairs: SimulatedPairs
  /** Ids of shown messages that were not told to be read. */
  readonly #unread: { from: DeviceId; messageId: Message['messageId'] }[] = []
  /** What the other devices said of the messages of this one: `state/message id` by device. */
  readonly receipts = new Map<string, Set<string>>()

  constructor(
    env: Environment,
    device: TestDevice,
    directory: DirectoryView,
    rosterNow: () => Roster,
    bundleOf: (deviceId: DeviceId) => TestDevice['bundle'],
    limits: SessionLimits
  ) {
    this.env = env
    this.device = device
    this.directory = directory
    this.rosterNow = rosterNow
    this.bundleOf = bundleOf
    this.limits = limits
    this.pairs = new SimulatedPairs(env, this.#store)
  }

  #get<T>(key: string, decode: (bytes: Uint8Array) => T): T | undefined {
    const bytes = this.#store.get(key)
    return bytes && decode(bytes)
  }

  #all<T>(prefix: string, decode: (bytes: Uint8Array) => T): T[] {
    return [...this.#store].filter(([key]) => key.startsWith(prefix)).map(([, bytes]) => decode(bytes))
  }

  get #outbound(): Outbound {
    const { conversationId } = this.rosterNow()
    return this.#get('outbound', outboundState.decode) ?? emptyOutbound(this.env, conversationId, this.device.deviceId)
  }

  get ownKeys() {
    return this.#get('own-keys', ownKeysState.decode) ?? emptyOwnKeys()
  }

  get inbounds() {
    return this.#all('inbound/', inboundState.decode)
  }

  get deliveries() {
    return this.#all('delivery/', openDeliveryState.decode)
  }

  #peerKeys(): PeerKey[] {
    return this.#all('peer/', peerKeyState.decode)
  }

  #others(): DeviceId[] {
    return rosterDevices(this.rosterNow())
      .map(({ device }) => device.deviceId)
      .filter(deviceId => !equalBytes(deviceId, this.device.deviceId))
  }

  #sequencer(deviceId: DeviceId): Sequencer {
    return (
      this.#get(`sequencer/${toHex(deviceId)}`, sequencerState.decode) ??
      emptySequencer(this.rosterNow().conversationId, deviceId)
    )
  }

  /** Opens a session if one is due; @returns its body and parts. */
  async #renew(): Promise<{ openBody: Uint8Array; parts: { deviceId: DeviceId; part: Uint8Array }[] } | undefined> {
    const roster = this.rosterNow()
    const outbound = this.#outbound
    const hash = rosterHash(this.env.crypto, this.env.network, roster)
    if (!renewalReason(outbound, hash, this.env.now())) return undefined
    const peerKeys = this.#peerKeys()
    const others = rosterDevices(roster)
      .map(({ device }) => device)
      .filter(device => !equalBytes(device.deviceId, this.device.deviceId))
    const bundles = devicesWithoutKey(others, peerKeys).map(({ deviceId }) => this.bundleOf(deviceId))
    const opened = await openSession(this.env, {
      me: this.device,
      roster,
      outbound,
      ownKeys: this.ownKeys,
      peerKeys,
      bundles,
      limits: this.limits
    })
    this.opens++
    this.#store.set('outbound', outboundState.encode(opened.outbound))
    this.#store.set('own-keys', ownKeysState.encode(opened.ownKeys))
    this.#store.set(`delivery/${toHex(opened.sessionId)}`, openDeliveryState.encode(opened.delivery))
    this.pairs.noteOpened(opened.pairing)
    releaseOutbound(outbound, opened.outbound)
    eraseDelivery(opened.delivery)
    return opened
  }

  async send(body: MessageBody): Promise<Message> {
    const opened = await this.#renew()
    const message: Message = {
      messageId: createMessageId(this.env.random),
      sentAt: this.env.now(),
      expiresAfter: null,
      body
    }
    const content = encodeMessage(message)
    const before = this.#outbound
    const sent = await encryptMessage(this.env, before, content, isSequenced(body.kind))
    this.#store.set('outbound', outboundState.encode(sent.outbound))
    releaseOutbound(before, sent.outbound)
    if (sent.sequence !== null)
      this.#sent[sent.sequence] = { sequence: sent.sequence, predecessor: sent.predecessor!, content }
    const to = this.#others()
    if (opened) {
      const { openBody, parts } = opened
      this.outbox.push({ payload: encodePacket({ kind: 'open', openBody, messages: [sent.packet] }), to: parts })
    } else {
      this.#submit([sent.packet], to)
    }
    return message
  }

  #submit(messages: Uint8Array[], to: DeviceId[]): void {
    const parts = to.map(deviceId => ({ deviceId, part: new Uint8Array(0) }))
    this.outbox.push({ payload: encodePacket({ kind: 'messages', messages }), to: parts })
  }

  /** Takes in what a node delivers, in whatever order and however often. */
  async receive(payload: Uint8Array, part: Uint8Array): Promise<void> {
    const packet = decodePacket(payload)
    if (packet.kind === 'pair') return this.#receivePair(packet)
    if (packet.kind === 'open') await this.#receiveOpen(packet.openBody, part)
    for (const bytes of packet.messages) await this.#receiveMessage(bytes)
  }

  /** Members of a group are taken from the roster: its log is tested elsewhere. */
  #decide(reference: RosterReference): RosterDecision {
    const { group } = reference
    if (!group) return resolveRoster(this.env, reference, this.directory)
    const { members, epoch } = this.rosterNow()
    const at = { members: members.map(({ accountId }) => accountId), epoch }
    return resolveGroupRoster(this.env, { ...reference, group }, at, this.directory, this.device.accountId)
  }

  async #receiveOpen(openBody: Uint8Array, part: Uint8Array): Promise<void> {
    const conversationId = this.rosterNow().conversationId
    const held = [...heldConversationKeys(conversationId, this.ownKeys), ...heldKeysOf(this.env, this.device)]
    let claimed: Parameters<SimulatedPeer['oweAck']> | undefined
    try {
      const open = await readOpen(this.env, this.device.deviceId, held, openBody, part)
      const { sessionId, senderDevice } = open.content.context
      const decision = this.#decide(open.reference)
      if (decision.kind !== 'accept') {
        this.refusals.push(decision.kind)
        discardOpen(open)
        return
      }
      const seen = this.#get(`seen/${toHex(sessionId)}`, seenSessionState.decode)
      claimed = [senderDevice, sessionId, open.key.index]
      const peerKey = this.#get(`peer/${toHex(senderDevice)}`, peerKeyState.decode)
      const { roster } = decision
      const accepted = await acceptOpen(this.env, { deviceId: this.device.deviceId, open, roster, seen, peerKey })
      for (const older of supersedeInbound(this.inbounds, accepted.inbound, this.env.now())) {
        this.#store.set(`inbound/${toHex(older.sessionId)}`, inboundState.encode(older))
      }
      this.#store.set(`inbound/${toHex(sessionId)}`, inboundState.encode(accepted.inbound))
      this.#store.set(`seen/${toHex(sessionId)}`, seenSessionState.encode(accepted.seen))
      this.#store.set(`peer/${toHex(senderDevice)}`, peerKeyState.encode(accepted.peerKey))
      const { since } = accepted
      const { firstSequence } = accepted.context
      this.#emit(senderDevice, noteSession(this.env, this.#sequencer(senderDevice), { since, firstSequence }))
      this.pairs.noteAccepted(accepted.pairing)
      await this.oweAck(senderDevice, sessionId, open.key.index)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      // It verified, and was accepted before: the acknowledgement was lost, or is under way.
      if (error.code === 'REPLAYED' && claimed) await this.oweAck(...claimed)
      else this.refusals.push(error.code)
    }
  }

  /** Says that a session was opened, and hands over a key if that one was sealed to an old one. */
  async oweAck(deviceId: DeviceId, sessionId: Inbound['sessionId'], usedOwnIndex: number | null): Promise<void> {
    this.pairs.owe(deviceId, { kind: 'openedAck', sessions: [sessionId] })
    const owner = { conversationId: this.rosterNow().conversationId, deviceId: this.device.deviceId }
    const handed = await keyUpdateFor(this.env, this.device.signingKey, owner, this.ownKeys, usedOwnIndex)
    if (!handed) return
    this.#store.set('own-keys', ownKeysState.encode(handed.own))
    this.pairs.owe(deviceId, { kind: 'keyUpdate', ...handed.update })
  }

  async #receiveMessage(bytes: Uint8Array): Promise<void> {
    const packet = decodeMessagePacket(bytes)
    const key = `inbound/${toHex(packet.sessionId)}`
    const inbound = this.#get(key, inboundState.decode)
    if (!inbound) {
      // Its Open has not come yet, or the session is finished: kept by the node until then.
      this.#early.push(bytes)
      return
    }
    let decrypted
    try {
      decrypted = await decryptMessage(this.env, inbound, packet)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      if (error.code !== 'REPLAYED') this.refusals.push(error.code)
      return
    }
    this.#store.set(key, inboundState.encode(decrypted.inbound))
    releaseInbound(inbound, decrypted.inbound)
    this.heardAt.set(toHex(inbound.senderDevice), this.env.now())
    const { sequence, predecessor, content } = decrypted.frame
    if (sequence !== null) {
      const sequencer = this.#sequencer(inbound.senderDevice)
      this.#emit(
        inbound.senderDevice,
        receiveMessage(this.env, sequencer, { sequence, predecessor: predecessor!, content })
      )
    }
  }

  #early: Uint8Array[] = []

  async #receivePair(packet: Parameters<SimulatedPairs['receive']>[0]): Promise<void> {
    let delivery: PairDelivery
    try {
      delivery = this.pairs.receive(packet)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.refusals.push(error.code)
      return
    }
    this.heardAt.set(toHex(delivery.from), this.env.now())
    for (const { sequence, predecessor, content } of delivery.frames) {
      if (sequence === null) await this.#control(delivery, decodeMessage(content).body)
      else {
        const sequencer = this.#sequencer(delivery.from)
        const message = { sequence, predecessor: predecessor!, content }
        this.#emit(delivery.from, receiveMessage(this.env, sequencer, message))
      }
    }
  }

  async #control(delivery: PairDelivery, body: MessageBody): Promise<void> {
    const { from } = delivery
    if (body.kind === 'openedAck') {
      for (const sessionId of body.sessions) {
        const key = `delivery/${toHex(sessionId)}`
        const waiting = this.#get(key, openDeliveryState.decode)
        if (waiting) this.#store.set(key, openDeliveryState.encode(acknowledgeOpen(waiting, from)))
      }
    }
    if (body.kind === 'receipt') {
      const said = this.receipts.get(toHex(from)) ?? new Set()
      for (const target of body.targets) said.add(`${body.state}/${toHex(target)}`)
      this.receipts.set(toHex(from), said)
    }
    if (body.kind === 'keyUpdate') {
      const owner = { conversationId: this.rosterNow().conversationId, deviceId: from }
      const listed = findRosterDevice(this.rosterNow(), from)
      const held = this.#get(`peer/${toHex(from)}`, peerKeyState.decode)
      if (!listed) return
      const taken = await acceptKeyUpdate(this.env, owner, listed.device.signingKey, held, body)
      this.#store.set(`peer/${toHex(from)}`, peerKeyState.encode(taken))
    }
    if (body.kind === 'gone') this.#emit(from, markGone(this.#sequencer(from), body.ranges))
    if (body.kind === 'resendRequest' && this.pairs.takesRequest(delivery)) await this.#resend(delivery, body.ranges)
  }

  async #resend({ from, opened }: PairDelivery, ranges: SequenceRange[]): Promise<void> {
    const answers = this.#get('answers', resendAnswersState.decode) ?? []
    const isListed = this.#others().some(deviceId => equalBytes(deviceId, from))
    const sentIn: SentLookup = async (range, limit) =>
      [...this.#sent.keys()].filter(n => this.#sent[n] && n >= range.from && n <= range.to).slice(0, limit)
    const now = this.env.now()
    const answer = await answerResendRequest(this.#outbound, answers, from, isListed, ranges, sentIn, now)
    this.#store.set('answers', resendAnswersState.encode(answer.answers))
    const frames: MessageFrame[] = answer.sequences.map(sequence => this.#sent[sequence]!)
    if (answer.gone.length > 0) frames.push(this.pairs.frameOf({ kind: 'gone', ranges: answer.gone }))
    while (frames.length > 0) this.outbox.push(this.pairs.answer(opened!, from, frames.splice(0, 16)))
  }

  /** A message that this device can send to nobody again. */
  lose(sequence: number): void {
    delete this.#sent[sequence]
  }

  /** Everything shown so far was read. */
  markRead(): void {
    const byDevice = Map.groupBy(this.#unread.splice(0), ({ from }) => toHex(from))
    for (const shown of byDevice.values()) {
      const targets = shown.map(({ messageId }) => messageId)
      this.pairs.owe(shown[0]!.from, { kind: 'receipt', state: 'read', targets })
    }
  }

  #ownerOf(deviceId: DeviceId): AccountId | undefined {
    return findRosterDevice(this.rosterNow(), deviceId)?.accountId
  }

  #submitOpen({ openBody, parts }: { openBody: Uint8Array; parts: { deviceId: DeviceId; part: Uint8Array }[] }): void {
    this.outbox.push({ payload: encodePacket({ kind: 'open', openBody, messages: [] }), to: parts })
  }

  #emit(from: DeviceId, { sequencer, emitted }: { sequencer: Sequencer; emitted: Emission[] }): void {
    this.#store.set(`sequencer/${toHex(from)}`, sequencerState.encode(sequencer))
    const delivered: Message['messageId'][] = []
    for (const emission of emitted) {
      this.emissions.push(emission)
      if (emission.kind !== 'message') continue
      const shown = this.shown.get(toHex(from)) ?? []
      const message = decodeMessage(emission.content)
      shown.push({ sequence: emission.sequence, message, linked: emission.linked })
      shown.sort((a, b) => a.sequence - b.sequence)
      this.shown.set(toHex(from), shown)
      const owner = this.#ownerOf(from)
      if (owner && !equalBytes(owner, this.device.accountId)) delivered.push(message.messageId)
    }
    if (delivered.length === 0) return
    this.#unread.push(...delivered.map(messageId => ({ from, messageId })))
    this.pairs.owe(from, { kind: 'receipt', state: 'delivered', targets: delivered })
  }

  /** What an engine does every few seconds: timers, acknowledgements, requests, Opens again, erasure. */
  async tick(): Promise<void> {
    for (const bytes of this.#early.splice(0)) await this.#receiveMessage(bytes)
    for (const deviceId of this.#others()) this.#emit(deviceId, releaseHeld(this.env, this.#sequencer(deviceId)))
    for (const deviceId of this.#others()) this.#requestMissing(deviceId)
    this.outbox.push(...this.pairs.flush())
    await this.#reopen()
    this.#erase()
  }

  #requestMissing(deviceId: DeviceId): void {
    const key = `requests/${toHex(deviceId)}`
    const before = this.#get(key, resendRequestsState.decode)
    const gaps = visibleGaps(this.#sequencer(deviceId))
    const { state, ranges } = requestsDue(before, deviceId, gaps, this.env.now())
    if (state) this.#store.set(key, resendRequestsState.encode(state))
    else this.#store.delete(key)
    if (ranges.length > 0) this.pairs.owe(deviceId, { kind: 'resendRequest', ranges })
  }

  async #reopen(): Promise<void> {
    const roster = this.rosterNow()
    const peerKeys = this.#peerKeys()
    for (const delivery of this.deliveries) {
      const key = `delivery/${toHex(delivery.sessionId)}`
      if (isDeliveryFinished(delivery, this.env.now())) {
        this.#store.delete(key)
        eraseDelivery(delivery)
        continue
      }
      const situationOf = (deviceId: DeviceId) => ({ keyId: undefined, heardAt: this.heardAt.get(toHex(deviceId)) })
      const devices = devicesToReopen(delivery, this.#others(), situationOf, this.env.now())
      if (devices.length === 0) continue
      const bundles = devices.map(this.bundleOf)
      const again = await reopenSession(this.env, this.device.signingKey, delivery, roster, devices, {
        peerKeys,
        bundles
      })
      this.#store.set(key, openDeliveryState.encode(again.delivery))
      this.#submitOpen({ openBody: delivery.openBody, parts: again.parts })
    }
  }

  #erase(): void {
    const now = this.env.now()
    let gaps = false
    for (const deviceId of this.#others()) gaps ||= hasGaps(this.#sequencer(deviceId))
    for (const inbound of this.inbounds) {
      if (!isInboundFinished(inbound, hasGaps(this.#sequencer(inbound.senderDevice)), now)) continue
      this.#store.delete(`inbound/${toHex(inbound.sessionId)}`)
      eraseInbound(inbound)
    }
    const own = eraseOwnKeys(this.ownKeys, this.#peerKeys(), this.#others(), gaps, now)
    this.#store.set('own-keys', ownKeysState.encode(own))
  }

  /** A device that leaves the roster takes its receive state with it. */
  forget(deviceId: DeviceId): void {
    for (const inbound of this.inbounds) {
      if (equalBytes(inbound.senderDevice, deviceId)) this.#store.delete(`inbound/${toHex(inbound.sessionId)}`)
    }
    this.#store.delete(`peer/${toHex(deviceId)}`)
  }

  texts(from: DeviceId): string[] {
    return (this.shown.get(toHex(from)) ?? []).map(({ message: { body } }) => (body.kind === 'text' ? body.text : '?'))
  }
}
