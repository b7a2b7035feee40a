import type { Person } from '../../../peer/peer-api.ts'
import type { Catalogue } from '../i18n/catalogue.ts'

/** A sign beside a name. */
export interface TrustSign {
  kind: 'verified' | 'contradiction' | 'removed'
  label: string
}

/**
 * The sign beside a person's name: only what tells one person from another. The normal state has none, and neither has what
 * is true of the whole network, such as that it has one operator.
 */
export function trustSign({ alert, record, verifiedAt, isMe }: Person, words: Catalogue): TrustSign | null {
  if (record.state === 'mismatch') return { kind: 'contradiction', label: words.record.mismatch }
  if (alert) return { kind: 'contradiction', label: words.record.changed }
  if (record.state === 'removed') return { kind: 'removed', label: words.record.removed }
  return verifiedAt !== null && !isMe ? { kind: 'verified', label: words.person.verified } : null
}
