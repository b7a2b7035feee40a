/**
 * Signed files, in the form of OpenSSH (PROTOCOL.sshsig), so that `ssh-keygen -Y verify` and Git check them, too. What is signed
 * begins with "SSHSIG", which nothing else that a device signs does: all of that is canonical CBOR, which begins with an array.
 */
import { base64 } from '@scure/base'
import { concatBytes, equalBytes, utf8 } from '../bytes.ts'
import type { Crypto, SigningKey } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { readUtf8 } from '../utf8.ts'
import { readSshPublicKey, readSshSignature, sshPublicKey, sshSignature, sshString, SshReader } from './ssh-wire.ts'

/** Namespace of files: what `ssh-keygen -Y verify -n file` expects. */
export const FILE_NAMESPACE = 'file'
/** Longest armored signature that is read. */
export const MAX_SIGNATURE_TEXT = 4_096

const MAGIC = utf8('SSHSIG')
const VERSION = 1
const HASH = 'sha512'
const HASH_BYTES = 64
const BEGIN = '-----BEGIN SSH SIGNATURE-----'
const END = '-----END SSH SIGNATURE-----'
const LINE_LENGTH = 70

/** A signature, not checked yet. */
export interface FileSignature {
  /** Ed25519, 32 bytes. */
  publicKey: Uint8Array
  namespace: string
  signature: Uint8Array
}

function signedBytes(namespace: string, hash: Uint8Array): Uint8Array {
  if (hash.length !== HASH_BYTES) throw new ProtocolError('MALFORMED', `a SHA-512 has ${HASH_BYTES} bytes`)
  const none = new Uint8Array()
  return concatBytes(MAGIC, sshString(utf8(namespace)), sshString(none), sshString(utf8(HASH)), sshString(hash))
}

/**
 * Signs a file.
 * @param hash - SHA-512 of its content, 64 bytes.
 * @returns the armored signature, with a line end.
 */
export async function signFile(key: SigningKey, hash: Uint8Array, namespace = FILE_NAMESPACE): Promise<string> {
  const version = new Uint8Array([0, 0, 0, VERSION])
  const blob = concatBytes(
    MAGIC,
    version,
    sshString(sshPublicKey(key.publicKey)),
    sshString(utf8(namespace)),
    sshString(new Uint8Array()),
    sshString(utf8(HASH)),
    sshString(sshSignature(await key.sign(signedBytes(namespace, hash))))
  )
  const lines = base64.encode(blob).match(new RegExp(`.{1,${LINE_LENGTH}}`, 'g'))!
  return `${[BEGIN, ...lines, END].join('\n')}\n`
}

/** @throws ProtocolError `MALFORMED`, `TOO_LARGE`, `UNSUPPORTED_VERSION` for a hash or version that is not ours. */
export function parseFileSignature(armored: string): FileSignature {
  if (armored.length > MAX_SIGNATURE_TEXT) throw new ProtocolError('TOO_LARGE', 'a signature is not so long')
  const match = new RegExp(`^\\s*${BEGIN}\\s+([A-Za-z0-9+/=\\s]+)\\s${END}\\s*$`).exec(armored)
  if (!match) throw new ProtocolError('MALFORMED', 'this is no signature of a file')
  const reader = new SshReader(bytesOf(match[1]!.replace(/\s/g, '')))
  if (!equalBytes(reader.bytes(MAGIC.length), MAGIC)) throw new ProtocolError('MALFORMED', 'this is no SSH signature')
  if (reader.uint32() !== VERSION) throw new ProtocolError('UNSUPPORTED_VERSION', 'the signature has another version')
  const publicKey = readSshPublicKey(reader.string())
  const namespace = textOf(reader.string())
  reader.string()
  if (textOf(reader.string()) !== HASH) {
    throw new ProtocolError('UNSUPPORTED_VERSION', `the file was hashed with something else than ${HASH}`)
  }
  const signature = readSshSignature(reader.string())
  reader.end()
  return { publicKey, namespace, signature }
}

function textOf(bytes: Uint8Array): string {
  const text = readUtf8(bytes, 0, bytes.length)
  if (text === undefined) throw new ProtocolError('MALFORMED', 'a text in the signature is not UTF-8')
  return text
}

function bytesOf(text: string): Uint8Array {
  try {
    return base64.decode(text)
  } catch (cause) {
    throw new ProtocolError('MALFORMED', 'the signature is not base64', { cause })
  }
}

/** Whether the key in a signature signed a file. @param hash - SHA-512 of the file, 64 bytes. */
export function isSigned(
  crypto: Pick<Crypto, 'verify'>,
  { publicKey, namespace, signature }: FileSignature,
  hash: Uint8Array
): Promise<boolean> {
  return crypto.verify(publicKey, signedBytes(namespace, hash), signature)
}
