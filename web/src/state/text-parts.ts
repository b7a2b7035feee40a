/** A stretch of a message: plain text, or the address of a page. */
export interface TextPart {
  text: string
  /** An http or https address, null for plain text. */
  href: string | null
}

/** Longer addresses stay text: no page needs them, and looking for the end of the sentence in them takes long. */
const ADDRESS = /https?:\/\/[^\s<>"']{1,2048}/giu
/** Punctuation that ends a sentence, not an address. */
const TRAILING = '.,;:!?)]}»”’'

/** So many addresses of one message become links, which cost a browser more than letters do. */
const MAX_LINKS = 100

/** Splits a message at the addresses in it. Joined again, the parts are the text. */
export function textParts(text: string): TextPart[] {
  const parts: TextPart[] = []
  let end = 0
  let links = 0
  for (const match of text.matchAll(ADDRESS)) {
    const address = withoutTrailing(match[0])
    if (!isWebAddress(address)) continue
    if (++links > MAX_LINKS) break
    if (match.index > end) parts.push({ text: text.slice(end, match.index), href: null })
    parts.push({ text: address, href: address })
    end = match.index + address.length
  }
  if (end < text.length || parts.length === 0) parts.push({ text: text.slice(end), href: null })
  return parts
}

/** Looks at each character once: a pattern that is anchored at the end alone begins again at every run of punctuation. */
function withoutTrailing(address: string): string {
  let end = address.length
  while (end > 0 && TRAILING.includes(address.charAt(end - 1))) end--
  return address.slice(0, end)
}

/** Only an address that the browser itself reads as http or https becomes a link. */
export function isWebAddress(address: string): boolean {
  const url = URL.parse(address)
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:')
}
