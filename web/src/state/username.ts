/** What a username may be; see docs/protocol.md. */
const USERNAME = /^[a-z0-9_]{3,24}$/

/** A typed name in the form that names have: no @, no blanks around, lower case. */
export function normalizedUsername(typed: string): string {
  return typed.trim().replace(/^@/, '').toLowerCase()
}

/** Whether this can be a username at all, before anybody is asked. */
export function isUsername(name: string): boolean {
  return USERNAME.test(name)
}
