import type { MessageBody } from '../../protocol/conversation/message.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { UnitOfWork } from '../store/state-store.ts'

/** Says something to one device of a conversation, where it may be spoken to. */
export interface Teller {
  tell(unit: UnitOfWork, conversationId: ConversationId, deviceId: DeviceId, bodies: MessageBody[]): Promise<void>
}
