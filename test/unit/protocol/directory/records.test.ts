import { describe, expect, it } from 'vitest'
import type { Cbor } from '../../../../protocol/cbor.ts'
import { directoryDigest } from '../../../../protocol/directory/digest.ts'
import { encodeRecord, SIGNATURE_COUNT } from '../../../../protocol/identity/record.ts'
import { crypto, network } from '../../../support/directory/cast.ts'
import {
  ada,
  add,
  badBytes,
  badPlace,
  badSignatures,
  chain,
  create,
  flipBit,
  itemsOf,
  recover,
  rotate
} from '../../../support/directory/hostile-records.ts'
import { createRecord } from '../../../support/directory/test-chain.ts'

describe('a record that must be skipped', () => {
  for (const [group, cases] of Object.entries({ bytes: badBytes, signatures: badSignatures, place: badPlace })) {
    it.each(cases)(`for its ${group}: %s`, async (_, expected, build) => {
      const before = directoryDigest(crypto, network, chain.directory)
      expect(await chain.refuse(await build())).toBe(expected)
      expect(directoryDigest(crypto, network, chain.directory)).toEqual(before)
    })
  }

  it('is any record with one bit changed', async () => {
    const bytes = encodeRecord(rotate)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const verdict = await chain.put(flipBit(bytes, bit))
      expect(verdict.kind, `bit ${bit}`).toBe('rejected')
    }
    await chain.accept(rotate)
  })
})

describe('a record in metadata', () => {
  it('holds nothing but integers, arrays and byte strings of at most 64 bytes', async () => {
    const isMetadatum = (item: Cbor): boolean =>
      Array.isArray(item)
        ? item.every(isMetadatum)
        : typeof item === 'number' || (item instanceof Uint8Array && item.length <= 64)
    const records = [create, await createRecord('dora', 'code'), add, rotate, await recover(ada, 'x', null)]
    for (const record of records) expect(itemsOf(record).every(isMetadatum), record.kind).toBe(true)
  })

  it('ends with its signatures, which its id does not cover', () => {
    for (const record of [create, add, rotate]) {
      const signatures = itemsOf(record).slice(-SIGNATURE_COUNT[record.kind])
      for (const signature of signatures) expect(signature).toHaveLength(64)
    }
  })
})
