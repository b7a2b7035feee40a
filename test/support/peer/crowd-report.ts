/** What went wrong in a crowd of devices, and how much was tried. */
export interface CrowdReport {
  sent: number
  restarts: number
  joined: number
  left: number
  lost: number
  twice: number
  /** Senders whose messages stand out of order on a device. */
  disordered: number
  /** Lines of missing or unreadable messages that stayed. */
  unreadable: number
  examples: string[]
}

const MAX_EXAMPLES = 20

export const emptyReport = (): CrowdReport => ({
  sent: 0,
  restarts: 0,
  joined: 0,
  left: 0,
  lost: 0,
  twice: 0,
  disordered: 0,
  unreadable: 0,
  examples: []
})

/**
 * Adds what is wrong on one device.
 * @param texts - as it shows them; lines of Volo in brackets.
 * @param sent - what each device has written, in order.
 */
export function judge(report: CrowdReport, who: string, texts: string[], sent: ReadonlyMap<string, string[]>): void {
  const places = new Map<string, number>()
  for (const [place, text] of texts.entries()) if (!places.has(text)) places.set(text, place)
  const lost = [...sent.values()].flat().filter(text => !places.has(text))
  const lines = texts.filter(text => text.startsWith('('))
  const twice = texts.length - lines.length - [...places.keys()].filter(text => !text.startsWith('(')).length
  const disordered = [...sent.values()].flatMap(spoken =>
    outOfOrder(
      spoken.filter(text => places.has(text)),
      places
    )
  )
  report.lost += lost.length
  report.unreadable += lines.length
  report.twice += twice
  report.disordered += disordered.length
  if (lost.length + lines.length + twice + disordered.length === 0 || report.examples.length >= MAX_EXAMPLES) return
  report.examples.push(
    `${who}: ${lost.length} lost (${lost[0] ?? ''}), ${twice} twice, out of order: ${disordered.join(', ')}, ${lines[0] ?? ''}`
  )
}

/** The first message of a device that stands before an earlier one. */
function outOfOrder(spoken: string[], places: ReadonlyMap<string, number>): string[] {
  const at = spoken.findIndex((text, i) => i > 0 && places.get(text)! < places.get(spoken[i - 1]!)!)
  return at < 0 ? [] : [spoken[at]!]
}
