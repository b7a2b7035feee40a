/**
 * Marks on letters that people leave out when they type: accents, Hebrew points, Arabic vowels and the stretching line; and
 * characters that show nothing. Marks that make another letter, as in Hindi or Thai, stay.
 */
const LEFT_OUT =
  /[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670]|[\u0640\u200b-\u200f\u2060\ufeff]|[\ufe00-\ufe0f]/g

/**
 * The form in which texts are compared: no case, no accents, compatible characters made equal, one space between words.
 * "Straße", "STRASSE" and "strasse" are one. Korean syllables fall apart into their letters, so that half a syllable is found.
 */
export function foldedWords(text: string): string {
  const bare = text.normalize('NFKD').replace(LEFT_OUT, '')
  // Through capitals, because only they make "ß" and "ss" equal; a sigma has two small forms.
  return bare.toUpperCase().toLowerCase().replaceAll('ς', 'σ').replace(/\s+/g, ' ').trim()
}

/** Whether every word of a query is in one of the texts, also as a part of a word. @param query - folded, not empty. */
export function hasWords(query: string, texts: readonly (string | null | undefined)[]): boolean {
  const folded = foldedWords(texts.filter(text => text != null).join(' '))
  return query.split(' ').every(word => folded.includes(word))
}
