/** What a username may be; see docs/protocol.md. */
const USERNAME = /^[a-z0-9_]{3,24}$/

/** A typed name in the form of usernames: without @ and outer blanks, in lower case. */
export function normalizedUsername(typed: string): string {
  return typed.trim().replace(/^@/, '').toLowerCase()
}

/** The username nearest to a name from elsewhere, such as "ada_l" for "Ada L."; empty if nothing usable is left. */
export function usernameLike(name: string): string {
  const letters = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const username = letters
    .replace(/[^a-z0-9_]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 24)
  return isUsername(username) ? username : ''
}

/** Whether this has the form of a username; no node is asked. */
export function isUsername(name: string): boolean {
  return USERNAME.test(name)
}
