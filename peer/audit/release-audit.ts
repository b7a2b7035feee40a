import type { AppRelease } from '../../protocol/audit/seen.ts'
import { equalBytes } from '../../protocol/bytes.ts'
import type { PacketOrigin } from '../../protocol/conversation/packet-effects.ts'
import type { EngineContext } from '../engine-context.ts'
import type { UnitOfWork } from '../store/state-store.ts'
import type { DifferenceLines } from './difference-lines.ts'

export interface ReleaseAuditComponents {
  context: EngineContext
  lines: DifferenceLines
  /** The build of the app that runs here; null where it is not known. */
  release: () => AppRelease | null
}

/** Compares builds of the app. People run different versions; but one version that was released is one build. */
export class ReleaseAudit {
  readonly #components: ReleaseAuditComponents

  constructor(components: ReleaseAuditComponents) {
    this.#components = components
  }

  async compare(unit: UnitOfWork, origin: PacketOrigin, theirs: AppRelease): Promise<void> {
    const { context, lines, release } = this.#components
    const own = release()
    // Without a key for releases in genesis everybody runs a build of their own.
    if (!own || context.network().genesis.releaseKey === null || own.version !== theirs.version) return
    if (!equalBytes(own.hash, theirs.hash)) await lines.tell(unit, origin, { what: 'build', of: null })
  }
}
