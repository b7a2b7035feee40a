/** Text as people see it: in graphemes (user-perceived characters, UAX #29), never cut inside one. */

let segmenter: Intl.Segmenter | undefined

/** The graphemes of a text, in order. Their boundaries are the same in every language. */
export function graphemesOf(text: string): string[] {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return Array.from(segmenter.segment(text), ({ segment }) => segment)
}

/**
 * The longest beginning of at most `maxUnits` UTF-16 code units that ends between two graphemes. Of a single grapheme that is
 * longer, such as a letter under thousands of marks, what fits in whole code points.
 */
export function cutText(text: string, maxUnits: number): string {
  if (text.length <= maxUnits) return text
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  // The grapheme that holds the first unit too many begins where the cut is.
  const end = segmenter.segment(text).containing(maxUnits)!.index
  return end > 0 ? text.slice(0, end) : text.slice(0, maxUnits).replace(/[\uD800-\uDBFF]$/, '')
}
