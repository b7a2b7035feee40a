/**
 * The multiaddr of a node's WebSocket, from its public origin.
 *
 * @param url - `https://host[:port]` or `http://host[:port]`.
 * @throws Error for anything else.
 */
export function nodeAddress(url: string): string {
  const { protocol, hostname, port } = new URL(url)
  if (protocol !== 'https:' && protocol !== 'http:') throw new Error(`"${url}" is not the address of a node`)
  const secure = protocol === 'https:'
  return `${hostPart(hostname)}/tcp/${port || (secure ? '443' : '80')}${secure ? '/tls/ws' : '/ws'}`
}

function hostPart(hostname: string): string {
  if (hostname.startsWith('[')) return `/ip6/${hostname.slice(1, -1)}`
  return /^\d+\.\d+\.\d+\.\d+$/.test(hostname) ? `/ip4/${hostname}` : `/dns/${hostname}`
}

/** Whether a host name or address means this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}
