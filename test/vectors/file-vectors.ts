/** Fixed values of the file format (docs/file-format.md): how they are made from a seed, and how an implementation is checked. */
import { concatBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { createNobleCrypto } from '../../protocol/crypto/noble.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { decryptFile } from '../../protocol/files/decrypt-file.ts'
import { encryptFile, type FilePointer } from '../../protocol/files/encrypt-file.ts'
import { fileLayout } from '../../protocol/files/file-layout.ts'
import type { NetworkId } from '../../protocol/network.ts'

/** A file whose bytes are written out, or made by {@link patternBytes}. */
interface FileVector {
  size: number
  key: string
  /** SHA-256 of the stored form. */
  hash: string
  storedBytes: number
  /** The first bytes of the stored form. */
  storedHead: string
}

interface RefusedVector {
  name: string
  network: string
  pointer: { hash: string; size: number; key: string }
  /** Small files only, so all of it is here. */
  stored: string
  code: string
}

export interface FileVectors {
  description: string
  network: string
  layout: { size: number; paddedBytes: number; chunks: number; storedBytes: number }[]
  files: FileVector[]
  refused: RefusedVector[]
}

const NETWORK = new Uint8Array(32).fill(0x4e) as Uint8Array as NetworkId
const SIZES = [0, 1, 4096, 4097, 100_000, 1_048_576, 1_048_577, 2_500_000]
const LAYOUT_SIZES = [...SIZES, 4_095, 65_537, 2_097_152, 33_554_433, 104_857_599, 104_857_600]
const HEAD_BYTES = 64

/** Content of a vector: byte `i` is `(7 × i + 3) mod 251`. */
export function patternBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let index = 0; index < size; index++) bytes[index] = (7 * index + 3) % 251
  return bytes
}

const keyOf = (size: number): Uint8Array => new Uint8Array(32).fill((size % 255) + 1)

async function encrypted(crypto: Crypto, size: number): Promise<{ pointer: FilePointer; stored: Uint8Array }> {
  const parts: Uint8Array[] = []
  const env = { crypto, network: NETWORK, random: () => keyOf(size) }
  const pointer = await encryptFile(env, size, streamOf(patternBytes(size)), part => void parts.push(part))
  return { pointer, stored: concatBytes(...parts) }
}

async function* streamOf(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 300_000) yield bytes.subarray(at, at + 300_000)
}

/** Makes the vectors; every run makes the same. */
export async function makeFileVectors(): Promise<FileVectors> {
  const crypto = createNobleCrypto(length => new Uint8Array(length))
  const files: FileVector[] = []
  for (const size of SIZES) {
    const { pointer, stored } = await encrypted(crypto, size)
    const storedHead = toHex(stored.subarray(0, HEAD_BYTES))
    files.push({ size, key: toHex(pointer.key), hash: toHex(pointer.hash), storedBytes: stored.length, storedHead })
  }
  return {
    description:
      'Encrypted files: see docs/file-format.md. Made by test/vectors/generate-file-vectors.ts. Byte i of a content is (7 i + 3) mod 251. Bytes are lower-case hex.',
    network: toHex(NETWORK),
    layout: LAYOUT_SIZES.map(size => fileLayout(size)),
    files,
    refused: await refusedVectors(crypto)
  }
}

async function refusedVectors(crypto: Crypto): Promise<RefusedVector[]> {
  const { pointer, stored } = await encrypted(crypto, 5)
  const changed = (at: number): Uint8Array => stored.with(at < 0 ? stored.length + at : at, stored.at(at)! ^ 1)
  const dirty = await withDirtyPadding(crypto)
  const cases: [name: string, pointer: FilePointer, stored: Uint8Array, code: string, network?: Uint8Array][] = [
    ['version 2', pointer, stored.with(0, 2), 'UNSUPPORTED_VERSION'],
    ['nothing stored', pointer, new Uint8Array(0), 'MALFORMED'],
    ['cut off', pointer, stored.slice(0, -1), 'MALFORMED'],
    ['bytes after the end', pointer, concatBytes(stored, new Uint8Array(1)), 'MALFORMED'],
    ['changed content', pointer, changed(1), 'DECRYPT_FAILED'],
    ['changed padding', pointer, changed(2000), 'DECRYPT_FAILED'],
    ['changed tag', pointer, changed(-1), 'DECRYPT_FAILED'],
    ['another key', { ...pointer, key: keyOf(9) }, stored, 'DECRYPT_FAILED'],
    ['another size of the same length', { ...pointer, size: 6 }, stored, 'DECRYPT_FAILED'],
    ['another network', pointer, stored, 'DECRYPT_FAILED', new Uint8Array(32).fill(1)],
    ['another hash', { ...pointer, hash: new Uint8Array(32) }, stored, 'INVALID'],
    ['size past the limit', { ...pointer, size: 104_857_601 }, stored, 'TOO_LARGE'],
    ['a key of 31 bytes', { ...pointer, key: pointer.key.slice(1) }, stored, 'BAD_KEY'],
    ['padding with a byte that is not zero', dirty.pointer, dirty.stored, 'MALFORMED']
  ]
  return cases.map(([name, { hash, size, key }, bytes, code, network = NETWORK]) => ({
    name,
    network: toHex(network),
    pointer: { hash: toHex(hash), size, key: toHex(key) },
    stored: toHex(bytes),
    code
  }))
}

/** What a hostile sender can make: content behind the end of the file. The backend of the writer adds it. */
async function withDirtyPadding(crypto: Crypto): Promise<{ pointer: FilePointer; stored: Uint8Array }> {
  const dirtyCrypto: Crypto = {
    ...crypto,
    aesGcmSeal: (key, nonce, plaintext, data) => crypto.aesGcmSeal(key, nonce, plaintext.with(4_000, 1), data)
  }
  return encrypted(dirtyCrypto, 5)
}

/** Checks one backend. @returns what differs; nothing if all is as it must be. */
export async function checkFileVectors(vectors: FileVectors, crypto: Crypto): Promise<string[]> {
  const problems: string[] = []
  const same = (what: string, actual: unknown, expected: unknown): void => {
    if (JSON.stringify(actual) !== JSON.stringify(expected)) problems.push(`${what}: ${JSON.stringify(actual)}`)
  }
  for (const layout of vectors.layout) same(`layout of ${layout.size}`, fileLayout(layout.size), layout)
  for (const file of vectors.files) {
    const { pointer, stored } = await encrypted(crypto, file.size)
    same(`hash of ${file.size}`, toHex(pointer.hash), file.hash)
    same(`bytes of ${file.size}`, stored.length, file.storedBytes)
    same(`head of ${file.size}`, toHex(stored.subarray(0, HEAD_BYTES)), file.storedHead)
    const opened = await opens(crypto, NETWORK, pointer, stored)
    same(
      `content of ${file.size}`,
      typeof opened === 'string' ? opened : toHex(crypto.sha256(opened)),
      toHex(crypto.sha256(patternBytes(file.size)))
    )
  }
  for (const { name, network, pointer, stored, code } of vectors.refused) {
    const { hash, size, key } = pointer
    const opened = await opens(
      crypto,
      fromHex(network) as NetworkId,
      { hash: fromHex(hash), size, key: fromHex(key) },
      fromHex(stored)
    )
    same(name, typeof opened === 'string' ? opened : 'accepted', code)
  }
  return problems
}

/** The content, or the code of the refusal. */
async function opens(
  crypto: Crypto,
  network: NetworkId,
  pointer: FilePointer,
  stored: Uint8Array
): Promise<Uint8Array | string> {
  try {
    const parts: Uint8Array[] = []
    for await (const part of decryptFile({ crypto, network }, pointer, streamOf(stored))) parts.push(part)
    return concatBytes(...parts)
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
}
