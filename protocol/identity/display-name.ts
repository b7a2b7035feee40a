/**
 * The rule for display names, docs/names.md: what a person may be called besides the username. Names are free text that
 * strangers choose, so a name that hides characters, reads backwards or poses as the app itself is refused, by the sender
 * when it is chosen and by every receiver when it arrives.
 *
 * Normal form as in RFC 8266 (nicknames): NFKC, outer spaces dropped, inner ones one. Characters, marks and scripts as in
 * UTS #39 (identifier profile, "highly restrictive", applied to each word).
 */
import { text as textCodec, refine, type Codec } from '../codec.ts'
import { EMOJI, JOINERS } from '../character-classes.ts'
import { MAX_DISPLAY_NAME_UNITS } from '../limits.ts'
import { graphemesOf } from '../graphemes.ts'

/**
 * Why a name is refused. `empty`: nothing visible. `hidden`: control, invisible or direction characters, or line breaks.
 * `mixed`: one word mixes scripts, such as Latin with Cyrillic. `sign`: a sign that means a check or looks like an
 * address, or too many marks on one letter. `reserved`: words of the app itself.
 */
export const DISPLAY_NAME_FAULTS = ['empty', 'too-long', 'hidden', 'mixed', 'sign', 'reserved'] as const
export type DisplayNameFault = (typeof DISPLAY_NAME_FAULTS)[number]

export type ParsedDisplayName = { name: string; fault: null } | { name: null; fault: DisplayNameFault }

/** Scripts of people alive: the recommended ones of UAX #31, table 5, and some of limited use, table 7. */
const SCRIPTS =
  'Adlm Arab Armn Beng Bopo Cans Cher Cyrl Deva Ethi Geor Grek Gujr Guru Hang Hani Hebr Hira Kana Khmr Knda Laoo Latn Mlym Mong Mymr Nkoo Orya Sinh Syrc Taml Telu Tfng Thaa Thai Tibt Yiii'.split(
    ' '
  )
/** Japanese, Chinese and Korean are written with several scripts at once, and with Latin. */
const MIXES = ['Latn Hani Hira Kana', 'Latn Hani Bopo', 'Latn Hani Hang'].map(mix => mix.split(' '))
const WORD_SCRIPTS = [...SCRIPTS.map(script => [script]), ...MIXES].map(
  scripts => new RegExp(`^[\\p{sc=Zyyy}\\p{sc=Zinh}${scripts.map(script => `\\p{scx=${script}}`).join('')}]*$`, 'u')
)

/** Emoji that read as the app's own signs: checks, locks, shields, warnings. */
const POSING_EMOJI =
  /[\u00A9\u00AE\u2122\u2139\u2611\u2705\u2714\u26A0\u2757\u{1F197}\u{1F50F}-\u{1F513}\u{1F5F8}\u{1F6E1}]/u
/** Signs of addresses, markup and quotations. */
const REFUSED_SIGNS = /[@#%*:;<>[\]\\{}\p{S}\p{Me}\p{Nl}\p{No}\u2020\u2021\u203B\u2800]/u
/** More marks on one letter than any language needs (UTS #39, 5.4); a name that begins with a mark draws on its neighbour. */
const TOO_MANY_MARKS = /^\p{M}|(?<=[^\p{L}\p{M}])\p{M}|\p{Mn}{5}/u
/** Between letters only: at the end of a name they would be hidden. */
const INNER_JOINERS = new RegExp(`${JOINERS.source}(?=\\p{L})`, 'gu')
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u

/** Letters of other scripts that look like Latin ones; the part of confusables.txt (UTS #39) that spells English words. */
const LOOK_ALIKES: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ['аɑα', 'a'],
    ['вβ', 'b'],
    ['сϲᴄ', 'c'],
    ['ԁ', 'd'],
    ['еєε', 'e'],
    ['ғ', 'f'],
    ['ɡ', 'g'],
    ['һнη', 'h'],
    ['іιıїӏl1|', 'i'],
    ['јϳ', 'j'],
    ['кκ', 'k'],
    ['м', 'm'],
    ['пո', 'n'],
    ['оοσօ0', 'o'],
    ['рρ', 'p'],
    ['ԛ', 'q'],
    ['гᴦ', 'r'],
    ['ѕ5', 's'],
    ['тτ', 't'],
    ['υս', 'u'],
    ['ѵν', 'v'],
    ['ԝωա', 'w'],
    ['хχ', 'x'],
    ['уүγ', 'y']
  ].flatMap(([from, to]) => [...from!].map(letter => [letter, to!]))
)

/** Names of the app for itself, for the reader and for the notes, and words that only the app may say beside a name. */
const RESERVED = [
  'you',
  'me',
  'myself',
  'volo',
  'volo team',
  'volo support',
  'support',
  'admin',
  'system',
  'unnamed',
  'unknown'
].map(skeletonOfDisplayName)
const RESERVED_PARTS = ['verified', 'safety number', 'notes to self', 'without a name', 'recorded'].map(
  skeletonOfDisplayName
)

/**
 * Brings a name as it is typed or received into its normal form, or says why it is refused.
 * @param text - of any length and content.
 */
export function parseDisplayName(text: string): ParsedDisplayName {
  // Bounds the work: no name of the permitted length is this long before it is normalised.
  if (text.length > 4 * MAX_DISPLAY_NAME_UNITS) return { name: null, fault: 'too-long' }
  const name = text
    .toWellFormed()
    .normalize('NFKC')
    .replace(/\p{Zs}+/gu, ' ')
    .trim()
  const fault = faultOf(name)
  return fault === null ? { name, fault } : { name: null, fault }
}

/** @returns the normal form; empty if the name is refused, so that the username is shown instead. */
export function displayNameOrEmpty(text: string): string {
  return parseDisplayName(text).name ?? ''
}

/**
 * What names that look alike have in common. People whose names share it are told apart by their usernames.
 * @returns letters and digits only, in lower case; empty for a name of emoji.
 */
export function skeletonOfDisplayName(name: string): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^\p{L}\p{N}|]/gu, '')
  return [...plain].map(letter => LOOK_ALIKES[letter] ?? letter).join('')
}

/** A name of another person's making: decodes to its normal form, and to nothing if the rule refuses it. */
export const displayNameCodec: Codec<string> = refine(textCodec(MAX_DISPLAY_NAME_UNITS), displayNameOrEmpty)

function faultOf(name: string): DisplayNameFault | null {
  if (name.length > MAX_DISPLAY_NAME_UNITS) return 'too-long'
  const parts = graphemesOf(name)
  if (parts.some(part => EMOJI.test(part) && POSING_EMOJI.test(part))) return 'sign'
  // Emoji are judged whole, above: what is left are letters, digits, marks and punctuation.
  const letters = parts
    .filter(part => !EMOJI.test(part))
    .join('')
    .replace(INNER_JOINERS, '')
  if (HIDDEN.test(letters)) return 'hidden'
  if (REFUSED_SIGNS.test(letters) || TOO_MANY_MARKS.test(letters)) return 'sign'
  if (!/[\p{L}\p{N}]/u.test(letters) && !parts.some(part => EMOJI.test(part))) return 'empty'
  if (letters.split(/[\s\p{P}]+/u).some(word => !WORD_SCRIPTS.some(scripts => scripts.test(word)))) return 'mixed'
  const skeleton = skeletonOfDisplayName(letters)
  if (RESERVED.includes(skeleton) || RESERVED_PARTS.some(part => skeleton.includes(part))) return 'reserved'
  return null
}
