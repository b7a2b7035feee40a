/**
 * A link by which people join a group: the account to ask, and a secret that only those know who have the link. It stands behind
 * the `#` of an address, which browsers send to no server.
 */
import { base64urlnopad } from '@scure/base'
import { bytes, constant, decode, encode, struct, type TypeOf } from '../../protocol/codec.ts'
import { accountIdCodec } from '../../protocol/identity/device.ts'
import { PeerError } from '../errors.ts'

/** Bytes of a link's secret. */
export const GROUP_LINK_SECRET_BYTES = 32
const MAX_LINK_UNITS = 2_000
const MARK = '#join/'

const linkCodec = struct({ version: constant(1), accountId: accountIdCodec, secret: bytes(GROUP_LINK_SECRET_BYTES) })
/** What a link says: neither the group's id nor its name nor its members. */
export type GroupLink = Omit<TypeOf<typeof linkCodec>, 'version'>

/** @param origin - of a node whose app opens the link. */
export function groupLinkText(origin: string, link: GroupLink): string {
  return `${origin}/${MARK}${base64urlnopad.encode(encode(linkCodec, { version: 1, ...link }))}`
}

/** @param text - the address, or what is behind its `#join/`. @throws PeerError `group-link`. */
export function parseGroupLink(text: string): GroupLink {
  const code = text.slice(0, MAX_LINK_UNITS).trim().split(MARK).at(-1)!
  try {
    const { accountId, secret } = decode(linkCodec, base64urlnopad.decode(code), { maxBytes: 128, maxDepth: 1 })
    return { accountId, secret }
  } catch (cause) {
    throw new PeerError('group-link', {}, { cause })
  }
}
