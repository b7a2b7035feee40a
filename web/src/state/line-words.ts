import type { SystemLine } from '../../../peer/peer-api.ts'
import type { Catalogue } from '../i18n/catalogue.ts'

const UNITS = [
  [7 * 24 * 3600, 'weeks'],
  [24 * 3600, 'days'],
  [3600, 'hours'],
  [60, 'minutes'],
  [1, 'seconds']
] as const

/** "1 day", "90 seconds": a time in the largest unit that it is a whole number of. */
export function timeWords(seconds: number, { time }: Catalogue['thread']): string {
  const [size, unit] = UNITS.find(([unitSeconds]) => seconds % unitSeconds === 0)!
  return time[unit](seconds / size)
}

/** The sentence of a line that Volo itself says in a conversation. */
export function lineWords(line: SystemLine, { thread }: Catalogue): string {
  switch (line.kind) {
    case 'missing':
      return thread.missing(line.missing, line.gone)
    case 'not-linked':
      return thread.notLinked
    case 'removed-device':
      return line.mine ? thread.removedByMe : thread.removedByThem
    case 'recovered':
      return thread.recovered
    case 'group':
      return groupWords(line, thread)
    case 'differs':
      return differenceWords(line, thread)
    case 'timer':
      return line.seconds === null ? thread.timerOff : thread.timerOn(timeWords(line.seconds, thread))
    case 'deleted':
      return line.contacts === 0 ? thread.deletedOfStrangers(line.requests) : thread.deleted(line.contacts)
  }
}

type Difference = Extract<SystemLine, { kind: 'differs' }>

function differenceWords({ what, by, device, of: [about] }: Difference, { differs }: Catalogue['thread']): string {
  const who = by.isMe ? differs.myDevice(device.slice(0, 8)) : differs.device(by.name, device.slice(0, 8))
  const whose = about === undefined ? '' : about.isMe ? differs.you : about.name
  return differs[what](who, whose)
}

type GroupLine = Extract<SystemLine, { kind: 'group' }>

function groupWords({ what, by, who, text }: GroupLine, { group }: Catalogue['thread']): string {
  const one = by.isMe ? group.you : by.name
  const others = group.list(...who.map(({ isMe, name }) => (isMe ? group.youAmongOthers : name)))
  return group.lines[what](one, others, text)
}
