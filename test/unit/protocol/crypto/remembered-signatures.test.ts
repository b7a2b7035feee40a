import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import { rememberingVerify } from '../../../../protocol/crypto/backends/remembered-signatures.ts'

const crypto = createNodeCrypto()

/** A signature of Ada's that holds, and a `verify` that counts how often the curve is asked. */
async function signed() {
  const key = await crypto.signingKeyFromSeed(new Uint8Array(32).fill(3))
  const message = utf8('a record')
  const signature = await key.sign(message)
  const asked = { times: 0 }
  const verify = rememberingVerify({
    sha256: crypto.sha256,
    verify: (...input) => {
      asked.times++
      return crypto.verify(...input)
    }
  })
  return { publicKey: key.publicKey, message, signature, verify, asked }
}

describe('a signature that held', () => {
  it('is not computed again', async () => {
    const { publicKey, message, signature, verify, asked } = await signed()
    for (let i = 0; i < 3; i++) expect(await verify(publicKey, message, signature)).toBe(true)
    expect(asked.times).toBe(1)
  })

  it('says nothing about its neighbours: another message, signature or key is judged by itself', async () => {
    const { publicKey, message, signature, verify } = await signed()
    expect(await verify(publicKey, message, signature)).toBe(true)
    const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
    for (const at of message.keys()) expect(await verify(publicKey, flipped(message, at), signature)).toBe(false)
    for (const at of signature.keys()) expect(await verify(publicKey, message, flipped(signature, at))).toBe(false)
    for (const at of publicKey.keys()) expect(await verify(flipped(publicKey, at), message, signature)).toBe(false)
  })

  it('is not guessed from parts that were moved from the signature into the message', async () => {
    const { publicKey, message, signature, verify } = await signed()
    expect(await verify(publicKey, message, signature)).toBe(true)
    const moved = new Uint8Array([...signature.subarray(63), ...message])
    expect(await verify(publicKey, moved, signature.subarray(0, 63))).toBe(false)
  })

  it('that did not hold is asked about again', async () => {
    const { publicKey, signature, verify, asked } = await signed()
    for (let i = 0; i < 2; i++) expect(await verify(publicKey, utf8('another'), signature)).toBe(false)
    expect(asked.times).toBe(2)
  })
})
