/**
 * Whether accepted people look at Volo now, and when they did last. Nothing is said without a question: a device asks the devices of the
 * person whose chat is open, sealed as a receipt is, and each that runs answers, and tells what changes for the next minutes. Nodes keep
 * questions and answers for seconds. So a chat that nobody opens costs nothing, and a person who is away learns of no question.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { struct, uint } from '../../protocol/codec.ts'
import type { BodyOf } from '../../protocol/conversation/message.ts'
import type { PacketOrigin } from '../../protocol/conversation/packet-effects.ts'
import { accountIdCodec, type AccountId, type DeviceId } from '../../protocol/identity/device.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import { accountIdFromHex } from '../directory/known-account.ts'
import { conversationOf } from '../groups/conversation-roster.ts'
import type { PersonPresence, PresenceNotice } from '../peer-api.ts'
import { entry } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { Slot, UnitOfWork } from '../store/state-store.ts'
import type { NoticeComponents } from './typing.ts'

/** How long nodes keep a question or an answer for a device that is away. */
const PRESENCE_TTL_MS = 20_000
/** An answer takes about so long; later it comes as an event all the same. */
const ANSWER_MS = 2_000
/** What was said longer ago is dropped, as of typing. */
const MAX_AGE_MS = 60_000
/** A device is asked again after this, while the chat is open. */
const ASK_EVERY_MS = 2 * 60_000
/** Who was here counts as here for so long without saying it again: longer than the pause between questions. */
const HERE_MS = 3 * 60_000
/** Who asked hears of changes for so long. */
const WATCH_MS = 5 * 60_000
/** A device is answered at most so often: a changed program gains nothing from asking more. */
const ANSWER_EVERY_MS = 10_000
/** A screen that has said nothing for so long is gone. */
const SCREEN_MS = 90_000
/** Times are told and kept in whole minutes. */
const MINUTE_MS = 60_000
/** Devices that are asked, and told of changes, at most. */
const MAX_DEVICES = 32

const seenCodec = struct({ accountId: accountIdCodec, at: uint() })
const seenEntry = entry(seenCodec)
const seenSlot = (account: string): Slot<{ accountId: AccountId; at: number }> => ({
  space: 'person-seen',
  id: account,
  codec: seenEntry
})

export interface PresenceComponents extends NoticeComponents {
  onPresence: (notice: PresenceNotice) => void
}

/** A device that wants to hear of changes. */
interface Watcher {
  conversationId: ConversationId
  deviceId: DeviceId
  accountId: AccountId
  until: number
  answeredAt: number
}

type Said = BodyOf<'presence'>

export class Presence {
  readonly #components: PresenceComponents
  /** When the screens of this device mean nothing any more, on the monotonic clock. */
  #hereUntil = -Infinity
  /** When the user was here last; null if that was before this process. */
  #lastHere: number | null = null
  readonly #watchers = new Map<string, Watcher>()
  /** When the devices of an account were asked, on the monotonic clock. */
  readonly #asked = new Map<string, number>()
  /** Until when each device of an account counts as here, by account and device. */
  readonly #here = new Map<string, Map<string, number>>()

  constructor(components: PresenceComponents) {
    this.#components = components
  }

  /**
   * What is known of a person; and asks their devices, unless they were asked a moment ago. Answers come as events.
   * Of a person who is not accepted, and while the user tells nothing themselves, nothing is known and nothing asked.
   */
  async of(account: string): Promise<PersonPresence> {
    const accountId = accountIdFromHex(account)
    if (!this.#isOn(accountId)) return { state: 'unknown', seenAt: null, until: null, isAsked: false }
    const isAsked = await this.#ask(accountId)
    return { ...(await this.#known(accountId)), isAsked }
  }

  /** A screen is looked at, or not any more. Said again every minute; watchers hear of changes only. */
  async setHere(isHere: boolean): Promise<void> {
    const { timers } = this.#components.context
    const wasHere = this.#isHere()
    if (isHere || wasHere) this.#lastHere = timers.now()
    this.#hereUntil = isHere ? timers.monotonic() + SCREEN_MS : -Infinity
    if (wasHere !== isHere) await this.#tellWatchers()
  }

  /** The device goes: who watches hears that nobody is here. */
  async stop(): Promise<void> {
    await this.setHere(false).catch((error: unknown) =>
      this.#components.context.log.debug('nobody was told that this device goes', { reason: String(error) })
    )
  }

  /** A device asks, answers, or tells of a change. Late, or from a person who is not accepted, it is dropped. */
  note(origin: PacketOrigin, said: Said & { sentAt: number }): void {
    this.#take(origin, said).catch((error: unknown) =>
      this.#components.context.log.debug('where a person is was not noted', { reason: String(error) })
    )
  }

  async #take(origin: PacketOrigin, said: Said & { sentAt: number }): Promise<void> {
    const { context, onPresence, states } = this.#components
    const { senderAccount, senderDevice } = origin
    const now = context.timers.now()
    if (!this.#isOn(senderAccount) || Math.abs(now - said.sentAt) > MAX_AGE_MS) return
    const account = toHex(senderAccount)
    if (!equalBytes(this.#chatWith(senderAccount), origin.conversationId)) return
    if (said.isQuestion) await this.#answer(origin)
    const devices = this.#here.get(account) ?? new Map<string, number>()
    const until = said.isHere ? context.timers.monotonic() + HERE_MS : -Infinity
    if (devices.size < MAX_DEVICES || devices.has(toHex(senderDevice))) devices.set(toHex(senderDevice), until)
    this.#here.set(account, devices)
    const at = said.isHere ? now : said.lastHere
    if (at !== null) await states.unit(unit => this.#keepSeen(unit, senderAccount, Math.min(at, now)))
    onPresence({ accountId: account, ...(await this.#known(senderAccount)) })
  }

  /** The direct conversation with an account. */
  #chatWith(accountId: AccountId): ConversationId {
    const { context } = this.#components
    return conversationOf(context, [context.accountId(), accountId]).conversationId
  }

  #isOn(accountId: AccountId): boolean {
    const { privacy, marks, context } = this.#components
    const isOwn = toHex(accountId) === toHex(context.accountId())
    return privacy().tellsPresence && !isOwn && marks.isSpokenTo(accountId)
  }

  #isHere(): boolean {
    return this.#components.context.timers.monotonic() < this.#hereUntil
  }

  /** What this device says of its user. */
  #body(isQuestion: boolean): Said {
    const isHere = this.#isHere()
    const lastHere = this.#lastHere === null ? null : wholeMinute(this.#lastHere)
    return { kind: 'presence', isQuestion, isHere, lastHere }
  }

  /** @returns whether an answer may come. */
  async #ask(accountId: AccountId): Promise<boolean> {
    const { context, states, roster, isOnline } = this.#components
    const account = toHex(accountId)
    const now = context.timers.monotonic()
    const askedAt = this.#asked.get(account) ?? -Infinity
    if (now - askedAt < ASK_EVERY_MS) return now - askedAt < ANSWER_MS
    const conversation = await states.read(slots.conversation(toHex(this.#chatWith(accountId))))
    if (!conversation || !isOnline()) return false
    const devices = ((await roster.recipientsOf(conversation)) ?? []).slice(0, MAX_DEVICES)
    const theirs: DeviceId[] = []
    for (const deviceId of devices) {
      const owner = await roster.liveOwnerOf(conversation, deviceId)
      if (owner && toHex(owner.accountId) === account) theirs.push(deviceId)
    }
    const said = await this.#say(conversation.conversationId, theirs, this.#body(true))
    if (said > 0) this.#asked.set(account, now)
    return said > 0
  }

  /** @returns how many devices there is a way to. */
  async #say(conversationId: ConversationId, devices: readonly DeviceId[], body: Said): Promise<number> {
    const { states, pairs } = this.#components
    let said = 0
    await states.unit(async unit => {
      for (const deviceId of devices) {
        if (await pairs.say(unit, conversationId, deviceId, [body], PRESENCE_TTL_MS)) said++
      }
    })
    return said
  }

  async #answer({ conversationId, senderDevice, senderAccount }: PacketOrigin): Promise<void> {
    const now = this.#components.context.timers.monotonic()
    for (const [key, { until }] of this.#watchers) if (until <= now) this.#watchers.delete(key)
    const key = toHex(senderDevice)
    const known = this.#watchers.get(key)
    const isDue = !known || now - known.answeredAt >= ANSWER_EVERY_MS
    if (!known && this.#watchers.size >= MAX_DEVICES) return
    this.#watchers.set(key, {
      conversationId,
      deviceId: senderDevice,
      accountId: senderAccount,
      until: now + WATCH_MS,
      answeredAt: isDue ? now : known.answeredAt
    })
    if (isDue) await this.#say(conversationId, [senderDevice], this.#body(false))
  }

  async #tellWatchers(): Promise<void> {
    const now = this.#components.context.timers.monotonic()
    for (const { conversationId, deviceId, accountId, until } of [...this.#watchers.values()]) {
      if (until > now && this.#isOn(accountId)) await this.#say(conversationId, [deviceId], this.#body(false))
    }
  }

  async #keepSeen(unit: UnitOfWork, accountId: AccountId, at: number): Promise<void> {
    const slot = seenSlot(toHex(accountId))
    const minute = wholeMinute(at)
    if (((await unit.read(slot))?.at ?? 0) < minute) unit.write(slot, { accountId, at: minute })
  }

  async #known(accountId: AccountId): Promise<Omit<PersonPresence, 'isAsked'>> {
    const { context, states } = this.#components
    const account = toHex(accountId)
    const left = Math.max(...(this.#here.get(account)?.values() ?? []), -Infinity) - context.timers.monotonic()
    const seenAt = (await states.read(seenSlot(account)))?.at ?? null
    if (left > 0) return { state: 'here', seenAt, until: context.timers.now() + left }
    return { state: seenAt === null ? 'unknown' : 'away', seenAt, until: null }
  }
}

const wholeMinute = (at: number): number => at - (at % MINUTE_MS)
