/** Which devices of others have said that they have an own message, and that it was read. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { PacketOrigin } from '../../protocol/conversation/packet-effects.ts'
import type { EngineContext } from '../engine-context.ts'
import type { ConversationRoster } from '../groups/conversation-roster.ts'
import type { ShownId } from '../store/conversation-entries.ts'
import { heardEntry, slots, type Heard } from '../store/store-layout.ts'
import type { UnitOfWork } from '../store/state-store.ts'
import type { MessageLog } from './message-log.ts'

/** How far a message got at one device. */
export type HeardState = 'delivered' | 'read'

export class HeardBook {
  readonly #context: EngineContext
  readonly #history: MessageLog
  readonly #roster: ConversationRoster

  constructor(context: EngineContext, history: MessageLog, roster: ConversationRoster) {
    this.#context = context
    this.#history = history
    this.#roster = roster
  }

  /**
   * Notes what a device says, as part of a unit of work. The message is delivered, or read, once a device of every other member
   * has said so.
   * @returns whether it got further by that.
   */
  async note(unit: UnitOfWork, origin: PacketOrigin, id: ShownId, state: HeardState): Promise<boolean> {
    const { senderAccount: accountId, senderDevice: deviceId } = origin
    // Of a message that is not here, or is gone, nothing is noted.
    if (!(await this.#isHere(unit, id))) return false
    const now = this.#context.timers.now()
    const slot = slots.heard(id, toHex(deviceId))
    const before = (await unit.read(slot)) ?? { accountId, deviceId, deliveredAt: null, readAt: null }
    const deliveredAt = before.deliveredAt ?? now
    unit.write(slot, { ...before, deliveredAt, readAt: before.readAt ?? (state === 'read' ? now : null) })
    if (!(await this.#isSaidByAll(unit, origin, id, state))) return false
    return (await this.#history.advance(unit, id, state)) !== undefined
  }

  async #isHere(unit: UnitOfWork, id: ShownId): Promise<boolean> {
    const place = await unit.read(slots.place(id))
    const row = place && (await unit.read(slots.message(toHex(place.conversationId), place.order)))
    return row !== undefined && row.mine && row.kind !== 'removed'
  }

  async #isSaidByAll(unit: UnitOfWork, origin: PacketOrigin, id: ShownId, state: HeardState): Promise<boolean> {
    const conversation = await unit.read(slots.conversation(toHex(origin.conversationId)))
    if (conversation?.kind !== 'group') return true
    const said = (await unit.range('heard', id, heardEntry)).filter(({ value }) => hasSaid(value, state))
    return this.#roster
      .othersOf(conversation)
      .every(member => said.some(({ value }) => equalBytes(value.accountId, member)))
  }
}

const hasSaid = ({ deliveredAt, readAt }: Heard, state: HeardState): boolean =>
  state === 'read' ? readAt !== null : deliveredAt !== null || readAt !== null
