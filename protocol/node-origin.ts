/**
 * Which web addresses a node may have: one answer for the operator's settings, the rules of the chain and clients. It looks
 * at the text only, because `URL` is not part of the language; everything that is accepted here, `URL` accepts unchanged.
 */
import { MAX_ADDRESS_LENGTH } from './wire/placement.ts'

/**
 * Ports that browsers, and `fetch` and `WebSocket` of Node.js, refuse to connect to: "bad ports" of the Fetch standard,
 * https://fetch.spec.whatwg.org/#port-blocking.
 */
const BLOCKED_PORTS = new Set([
  1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
  111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
  540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
  6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080
])
const MAX_PORT = 65_535
const MAX_HOST_LENGTH = 253

/** An origin as browsers write it: lower case, no path; no user, no trailing dot, no IPv6 address, no default port. */
const ORIGIN = /^(https?):\/\/([a-z0-9.-]+)(?::([1-9]\d{0,4}))?$/
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
/** A host whose last part looks like a number is an IPv4 address to `URL`, in forms such as `0x7f` too. */
const NUMBER = /^(?:\d+|0x[0-9a-f]*)$/
const OCTET = /^(?:0|[1-9]\d{0,2})$/
const MAX_OCTET = 255
/** Whether such a label is a word depends on tables that change: a node is listed or not for everybody alike. */
const PUNYCODE = 'xn--'

/** Whether browsers refuse to connect to a port, whatever serves it. */
export const isBlockedByBrowsers = (port: number): boolean => BLOCKED_PORTS.has(port)

/** Whether a text is an origin that people, apps and other nodes can use for a node. */
export function isNodeOrigin(address: string): boolean {
  if (address.length > MAX_ADDRESS_LENGTH) return false
  const [, scheme, host = '', port] = ORIGIN.exec(address) ?? []
  if (scheme === undefined || !isHost(host)) return false
  return port === undefined || isUsefulPort(Number(port), scheme)
}

function isUsefulPort(port: number, scheme: string): boolean {
  // Browsers leave the default port out of an origin, and origins are compared as text.
  return port <= MAX_PORT && !isBlockedByBrowsers(port) && port !== (scheme === 'https' ? 443 : 80)
}

function isHost(host: string): boolean {
  const labels = host.split('.')
  if (NUMBER.test(labels.at(-1)!)) return isIpv4(labels)
  const isWord = (label: string): boolean => LABEL.test(label) && !label.startsWith(PUNYCODE)
  return host.length <= MAX_HOST_LENGTH && labels.every(isWord)
}

function isIpv4(parts: string[]): boolean {
  return parts.length === 4 && parts.every(part => OCTET.test(part) && Number(part) <= MAX_OCTET)
}
