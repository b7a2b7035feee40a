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
    case 'group':
      return groupWords(line, thread)
    case 'deleted':
      return line.contacts === 0 ? thread.deletedOfStrangers(line.requests) : thread.deleted(line.contacts)
  }
}

type GroupLine = Extract<SystemLine, { kind: 'group' }>

function groupWords({ what, by, who, text }: GroupLine, { group }: Catalogue['thread']): string {
  const one = by.isMe ? group.you : by.name
  const others = group.list(who.map(({ isMe, name }) => (isMe ? group.youAmongOthers : name)))
  return group.lines[what](one, others, text)
}
