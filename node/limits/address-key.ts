/**
 * What an address counts as in limits. Addresses come from sockets, and behind a proxy from `X-Forwarded-For`, where a
 * client's own words may stand: every spelling of one address has to give one key, and no text may throw.
 */
import ipaddr from 'ipaddr.js'

/** Bits of an IPv6 address that one customer is given: all addresses below them count as one. */
const IPV6_NETWORK_BITS = 64
/** The well-known prefix under which NAT64 (RFC 6052) shows IPv4 addresses; the last 32 bits are the address. */
const NAT64_PREFIX = ipaddr.IPv6.parseCIDR('64:ff9b::/96')
/** An IPv4 address with a port, as some proxies write it. */
const IPV4_WITH_PORT = /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/
/** An IPv6 address in brackets, with or without a port. */
const IN_BRACKETS = /^\[([^\]]{1,64})\](?::\d{1,5})?$/
/** All that is no address shares one allowance: made-up words must not each have their own. */
const NO_ADDRESS = 'unknown'

/**
 * The key of an address in limits: an IPv4 address in its usual form, also where it came as `::ffff:…` or through NAT64;
 * an IPv6 network of 64 bits, such as `2001:db8:0:0::/64`; `unknown` for anything else. Never throws.
 */
export function addressKey(address: string): string {
  const text = IPV4_WITH_PORT.exec(address)?.[1] ?? IN_BRACKETS.exec(address)?.[1] ?? address
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text).toString()
  if (!ipaddr.IPv6.isValid(text)) return NO_ADDRESS
  const parsed = ipaddr.IPv6.parse(text)
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString()
  if (parsed.match(NAT64_PREFIX)) return new ipaddr.IPv4(parsed.toByteArray().slice(-4)).toString()
  const groups = parsed.parts.slice(0, IPV6_NETWORK_BITS / 16).map(group => group.toString(16))
  return `${groups.join(':')}::/${IPV6_NETWORK_BITS}`
}
