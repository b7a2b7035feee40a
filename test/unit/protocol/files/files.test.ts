import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, equalBytes } from '../../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import { decryptChunk, decryptFile } from '../../../../protocol/files/decrypt-file.ts'
import { encryptFile, type FilePointer } from '../../../../protocol/files/encrypt-file.ts'
import { FILE_CHUNK_BYTES, fileLayout, storedChunk } from '../../../../protocol/files/file-layout.ts'
import { MAX_ATTACHMENT_BYTES } from '../../../../protocol/limits.ts'
import type { NetworkId } from '../../../../protocol/network.ts'
import { allBackends } from '../../../vectors/backends.ts'
import { checkFileVectors, makeFileVectors, patternBytes, type FileVectors } from '../../../vectors/file-vectors.ts'

const crypto = createNodeCrypto()
const network = new Uint8Array(32).fill(1) as Uint8Array as NetworkId
const env = { crypto, network, random: (length: number) => globalThis.crypto.getRandomValues(new Uint8Array(length)) }
const code = (value: string): unknown => expect.objectContaining({ name: 'ProtocolError', code: value })

/** A stream in pieces of the lengths given, over and over. */
async function* inPieces(bytes: Uint8Array, lengths: number[]): AsyncIterable<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const end = at + lengths[turn % lengths.length]!
    yield bytes.subarray(at, end)
    at = end
  }
}

async function encrypt(content: Uint8Array, lengths = [70_000]): Promise<{ pointer: FilePointer; stored: Uint8Array }> {
  const parts: Uint8Array[] = []
  const pointer = await encryptFile(env, content.length, inPieces(content, lengths), part => void parts.push(part))
  return { pointer, stored: concatBytes(...parts) }
}

async function decrypt(pointer: FilePointer, stored: Uint8Array, lengths = [70_000]): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of decryptFile(env, pointer, inPieces(stored, lengths))) parts.push(part)
  return concatBytes(...parts)
}

/** Sizes near the bounds where something changes. */
const sizes = fc.oneof(
  fc.integer({ min: 0, max: 20_000 }),
  fc
    .tuple(fc.constantFrom(4096, FILE_CHUNK_BYTES, 2 * FILE_CHUNK_BYTES), fc.integer({ min: -2, max: 2 }))
    .map(([a, b]) => a + b)
)
const pieces = fc
  .array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 5 })
  .map(lengths => [...lengths, 65_536])

describe('an encrypted file', () => {
  it('opens to the same bytes, however both streams are cut', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, pieces, pieces, async (size, written, read) => {
        const content = patternBytes(size)
        const { pointer, stored } = await encrypt(content, written)
        expect(stored.length).toBe(fileLayout(size).storedBytes)
        expect(equalBytes(await decrypt(pointer, stored, read), content)).toBe(true)
      }),
      { numRuns: 40 }
    )
  })

  it('is refused with any bit changed', async () => {
    const { pointer, stored } = await encrypt(patternBytes(5_000))
    await fc.assert(
      fc.asyncProperty(fc.nat(stored.length - 1), fc.nat(7), async (at, bit) => {
        await expect(decrypt(pointer, stored.with(at, stored[at]! ^ (1 << bit)))).rejects.toMatchObject({
          name: 'ProtocolError'
        })
      }),
      { numRuns: 100 }
    )
  })

  it('is refused at any other length', async () => {
    const { pointer, stored } = await encrypt(patternBytes(5_000))
    await fc.assert(
      fc.asyncProperty(fc.nat(stored.length - 1), async length => {
        await expect(decrypt(pointer, stored.slice(0, length))).rejects.toThrow(code('MALFORMED') as Error)
      }),
      { numRuns: 50 }
    )
  })

  it('is refused with chunks left out, moved, repeated, or taken from another file', async () => {
    const content = patternBytes(3 * FILE_CHUNK_BYTES)
    const { pointer, stored } = await encrypt(content)
    const other = await encrypt(content)
    const layout = fileLayout(content.length)
    const chunk = (index: number, from = stored): Uint8Array => {
      const { start, length } = storedChunk(layout, index)
      return from.subarray(start, start + length)
    }
    const head = stored.subarray(0, 1)
    for (const [chunks, expected] of [
      [[chunk(1), chunk(0), chunk(2)], 'DECRYPT_FAILED'],
      [[chunk(0), chunk(0), chunk(2)], 'DECRYPT_FAILED'],
      [[chunk(0), chunk(1)], 'MALFORMED'],
      [[chunk(0), chunk(2)], 'DECRYPT_FAILED'],
      [[chunk(0), chunk(1, other.stored), chunk(2)], 'DECRYPT_FAILED']
    ] as const) {
      await expect(decrypt(pointer, concatBytes(head, ...chunks))).rejects.toThrow(code(expected) as Error)
    }
    // The last chunk of a shorter file cannot end a longer one, nor the other way round.
    const shorter = { ...pointer, size: 2 * FILE_CHUNK_BYTES }
    await expect(decrypt(shorter, concatBytes(head, chunk(0), chunk(1)))).rejects.toThrow(
      code('DECRYPT_FAILED') as Error
    )
  })

  it('opens chunk by chunk from the middle', async () => {
    const content = patternBytes(2 * FILE_CHUNK_BYTES + 100)
    const { pointer, stored } = await encrypt(content)
    const layout = fileLayout(content.length)
    for (const index of [2, 0, 1]) {
      const { start, length } = storedChunk(layout, index)
      const opened = await decryptChunk(env, pointer, index, stored.subarray(start, start + length))
      const expected = content.subarray(index * FILE_CHUNK_BYTES, (index + 1) * FILE_CHUNK_BYTES)
      expect(equalBytes(opened, expected)).toBe(true)
    }
    await expect(decryptChunk(env, pointer, 3, stored.subarray(0, 20))).rejects.toThrow(code('INVALID') as Error)
    await expect(decryptChunk(env, pointer, 0, stored.subarray(0, 20))).rejects.toThrow(code('MALFORMED') as Error)
  })

  it('gives random bytes no way to fail but a refusal', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 9_000 }),
        fc.nat(10_000),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        async (stored, size, key) => {
          const withVersion = stored.length > 0 && size % 2 === 0 ? stored.with(0, 1) : stored
          await expect(decrypt({ hash: key, size, key }, withVersion)).rejects.toMatchObject({ name: 'ProtocolError' })
        }
      )
    )
  })

  it('is not made of a content with another size than announced', async () => {
    const write = (): void => undefined
    for (const [announced, actual] of [
      [10, 9],
      [10, 11],
      [5_000, 4_999],
      [FILE_CHUNK_BYTES, FILE_CHUNK_BYTES + 1]
    ] as const) {
      const content = inPieces(patternBytes(actual), [4_000])
      await expect(encryptFile(env, announced, content, write)).rejects.toThrow(code('INVALID') as Error)
    }
    await expect(encryptFile(env, MAX_ATTACHMENT_BYTES + 1, inPieces(new Uint8Array(0), [1]), write)).rejects.toThrow(
      code('TOO_LARGE') as Error
    )
  })

  it('never has the same key or hash twice', async () => {
    const [one, two] = [await encrypt(patternBytes(100)), await encrypt(patternBytes(100))]
    expect(equalBytes(one.pointer.key, two.pointer.key)).toBe(false)
    expect(equalBytes(one.pointer.hash, two.pointer.hash)).toBe(false)
  })

  it('ends its source when a reader stops early', async () => {
    const { pointer, stored } = await encrypt(patternBytes(3 * FILE_CHUNK_BYTES))
    let ended = false
    const source = async function* () {
      try {
        yield* inPieces(stored, [100_000])
      } finally {
        ended = true
      }
    }
    for await (const _part of decryptFile(env, pointer, source())) break
    expect(ended).toBe(true)
  })

  it('is padded so that sizes near each other look alike, by at most 12 %', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4_097, max: MAX_ATTACHMENT_BYTES }), size => {
        const { paddedBytes } = fileLayout(size)
        expect(paddedBytes).toBeGreaterThanOrEqual(size)
        expect(paddedBytes).toBeLessThanOrEqual(size * 1.12)
        expect(fileLayout(Math.min(paddedBytes, MAX_ATTACHMENT_BYTES)).paddedBytes).toBe(paddedBytes)
      })
    )
    expect(new Set([0, 1, 100, 4_096].map(size => fileLayout(size).storedBytes)).size).toBe(1)
  })
})

const backends = await allBackends()

describe('the vectors of encrypted files', () => {
  const vectors = JSON.parse(
    readFileSync(new URL('../../../vectors/files.json', import.meta.url), 'utf8')
  ) as FileVectors

  for (const backend of backends) {
    it(`hold on ${backend.name}`, async () => {
      expect(await checkFileVectors(vectors, backend)).toEqual([])
    })
  }

  it('are made again as they are', async () => {
    expect(await makeFileVectors()).toEqual(vectors)
  })
})
