import { links, parseRoute } from '../state/routes.ts'

/**
 * The link behind a person's own QR code: it looks the username up, as everybody can who knows it.
 * @param page - address of the app, without a fragment.
 */
export function contactLink(page: string, username: string): string {
  return `${page}${links.find(username)}`
}

/**
 * Where a scanned text leads in this app: to a person, an invitation, or a group. Only its fragment counts, so a code from
 * another address of the network works here, and none leads out of the app.
 * @returns a fragment such as `#/new?find=ada`; null for any other text.
 */
export function linkInCode(text: string): string | null {
  const at = text.indexOf('#/')
  if (at < 0) return null
  const fragment = text.slice(at).trim()
  const route = parseRoute(fragment)
  const isPerson = route.screen === 'people' && route.newChat && route.query !== ''
  return isPerson || route.screen === 'invite' || route.screen === 'join-group' ? fragment : null
}
