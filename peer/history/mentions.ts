/**
 * A mention is the username of a member behind an @, as people type it: it needs no field of its own, stays with an edit, and means
 * the same on every device.
 */

/** Not behind a letter, so that an address such as `bob@ada.example` mentions no person. */
const MENTION = /(?<![\p{L}\p{N}_@])@([a-z0-9_]{3,24})(?![\p{L}\p{N}_])/giu

/** A username in a text, and where it begins and ends: in UTF-16 code units, with its @. */
export interface Mention {
  /** In lower case, without the @. */
  username: string
  start: number
  end: number
}

/** The usernames in a text, whether or not a person has them. */
export function mentionsIn(text: string): Mention[] {
  return [...text.matchAll(MENTION)].map(match => {
    const [whole, username] = match as unknown as [string, string]
    return { username: username.toLowerCase(), start: match.index, end: match.index + whole.length }
  })
}

/** Whether a text mentions a person. @param username - without the @. */
export function isMentioned(text: string, username: string): boolean {
  return mentionsIn(text).some(mention => mention.username === username)
}
