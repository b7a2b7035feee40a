import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../protocol/crypto/backends/node-crypto.ts'
import type { DeviceId } from '../../../protocol/identity/device.ts'
import { custodyLeaf } from '../../../protocol/wire/custody.ts'
import type { DeliveryId } from '../../../protocol/wire/envelope.ts'
import { merklePaths, merkleRoot, merkleTree, rootFromPath } from '../../../protocol/wire/merkle.ts'

const crypto = createNodeCrypto()
const anyLeaves = fc.array(fc.uint8Array({ minLength: 1, maxLength: 56 }), { maxLength: 40 })

describe('a tree of deliveries', () => {
  it('has one root, however it is asked for, and a path from each leaf to it', () => {
    fc.assert(
      fc.property(anyLeaves, leaves => {
        const { root, paths } = merkleTree(crypto, leaves)
        expect(root).toEqual(merkleRoot(crypto, leaves))
        expect(paths).toEqual(merklePaths(crypto, leaves))
        for (const [index, leaf] of leaves.entries()) {
          expect(rootFromPath(crypto, leaf, index, leaves.length, paths[index]!)).toEqual(root)
        }
      }),
      { numRuns: 100 }
    )
  })

  it('is SHA-256 of nothing without leaves', () => {
    expect(merkleTree(crypto, [])).toEqual({ root: crypto.sha256(new Uint8Array()), paths: [] })
  })

  it.each<[number, string]>([
    [0, '0000000000000000'],
    [2 ** 32 - 1, '00000000ffffffff'],
    [2 ** 32, '0000000100000000'],
    [1_795_384_800_000, '000001a20545f300'],
    [Number.MAX_SAFE_INTEGER, '001fffffffffffff']
  ])('has the expiry %i in its leaf as eight bytes, %s', (expiry, hex) => {
    const leaf = custodyLeaf(new Uint8Array(32).fill(1) as DeliveryId, new Uint8Array(16).fill(2) as DeviceId, expiry)
    expect(toHex(leaf)).toBe('01'.repeat(32) + '02'.repeat(16) + hex)
  })
})
