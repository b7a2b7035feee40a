/** The messages between the two devices of a linking, in their order. docs/linking.md says what each is for. */
import {
  bytes,
  constant,
  decode,
  encode,
  nullable,
  oneOf,
  refine,
  struct,
  text,
  uint,
  variant,
  type TypeOf
} from '../codec.ts'
import { SIGNATURE_BYTES } from '../crypto/crypto.ts'
import { accountIdCodec, devicePublicKeysCodec, recordIdCodec } from '../identity/device.ts'
import { deviceNameCodec } from '../identity/device-name.ts'
import { displayNameCodec } from '../identity/display-name.ts'
import { isUsername } from '../identity/username.ts'
import { ProtocolError } from '../errors.ts'
import { linkTokenCodec } from './link-token.ts'

/** Bytes of each side's nonce. */
export const LINK_NONCE_BYTES = 32
/** Longest message before it is sealed. */
export const MAX_LINK_MESSAGE_BYTES = 3 * 1024

const signature = bytes(SIGNATURE_BYTES)

const usernameCodec = refine(text(24), (name, path): string => {
  if (!isUsername(name)) throw new ProtocolError('MALFORMED', `"${path}" must be a username`)
  return name
})

/** A username on its way to the public record, so that either device can finish what the other began. */
const nameCodec = struct({
  username: usernameCodec,
  tag: bytes(32),
  salt: bytes(32),
  state: oneOf('reserving', 'reserved', 'recorded', 'taken')
})

const linkMessageCodec = variant({
  /** Old → new: the old device has chosen its nonce, and shows no other keys than its own, before it sees a key. */
  offer: [1, struct({ version: constant(1), commitment: bytes(32), expiresAt: uint() })],
  /** New → old: who wants to be added, signed by its key. */
  request: [
    2,
    struct({
      keys: devicePublicKeysCodec,
      deviceName: deviceNameCodec,
      nonce: bytes(LINK_NONCE_BYTES),
      signature
    })
  ],
  /** Old → new: the nonce and the keys of the commitment; from here on both show the check words. */
  reveal: [3, struct({ nonce: bytes(LINK_NONCE_BYTES), keys: devicePublicKeysCodec })],
  /** Old → new, after its person said yes: the account, and what the ADD record will say beside the new keys. */
  draft: [
    4,
    struct({
      accountId: accountIdCodec,
      prev: recordIdCodec,
      time: uint(),
      displayName: displayNameCodec,
      name: nullable(nameCodec)
    })
  ],
  /** New → old: the new key signs the ADD record. */
  signed: [5, struct({ newDeviceSignature: signature })],
  /** Old → new: the old device counter-signs, and vouches for the newcomer to a node. */
  approval: [6, struct({ deviceSignature: signature, token: linkTokenCodec })],
  /** New → old: a node has taken the record. */
  registered: [7, struct({})],
  /** Either side, at any time: it ends here. */
  ended: [8, struct({ reason: oneOf('cancelled', 'refused', 'expired', 'failed') })]
})

/** A message of either side. */
export type LinkMessage = TypeOf<typeof linkMessageCodec>
/** Names of the messages. */
export type LinkMessageKind = LinkMessage['kind']
/** A message of one kind. */
export type LinkMessageOf<K extends LinkMessageKind> = Extract<LinkMessage, { kind: K }>

/** @throws ProtocolError `TOO_LARGE`. */
export function encodeLinkMessage(message: LinkMessage): Uint8Array {
  return encode(linkMessageCodec, message)
}

/** @throws ProtocolError `MALFORMED`, `TOO_LARGE`. */
export function decodeLinkMessage(plaintext: Uint8Array): LinkMessage {
  return decode(linkMessageCodec, plaintext, { maxBytes: MAX_LINK_MESSAGE_BYTES, maxDepth: 4, maxItems: 32 })
}
