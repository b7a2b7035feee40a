const UNITS = ['byte', 'kilobyte', 'megabyte'] as const

/** A number of bytes as people read it: "900 bytes", "12 kB", "1.2 MB", in the way of a language. */
export function fileSize(bytes: number, language: string): string {
  const power = Math.min(UNITS.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** power
  const maximumFractionDigits = power > 0 && value < 10 ? 1 : 0
  // "900 byte" reads like a mistake; "12 kB" does not.
  const unitDisplay = power === 0 ? 'long' : 'short'
  const format = { style: 'unit', unit: UNITS[power]!, unitDisplay, maximumFractionDigits } as const
  return new Intl.NumberFormat(language, format).format(value)
}
