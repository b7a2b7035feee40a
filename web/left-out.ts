import type { Plugin } from 'vite'

/** What libp2p writes to when a developer asks for its logs: here it is silent. */
const SILENT_LOG = `
  const write = () => Object.assign(() => undefined, { enabled: false })
  const settings = { formatters: {}, names: [], enabled: () => false, enable() {}, disable() {} }
  export default Object.assign(write, settings)`

/** Addresses in the DNS (`/dnsaddr`): no node has one, and asking servers elsewhere for one would tell them of the user. */
const NO_DNS = `
  export const RecordType = { TXT: 16 }
  export const dns = () => ({ query: async () => { throw new Error('addresses in the DNS are not looked up') } })`

/** Of some twenty ways to write bytes, those that an address of today may have. */
const FEW_BASES = `
  import { base32 } from 'multiformats/bases/base32'
  import { base58btc } from 'multiformats/bases/base58'
  import { base64url } from 'multiformats/bases/base64'
  export const bases = { base32, base58btc, base64url }`

/** Libraries that others bring and this app does not need, and what replaces them. */
const LEFT_OUT: Record<string, string> = {
  // The browser store takes Uint8Arrays; where there is no Buffer, it goes without.
  buffer: 'module.exports = false',
  weald: SILENT_LOG,
  '@multiformats/dns': NO_DNS,
  'multiformats/basics': FEW_BASES,
  // Nodes and devices have Ed25519 keys. A node that shows a key of this curve cannot be dialled.
  '@noble/curves/secp256k1.js': 'export const secp256k1 = {}'
}
const PREFIX = '\0left-out:'

/** Keeps out of the bundles what every start would load and none would use. */
export function leftOut(): Plugin {
  return {
    name: 'volo:left-out',
    apply: 'build',
    enforce: 'pre',
    resolveId: source => (Object.hasOwn(LEFT_OUT, source) ? `${PREFIX}${source}` : undefined),
    load: id => (id.startsWith(PREFIX) ? LEFT_OUT[id.slice(PREFIX.length)] : undefined)
  }
}
