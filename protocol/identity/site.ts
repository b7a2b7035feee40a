/**
 * A web site that a person links to their account. The site names the account in a file, so anybody can check it, and nobody has
 * to be believed: `https://SITE/.well-known/volo.json` holds `{ "accounts": ["<account id, lower-case hex>"] }`.
 */
import type { Brand } from '../brand.ts'
import { refine, text, type Codec } from '../codec.ts'
import { ProtocolError } from '../errors.ts'

/** A host name in lower case, such as `ada.example`: no port, no path, no IP address. International names are in their ASCII form. */
export type Site = Brand<string, 'Site'>

/** Sites that one account may link. */
export const MAX_SITES = 8
/** Longest host name (RFC 1035). */
export const MAX_SITE_LENGTH = 253
/** Longest file that is read, in bytes. */
export const MAX_SITE_FILE_BYTES = 16 * 1024
const MAX_ACCOUNTS = 64

/** Where a site names accounts. */
export const SITE_PATH = '/.well-known/volo.json'

const LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
const HOST = new RegExp(`^(${LABEL}\\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$`)

/** Takes a site as people type it: with or without `https://` and a slash at the end. @throws ProtocolError `INVALID`. */
export function parseSite(typed: string): Site {
  const host = typed
    .trim()
    .toLowerCase()
    .replace(/^https:\/\//, '')
    .replace(/\/$/, '')
  if (host.length <= MAX_SITE_LENGTH && HOST.test(host)) return host as Site
  throw new ProtocolError('INVALID', 'a site is a host name such as ada.example, without port and path')
}

/** One site; anything else is malformed. */
export const siteCodec: Codec<Site> = refine(text(MAX_SITE_LENGTH), (value, path) => {
  if (HOST.test(value)) return value as Site
  throw new ProtocolError('MALFORMED', `"${path}" must be a host name`)
})

/** The address of the file of a site. */
export const siteAddress = (site: Site): string => `https://${site}${SITE_PATH}`

/** Whether the file of a site names an account. What cannot be read names nobody. @param account - lower-case hex. */
export function siteNames(file: string, account: string): boolean {
  try {
    const { accounts } = JSON.parse(file) as { accounts?: unknown }
    return Array.isArray(accounts) && accounts.slice(0, MAX_ACCOUNTS).includes(account)
  } catch {
    return false
  }
}
