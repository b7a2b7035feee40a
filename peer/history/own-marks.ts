import type { BodyOf } from '../../protocol/conversation/message.ts'
import type { ShownId } from '../store/conversation-entries.ts'
import type { UnitOfWork } from '../store/state-store.ts'

/** What one own device tells the others about messages. */
export type OwnMark = BodyOf<'ownMarks'>['mark']

/** Who tells the other own devices what happened to messages here. */
export interface OwnMarks {
  /** As part of the unit of work that marks the messages here. @param conversationId - lower-case hex. */
  tellMarks(unit: UnitOfWork, conversationId: string, mark: OwnMark, messages: ShownId[]): Promise<void>
  /** Whether senders are told that their messages were read. */
  readonly tellsRead: boolean
  /** As part of the unit of work that sets the star here. */
  tellStar(unit: UnitOfWork, star: BodyOf<'star'>): Promise<void>
}
