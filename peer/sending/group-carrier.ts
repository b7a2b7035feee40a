/** Carries changes of groups to other devices, for `GroupCalls`. */
import { toHex } from '../../protocol/bytes.ts'
import type { MessageBody } from '../../protocol/conversation/message.ts'
import type { GroupChange } from '../../protocol/groups/group-change.ts'
import type { GroupLog } from '../../protocol/groups/group-log.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { GroupSending } from '../groups/group-calls.ts'
import { logPortions } from '../groups/log-portions.ts'
import type { GroupKnowledge } from '../groups/group-knowledge.ts'
import type { PairingBook } from '../store/pairing-book.ts'
import type { UnitOfWork } from '../store/state-store.ts'
import type { PairSender } from './pair-sender.ts'
import type { Sealer } from './sealer.ts'

/** Messages that a device which is taken out is told at most. One that lacks more changes hears nothing. */
const MAX_TOLD = 4

export interface GroupCarrierComponents {
  sealer: Sealer
  pairs: PairSender
  pairings: PairingBook
  knowledge: GroupKnowledge
  /** The conversation of the account with itself; made if needed. */
  notes: (unit: UnitOfWork) => Promise<ConversationId>
}

export class GroupCarrier implements GroupSending {
  readonly #components: GroupCarrierComponents

  constructor(components: GroupCarrierComponents) {
    this.#components = components
  }

  enqueue(
    unit: UnitOfWork,
    conversationId: ConversationId,
    body: MessageBody,
    options: Parameters<GroupSending['enqueue']>[3]
  ): Promise<void> {
    return this.#components.sealer.enqueue(unit, conversationId, body, options)
  }

  async tellOwn(unit: UnitOfWork, body: MessageBody): Promise<void> {
    const { sealer, notes } = this.#components
    await sealer.enqueue(unit, await notes(unit), body)
  }

  /** In the channel of the two devices, because nobody seals to those who are out. A device that there is no channel to hears nothing. */
  async tellRemoved(unit: UnitOfWork, log: GroupLog, change: GroupChange, devices: readonly DeviceId[]): Promise<void> {
    const { pairs, pairings, knowledge } = this.#components
    const { groupId } = log
    for (const deviceId of devices) {
      const lacking = [...(await knowledge.lackingAt(unit, log, deviceId)), change]
      const portions = logPortions(lacking)
      if (portions.length > MAX_TOLD) continue
      const bodies = portions.map((changes): MessageBody => ({ kind: 'groupLog', groupId, heads: [], changes }))
      if (await pairs.say(unit, groupId, deviceId, bodies)) continue
      const pairing = await pairings.newestOpened(unit, toHex(groupId), deviceId)
      const frames = bodies.map(body => pairs.frameOf(body))
      if (pairing) await pairs.answer(unit, pairing, deviceId, frames)
    }
  }
}
