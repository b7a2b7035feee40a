/** Says in a conversation, once, that another device was shown another world. */
import { toHex } from '../../protocol/bytes.ts'
import { MESSAGE_ID_BYTES, type MessageId } from '../../protocol/conversation/message.ts'
import type { PacketOrigin } from '../../protocol/conversation/packet-effects.ts'
import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import { labelled } from '../../protocol/labels.ts'
import type { EngineContext } from '../engine-context.ts'
import type { ConversationRoster } from '../groups/conversation-roster.ts'
import { linePerson } from '../groups/group-lines.ts'
import type { MessageLog } from '../history/message-log.ts'
import { auditSlots } from '../store/audit-slots.ts'
import { slots } from '../store/store-layout.ts'
import type { UnitOfWork } from '../store/state-store.ts'

/** In what another device's world differs. */
export type Difference =
  /** The messages of a device. */
  | { what: 'history'; of: DeviceId }
  /** The public record of an account. */
  | { what: 'records'; of: AccountId }
  | { what: 'roster'; of: null }
  | { what: 'build'; of: null }

export interface DifferenceLinesComponents {
  context: EngineContext
  roster: ConversationRoster
  history: Pick<MessageLog, 'append'>
}

export class DifferenceLines {
  readonly #components: DifferenceLinesComponents

  constructor(components: DifferenceLinesComponents) {
    this.#components = components
  }

  /** @param origin - the device whose world differs. @returns whether it was not said before. */
  async tell(unit: UnitOfWork, origin: PacketOrigin, { what, of }: Difference): Promise<boolean> {
    const { context, roster, history } = this.#components
    const { conversationId, senderAccount, senderDevice } = origin
    const key = toHex(conversationId)
    const conversation = await unit.read(slots.conversation(key))
    const name = [what, toHex(senderDevice), of ? toHex(of) : ''].join('/')
    const slot = auditSlots.finding(key, name)
    if (!conversation || (await unit.read(slot))) return false
    unit.write(slot, { what, at: context.timers.now() })
    context.log.warn('another device was shown another world', { what, device: toHex(senderDevice) })
    const about = what === 'history' ? roster.ownerOf(conversation, of) : of
    await history.append(unit, conversation, {
      // Of our account, so that nobody else can take the id first.
      messageId: this.#idOf(conversationId, name),
      from: context.accountId(),
      device: context.device().deviceId,
      mine: false,
      kind: 'system',
      text: '',
      line: {
        kind: 'differs',
        what,
        by: linePerson(senderAccount),
        device: toHex(senderDevice),
        of: about ? [linePerson(about)] : []
      },
      sentAt: context.timers.now(),
      state: null,
      problem: null
    })
    return true
  }

  #idOf(conversationId: Uint8Array, name: string): MessageId {
    const { crypto, network } = this.#components.context
    return crypto
      .sha256(labelled('differs-line', network().id, conversationId, name))
      .slice(0, MESSAGE_ID_BYTES) as MessageId
  }
}
