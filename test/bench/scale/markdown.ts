/** A column of a table: its title, and whether its cells are numbers, which end at the right. */
export interface Column {
  title: string
  right?: boolean
}

/** A table in the form in which the formatter leaves it. */
export function markdownTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, i) => Math.max(3, title.length, ...rows.map(row => row[i]!.length)))
  const cell = (text: string, i: number): string =>
    columns[i]!.right ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
  const rule = columns.map(({ right }, i) => (right ? `${'-'.repeat(widths[i]! - 1)}:` : '-'.repeat(widths[i]!)))
  return [line(columns.map(({ title }) => title)), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n')
}

/** With thin grouping that every reader knows: 1,234,567. */
export const grouped = (value: number, digits = 0): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })

/** Three significant digits, grouped. */
export function rounded(value: number): string {
  const exact = Number(value.toPrecision(3))
  return exact >= 100 ? grouped(exact) : exact.toLocaleString('en-US', { maximumSignificantDigits: 3 })
}
