import { beforeAll, describe, expect, it } from 'vitest'
import { utf8 } from '../../../../../protocol/bytes.ts'
import type { ProofTransaction } from '../../../../../protocol/directory/proofs/proof.ts'
import {
  checkReleaseProof,
  decodeReleaseProof,
  encodeReleaseProof,
  type CheckedReleases,
  type ReleaseProof
} from '../../../../../protocol/directory/proofs/release-proof.ts'
import { buildRelease } from '../../../../../protocol/identity/build-record.ts'
import type { RecordOf } from '../../../../../protocol/identity/record.ts'
import {
  bytesOf,
  castKey,
  crypto,
  genesis,
  network,
  otherNetwork,
  releaseKey
} from '../../../../support/directory/cast.ts'
import { blockHashOf, publish } from '../../../../support/directory/published.ts'
import { createRecord, timeOf } from '../../../../support/directory/test-chain.ts'

const releaseOf = (version: string): Promise<RecordOf<'release'>> =>
  buildRelease(network, releaseKey, { version: utf8(version), manifestHash: bytesOf(version), time: 1 })

let honest: ReleaseProof
const tip = { height: 100, hash: blockHashOf(100), time: timeOf(100) }
const proofOf = (...transactions: ProofTransaction[]): ReleaseProof => ({ version: 1, transactions, tip })
const check = (proof: ReleaseProof): Promise<CheckedReleases> => checkReleaseProof(crypto, network, genesis, proof)

beforeAll(async () => {
  honest = proofOf(
    publish([await createRecord('ada'), await releaseOf('1')], 10, 0, [1]),
    publish([await releaseOf('2')], 20)
  )
})

describe('a proof of releases', () => {
  it('shows them in chain order, with their places', async () => {
    const { releases } = await check(decodeReleaseProof(encodeReleaseProof(honest)))
    expect(releases.map(({ version }) => Buffer.from(version).toString())).toEqual(['1', '2'])
    expect(releases.map(({ order }) => order)).toEqual([
      { blockHeight: 10, txIndex: 0, recordIndex: 1 },
      { blockHeight: 20, txIndex: 0, recordIndex: 0 }
    ])
    expect(releases[1]).toMatchObject({ manifestHash: bytesOf('2'), blockHash: blockHashOf(20) })
  })

  it('may be empty', async () => {
    expect(await check(proofOf())).toEqual({ releases: [], tip })
    expect(await checkReleaseProof(crypto, network, { ...genesis, releaseKey: null }, proofOf())).toEqual({
      releases: [],
      tip
    })
  })

  it('is refused with anything in it that is no release of this network', async () => {
    const thief = await castKey('thief')
    const fields = { version: utf8('3'), manifestHash: bytesOf('3'), time: 1 }
    const again = publish([await releaseOf('1')], 30)
    const refused: [string, ReleaseProof][] = [
      ['another key', proofOf(publish([await buildRelease(network, thief, fields)], 10))],
      ['another network', proofOf(publish([await buildRelease(otherNetwork, releaseKey, fields)], 10))],
      ['another kind of record', proofOf(publish([await createRecord('ada')], 10))],
      ['a record that is not there', proofOf(publish([await releaseOf('1')], 10, 0, [1]))],
      ['one release twice', proofOf(...honest.transactions, again)],
      ['a place above the tip', proofOf(publish([await releaseOf('1')], 101))],
      ['another order', proofOf(...honest.transactions.toReversed())]
    ]
    for (const [name, proof] of refused) await expect(check(proof), name).rejects.toMatchObject({ code: 'INVALID' })
    const noKey = checkReleaseProof(crypto, network, { ...genesis, releaseKey: null }, honest)
    await expect(noKey).rejects.toMatchObject({ code: 'INVALID' })
  })

  it('is refused with any bit changed, or nothing that counts is', async () => {
    const encoded = encodeReleaseProof(honest)
    const expected = (await check(honest)).releases.map(({ manifestHash }) => manifestHash)
    for (let bit = 0; bit < encoded.length * 8; bit += 7) {
      const changed = Uint8Array.from(encoded)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      const result = await (async () => check(decodeReleaseProof(changed)))().catch(() => undefined)
      if (result) expect(result.releases.map(({ manifestHash }) => manifestHash)).toEqual(expected)
    }
  })
})
