/** A device's signing key in the forms that other tools take. */
import { base64, base64urlnopad } from '@scure/base'
import { sshPublicKey } from './ssh-wire.ts'

/** A key and whose it is. */
export interface NamedKey {
  /** Ed25519, 32 bytes. */
  publicKey: Uint8Array
  /** Lower-case hex. */
  deviceId: string
  /** Who signs, for tools that ask: the username without the @, or the account id. No spaces, commas or quotes. */
  principal: string
}

/** The key as a line of `authorized_keys` or a `.pub` file. */
export const sshKeyLine = ({ publicKey, deviceId, principal }: NamedKey): string =>
  `ssh-ed25519 ${base64.encode(sshPublicKey(publicKey))} volo:${principal}:${deviceId}`

/** A line of an allowed signers file (ssh-keygen(1)), good for files and for Git. */
export const allowedSignerLine = (key: NamedKey): string => `${key.principal} namespaces="file,git" ${sshKeyLine(key)}`

/** A JSON Web Key (RFC 8037). */
export const jwkOf = ({ publicKey, deviceId }: NamedKey) => ({
  kty: 'OKP',
  crv: 'Ed25519',
  x: base64urlnopad.encode(publicKey),
  use: 'sig',
  alg: 'EdDSA',
  kid: deviceId
})
