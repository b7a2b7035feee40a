/**
 * Text of any origin, made safe for a terminal. Every command of ours prints through here: texts and names of strangers, labels
 * and error texts of nodes, file names. Control characters could move the cursor or forge lines, direction overrides could turn
 * an instruction backwards; both are shown as `\u{…}`. What well-formed text is spelled with passes: joiners inside emoji and
 * between letters, tags of flags, variation selectors, direction marks.
 */
import { EMOJI, JOINERS } from './character-classes.ts'
import { graphemesOf } from './graphemes.ts'

/** Everything that is not printed as itself, apart from `\n` and `\t`; LRM, RLM and ALM order text as its letters do. */
const UNPRINTABLE = /(?![\n\t\u200E\u200F\u061C])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
const HAS_UNPRINTABLE = new RegExp(UNPRINTABLE.source, 'u')
/** What JSON leaves as it is although a terminal may obey it. */
const JSON_UNPRINTABLE = /[\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/g

/** @returns the text with its line breaks and tabs; `\u{1b}` and the like for what is neutralised. */
export function terminalText(text: string): string {
  if (!HAS_UNPRINTABLE.test(text)) return text
  return graphemesOf(text)
    .map(part => (EMOJI.test(part) ? part : neutralised(part)))
    .join('')
}

/** As {@link terminalText}, in one line: line breaks are shown, too. For labels, reasons and names. */
export function terminalLine(text: string): string {
  return terminalText(text).replace(/\n/g, '\\u{a}')
}

/** JSON in one line that means the same to a parser and nothing to a terminal. */
export function terminalJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(
    JSON_UNPRINTABLE,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}

function neutralised(part: string): string {
  // A joiner at the end of a grapheme joins the next letter: Persian is spelled so.
  const spelled = new Set(Array.from(part.matchAll(JOINERS), ({ index }) => index))
  return part.replace(UNPRINTABLE, (character, index: number) =>
    spelled.has(index) ? character : `\\u{${character.codePointAt(0)!.toString(16)}}`
  )
}
