/** `volo-node reports`: what people have told the operator about others. */
import { terminalText } from '../../protocol/terminal-text.ts'
import type { StoredReport } from '../reports/report-service.ts'
import type { CommandArguments, Outcome } from './command-arguments.ts'
import { RunningNode } from './running-node.ts'

export async function reports({ config }: CommandArguments): Promise<Outcome> {
  const found = (await (await RunningNode.require(config)).ask('/reports')) as StoredReport[]
  const json = { count: found.length, reports: found }
  if (found.length === 0) return { text: 'Nobody has reported anything.', json }
  return { text: found.map(reportText).join('\n\n'), json }
}

/** Words of strangers: control characters are shown, never obeyed, and further lines are indented. */
const printable = (text: string): string => terminalText(text).replaceAll('\n', '\n    ')
const minuteOf = (time: number): string => new Date(time).toISOString().slice(0, 16).replace('T', ' ')

function reportText({ id, at, by, about, text, messages }: StoredReport): string {
  return [
    `${minuteOf(at)}  ${id}`,
    `  about ${about}`,
    `  by    ${by}`,
    ...(text === '' ? [] : [`  ${printable(text)}`]),
    ...messages.map(({ from, sentAt, text: words }) => {
      const who = from === about ? 'they' : from === by ? 'the reporter' : from
      return `  ${minuteOf(sentAt)}  ${who}: ${printable(words)}`
    })
  ].join('\n')
}
