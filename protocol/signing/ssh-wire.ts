/** The pieces that SSH formats are made of (RFC 4251, section 5), as far as Ed25519 keys and signatures need them. */
import { concatBytes, equalBytes, utf8 } from '../bytes.ts'
import { KEY_BYTES, SIGNATURE_BYTES } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'

const ALGORITHM = utf8('ssh-ed25519')

/** `string`: a length of four bytes, then the bytes. */
export function sshString(value: Uint8Array): Uint8Array {
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, value.length)
  return concatBytes(length, value)
}

/** An Ed25519 public key (RFC 8709, section 4). @param key - 32 bytes. */
export const sshPublicKey = (key: Uint8Array): Uint8Array => concatBytes(sshString(ALGORITHM), sshString(key))

/** An Ed25519 signature (RFC 8709, section 6). @param signature - 64 bytes. */
export const sshSignature = (signature: Uint8Array): Uint8Array =>
  concatBytes(sshString(ALGORITHM), sshString(signature))

/** Reads bytes from front to back. */
export class SshReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** @throws ProtocolError `MALFORMED` if fewer are left. */
  bytes(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new ProtocolError('MALFORMED', 'the SSH data ends too early')
    return this.#bytes.slice(this.#at, (this.#at += length))
  }

  uint32(): number {
    const bytes = this.bytes(4)
    return new DataView(bytes.buffer).getUint32(0)
  }

  string(): Uint8Array {
    return this.bytes(this.uint32())
  }

  /** @throws ProtocolError `MALFORMED` if anything is left. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new ProtocolError('MALFORMED', 'the SSH data goes on after its end')
  }
}

/** The 32 bytes of an Ed25519 public key. @throws ProtocolError `MALFORMED`. */
export const readSshPublicKey = (encoded: Uint8Array): Uint8Array => readEd25519(encoded, KEY_BYTES)

/** The 64 bytes of an Ed25519 signature. @throws ProtocolError `MALFORMED`. */
export const readSshSignature = (encoded: Uint8Array): Uint8Array => readEd25519(encoded, SIGNATURE_BYTES)

function readEd25519(encoded: Uint8Array, length: number): Uint8Array {
  const reader = new SshReader(encoded)
  const algorithm = reader.string()
  const value = reader.string()
  reader.end()
  if (equalBytes(algorithm, ALGORITHM) && value.length === length) return value
  throw new ProtocolError('MALFORMED', 'expected an Ed25519 key or signature of SSH')
}
