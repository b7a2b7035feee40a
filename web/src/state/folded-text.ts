/** So much of a note is laid out at once: 20,000 line breaks, or marks on one letter, would freeze the window for seconds. */
interface Portion {
  /** UTF-16 units. */
  length: number
  lines: number
}

const FIRST: Portion = { length: 1_200, lines: 20 }
/** What each "Show more" adds. */
const MORE: Portion = { length: 3_000, lines: 150 }
/** A rest that is not larger than this is shown at once. */
const SMALL_REST: Portion = { length: 300, lines: 5 }
/** A cut is moved back by at most so many units to fall between words or letters. */
const CUT_WINDOW = 80

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** How much of a text is shown after so many times "Show more". @returns the length in UTF-16 units. */
export function shownLength(text: string, times: number): number {
  const end = endOf(text, { length: FIRST.length + times * MORE.length, lines: FIRST.lines + times * MORE.lines })
  const rest = text.slice(end, end + SMALL_REST.length + 1)
  const isSmall = rest.length <= SMALL_REST.length && rest.split('\n').length - 1 <= SMALL_REST.lines
  return isSmall ? text.length : cutBefore(text, end)
}

function endOf(text: string, { length, lines }: Portion): number {
  let end = -1
  for (let line = 0; line < lines; line++) {
    end = text.indexOf('\n', end + 1)
    if (end < 0 || end > length) return Math.min(length, text.length)
  }
  return end
}

/** The nearest end of a word, of a letter with its marks, or of a code point, in this order. */
function cutBefore(text: string, end: number): number {
  const start = Math.max(0, end - CUT_WINDOW)
  const space = text.slice(start, end + 1).search(/\s\S*$/u)
  if (space > 0) return start + space
  const near = graphemes.segment(text.slice(start, end + CUT_WINDOW)).containing(end - start)
  if (near && near.index > 0) return start + near.index
  // The second half of a pair would be left alone.
  return /[\udc00-\udfff]/.test(text.charAt(end)) ? end - 1 : end
}
