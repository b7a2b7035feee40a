/**
 * The calls that say something about a message: on this device it takes effect with the unit of work that queues it, so nobody
 * can see the one without the other.
 */
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import { amendmentsOf, NO_AMENDMENTS, nextVersion, type AmendingBody } from '../../protocol/conversation/amendments.ts'
import { isEmoji } from '../../protocol/conversation/emoji.ts'
import { MAX_EXPIRY_SECONDS, MAX_RECEIPT_TARGETS } from '../../protocol/conversation/message-kinds.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { amendmentsIn } from '../history/amended-row.ts'
import { isErased } from '../history/amendment-traces.ts'
import type { ConversationTimer } from '../history/conversation-timer.ts'
import type { MessageLog } from '../history/message-log.ts'
import { writtenText } from '../history/message-text.ts'
import type { OwnMarks } from '../history/own-marks.ts'
import type { AmendmentsApi, ChatMessage } from '../peer-api.ts'
import type { PersonViews } from '../people/person-views.ts'
import type { Sealer } from '../sending/sealer.ts'
import type { SendPermission } from '../sending/send-permission.ts'
import type { MessageRow, ShownId } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'

export interface AmendingComponents {
  context: EngineContext
  states: StateStore
  history: MessageLog
  permission: SendPermission
  sealer: Sealer
  timer: ConversationTimer
  own: OwnMarks
  people: PersonViews
}

/** Makes what is sent of a message as it is now. @throws PeerError if that cannot be said of it. */
type Say<Body extends AmendingBody> = (row: MessageRow, version: (before: Versioned) => number) => Body
type Versioned = { version: number } | null | undefined

export class Amending implements AmendmentsApi {
  readonly #components: AmendingComponents

  constructor(components: AmendingComponents) {
    this.#components = components
  }

  async react(id: string, emoji: string | null): Promise<ChatMessage> {
    if (emoji !== null && !isEmoji(emoji)) throw new PeerError('emoji')
    return this.#amend(id, (row, version) => {
      const before = this.#ownOf(amendmentsIn(row).reactions)
      return { kind: 'reaction', target: fromHex(id, 32), emoji, version: version(before) }
    })
  }

  async edit(id: string, written: string): Promise<ChatMessage> {
    const text = writtenText(written)
    return this.#amend(id, (row, version) => {
      if (row.kind !== 'text') throw new PeerError('no-message')
      if (!row.mine) throw new PeerError('not-author')
      return { kind: 'edit', target: row.messageId, text, version: version(row.amendments?.edit) }
    })
  }

  async deleteForAll(id: string): Promise<void> {
    await this.#amend(id, row => {
      if (!row.mine) throw new PeerError('not-author')
      return { kind: 'delete', target: row.messageId }
    })
  }

  async deleteForMe(ids: string[]): Promise<void> {
    const { states, own } = this.#components
    for (let i = 0; i < ids.length; i += MAX_RECEIPT_TARGETS) {
      const some = ids.slice(i, i + MAX_RECEIPT_TARGETS) as ShownId[]
      await states.unit(async unit => {
        const hidden = await this.#hide(unit, some)
        for (const [conversation, messages] of hidden) await own.tellMarks(unit, conversation, 'hidden', messages)
      })
    }
  }

  /** @returns what was hidden, by conversation. */
  async #hide(unit: UnitOfWork, ids: ShownId[]): Promise<Map<string, ShownId[]>> {
    const hidden = new Map<string, ShownId[]>()
    for (const id of ids) {
      const place = await unit.read(slots.place(id))
      if (!place) continue
      const conversation = toHex(place.conversationId)
      const isNew = await this.#components.history.amend(unit, conversation, id, { ...NO_AMENDMENTS, isHidden: true })
      if (isNew) hidden.set(conversation, [...(hidden.get(conversation) ?? []), id])
    }
    return hidden
  }

  async pin(id: string, isPinned: boolean): Promise<ChatMessage> {
    return this.#amend(id, (row, version) => {
      return { kind: 'pin', target: fromHex(id, 32), isPinned, version: version(row.amendments?.pin) }
    })
  }

  async vote(id: string, choices: number[]): Promise<ChatMessage> {
    return this.#amend(id, (row, version) => {
      const { poll } = row
      if (!poll) throw new PeerError('vote', { fault: 'no-poll' })
      const chosen = [...new Set(choices)].sort((a, b) => a - b)
      if (chosen.some(choice => !Number.isInteger(choice) || choice < 0 || choice >= poll.options.length))
        throw new PeerError('vote', { fault: 'no-option' })
      if (chosen.length > 1 && !poll.isMultiple) throw new PeerError('vote', { fault: 'one-only' })
      const before = this.#ownOf(amendmentsIn(row).votes)
      return { kind: 'vote', target: fromHex(id, 32), choices: chosen, version: version(before) }
    })
  }

  async star(id: string, isStarred: boolean): Promise<ChatMessage> {
    const { states, own } = this.#components
    return states.unit(async unit => {
      const row = await this.#rowOf(unit, id)
      const version = this.#version(row.amendments?.star)
      const { conversationId } = row
      const star = { kind: 'star' as const, conversationId, target: fromHex(id, 32), isStarred, version }
      await this.#apply(unit, id, row, star)
      await own.tellStar(unit, star)
      return this.#shown(unit, id)
    })
  }

  async setTimer(conversationId: string, seconds: number | null): Promise<void> {
    const { states, permission, sealer, timer } = this.#components
    const isValid = seconds === null || (Number.isInteger(seconds) && seconds > 0 && seconds <= MAX_EXPIRY_SECONDS)
    if (!isValid) throw new PeerError('timer', { limit: MAX_EXPIRY_SECONDS })
    await states.unit(async unit => {
      const conversation = await unit.read(slots.conversation(conversationId))
      if (!conversation) throw new PeerError('no-conversation')
      await permission.require(unit, conversation)
      const set = await timer.set(unit, conversation, seconds)
      const options = { messageId: set.messageId, sentAt: set.sentAt }
      await sealer.enqueue(unit, conversation.conversationId, set.body, options)
    })
  }

  async #amend<Body extends Exclude<AmendingBody, { kind: 'star' }>>(id: string, say: Say<Body>): Promise<ChatMessage> {
    const { states, permission, sealer } = this.#components
    return states.unit(async unit => {
      const row = await this.#rowOf(unit, id)
      const conversation = (await unit.read(slots.conversation(toHex(row.conversationId))))!
      const body = say(row, before => this.#version(before))
      await permission.require(unit, conversation)
      await this.#apply(unit, id, row, body)
      await sealer.enqueue(unit, row.conversationId, body)
      return this.#shown(unit, id)
    })
  }

  #version(before: Versioned): number {
    return nextVersion(this.#components.context.timers.now(), before?.version)
  }

  async #apply(unit: UnitOfWork, id: string, { conversationId }: MessageRow, body: AmendingBody): Promise<void> {
    const { context, history } = this.#components
    const by = { accountId: context.accountId(), deviceId: context.device().deviceId, sentAt: context.timers.now() }
    await history.amend(unit, toHex(conversationId), id as ShownId, amendmentsOf(body, by))
  }

  /** @throws PeerError `no-message`. */
  async #rowOf(unit: UnitOfWork, id: string): Promise<MessageRow> {
    const place = await unit.read(slots.place(id as ShownId))
    const row = place && (await unit.read(slots.message(toHex(place.conversationId), place.order)))
    if (!row || isErased(row) || row.kind === 'system' || row.kind === 'gap') throw new PeerError('no-message')
    return row
  }

  async #shown(unit: UnitOfWork, id: string): Promise<ChatMessage> {
    const place = (await unit.read(slots.place(id as ShownId)))!
    return this.#components.people.message((await unit.read(slots.message(toHex(place.conversationId), place.order)))!)
  }

  #ownOf<T extends { accountId: AccountId }>(registers: readonly T[]): T | undefined {
    const me = this.#components.context.accountId()
    return registers.find(({ accountId }) => equalBytes(accountId, me))
  }
}
