/** Builds the parts that compare what this device was shown with what others were shown. */
import type { AppRelease } from '../../protocol/audit/seen.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { EngineContext } from '../engine-context.ts'
import type { ConversationRoster } from '../groups/conversation-roster.ts'
import type { GroupBook } from '../groups/group-book.ts'
import type { GroupKnowledge } from '../groups/group-knowledge.ts'
import type { MessageLog } from '../history/message-log.ts'
import type { Teller } from './teller.ts'
import type { StateStore } from '../store/state-store.ts'
import { Auditor } from './auditor.ts'
import { DifferenceLines } from './difference-lines.ts'
import { GroupAudit } from './group-audit.ts'
import type { MemberRecords } from './member-records.ts'
import { RecordAudit } from './record-audit.ts'
import { ReleaseAudit } from './release-audit.ts'
import type { SeenBook } from './seen-book.ts'

export interface AuditComponents {
  context: EngineContext
  states: StateStore
  directory: DirectoryClient
  roster: ConversationRoster
  history: MessageLog
  book: GroupBook
  knowledge: GroupKnowledge
  pairs: Teller
  records: MemberRecords
  seen: SeenBook
  /** The build of the app that runs here; null where it is not known. */
  release: () => AppRelease | null
}

/** What {@link SeenBook} notes is compared by it. */
export function createAuditor(components: AuditComponents): Auditor {
  const lines = new DifferenceLines(components)
  const { seen, pairs, context } = components
  return new Auditor({
    context,
    seen,
    lines,
    pairs,
    groups: new GroupAudit({ ...components, lines }),
    records: new RecordAudit({ ...components, lines }),
    releases: new ReleaseAudit({ ...components, lines })
  })
}
