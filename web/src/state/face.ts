/** Hues are this many degrees apart, so that two of them can be told from each other. */
const HUE_STEP = 24
const HUES = 360 / HUE_STEP

/** The colour of an account, in degrees around the wheel: the same on every device. @param accountId - lower-case hex. */
export function hueOf(accountId: string): number {
  return ((Number.parseInt(accountId.slice(0, 8), 16) || 0) % HUES) * HUE_STEP
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** One or two letters that stand for a name: of its first and its last word; empty for a name without letters or digits. */
export function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter(word => /[\p{L}\p{N}]/u.test(word))
  const ends = words.length > 1 ? [words[0]!, words.at(-1)!] : words
  return ends.map(firstLetter).join('').toLocaleUpperCase()
}

function firstLetter(word: string): string {
  for (const { segment } of graphemes.segment(word)) if (/[\p{L}\p{N}]/u.test(segment)) return segment.slice(0, 8)
  return ''
}
