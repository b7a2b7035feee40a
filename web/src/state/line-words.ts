import type { SystemLine } from '../../../peer/peer-api.ts'
import type { Catalogue } from '../i18n/catalogue.ts'

/** The sentence of a line that Volo itself says in a conversation. */
export function lineWords(line: SystemLine, { thread }: Catalogue): string {
  switch (line.kind) {
    case 'missing':
      return thread.missing(line.missing, line.gone)
    case 'not-linked':
      return thread.notLinked
    case 'removed-device':
      return line.mine ? thread.removedByMe : thread.removedByThem
    case 'deleted':
      return line.contacts === 0 ? thread.deletedOfStrangers(line.requests) : thread.deleted(line.contacts)
  }
}
