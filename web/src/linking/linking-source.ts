import type { LinkingState, PeerApi } from '../../../peer/peer-api.ts'

/** The part of the app that a linking needs: the calls, and the snapshot that says how far it is. */
export interface LinkingSource {
  api: PeerApi
  snapshot: { linking: LinkingState | null } | null
  /** Fetches the snapshot. */
  load(): Promise<void>
}
