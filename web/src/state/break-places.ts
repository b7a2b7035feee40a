/** Letters without a blank between them that a browser lays out in no time, in UTF-16 units. Addresses are seldom longer. */
const LONG_RUN = 512
/** A longer run gets a place to break after so many units: few, so that lines are well filled. */
const PIECE = 16
/** A piece is cut up to so many units later, to fall between letters. Longer than any letter that people write. */
const LETTER = 32

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/**
 * Cuts a text where the browser may break a line, in runs that have no such place. Looking for one by itself takes a browser time that grows with
 * the square of the run: 1.4 s for 20,000 times the letter w. Joined again, the pieces are the text.
 */
export function breakablePieces(text: string): string[] {
  const pieces: string[] = []
  let start = 0
  for (const { index, 0: run } of text.matchAll(/\S+/gu)) {
    for (let at = PIECE; run.length > LONG_RUN && at < run.length - LETTER; at += PIECE) {
      const end = index + at + toNextLetter(run, at)
      pieces.push(text.slice(start, end))
      start = end
      at = end - index
    }
  }
  pieces.push(text.slice(start))
  return pieces
}

/** Units from a place in a run to the next place between two letters; at least between two code points. */
function toNextLetter(run: string, at: number): number {
  const start = Math.max(0, at - LETTER)
  const near = run.slice(start, at + LETTER)
  const letter = graphemes.segment(near).containing(at - start)
  if (!letter || start + letter.index === at) return 0
  const rest = start + letter.index + letter.segment.length - at
  const isWhole = at + rest < start + near.length
  // The second half of a pair would be left alone.
  return isWhole ? rest : /[\udc00-\udfff]/.test(run.charAt(at)) ? 1 : 0
}
