import { mentionsIn } from '../../../peer/history/mentions.ts'

/** A stretch of a message: plain text, the address of a page, or the mention of a person. */
export interface TextPart {
  text: string
  /** An http or https address, null for plain text. */
  href: string | null
  /** Whom it mentions: username without the @, in lower case; null for everything else. */
  mentioned: string | null
}

/** Longer addresses stay text: no page needs them, and looking for the end of the sentence in them takes long. */
const ADDRESS = /https?:\/\/[^\s<>"']{1,2048}/giu
/** Punctuation that ends a sentence, not an address. */
const TRAILING = '.,;:!?)]}»”’'

/** So many addresses of one message become links, which cost a browser more than letters do. */
const MAX_LINKS = 100

/**
 * Splits a message at the addresses and mentions in it. Joined again, the parts are the text.
 * @param names - usernames that can be mentioned here.
 */
export function textParts(text: string, names: ReadonlySet<string> = new Set()): TextPart[] {
  return atAddresses(text).flatMap(part => (part.href === null ? atMentions(part.text, names) : part))
}

function atMentions(text: string, names: ReadonlySet<string>): TextPart[] {
  const parts: TextPart[] = []
  let end = 0
  const put = (to: number, mentioned: string | null) => {
    if (to > end) parts.push({ text: text.slice(end, to), href: null, mentioned })
    end = to
  }
  for (const mention of names.size === 0 ? [] : mentionsIn(text)) {
    if (!names.has(mention.username)) continue
    put(mention.start, null)
    put(mention.end, mention.username)
  }
  put(text.length, null)
  return parts.length === 0 ? [{ text: '', href: null, mentioned: null }] : parts
}

function atAddresses(text: string): TextPart[] {
  const parts: TextPart[] = []
  let end = 0
  let links = 0
  for (const match of text.matchAll(ADDRESS)) {
    const address = withoutTrailing(match[0])
    if (!isWebAddress(address)) continue
    if (++links > MAX_LINKS) break
    if (match.index > end) parts.push({ text: text.slice(end, match.index), href: null, mentioned: null })
    parts.push({ text: address, href: address, mentioned: null })
    end = match.index + address.length
  }
  if (end < text.length || parts.length === 0) parts.push({ text: text.slice(end), href: null, mentioned: null })
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
