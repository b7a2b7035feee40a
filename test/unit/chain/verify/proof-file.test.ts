import { describe, expect, it } from 'vitest'
import { decodeProofFile, encodeProofFile } from '../../../../chain/verify/sources/proof-file.ts'
import { compareAnswers } from '../../../../chain/verify/checks/agreement.ts'
import type { Answer } from '../../../../chain/verify/checks/answer.ts'
import { isSameGenesis, parseGenesis, parseNetworkAnswer } from '../../../../chain/verify/sources/network-parameters.ts'
import {
  areIndependent,
  type AccountSource,
  type SourceParty
} from '../../../../chain/verify/sources/account-source.ts'
import { checkProof, encodeProof, type AccountProof } from '../../../../protocol/directory/proofs/proof.ts'
import type { AccountId } from '../../../../protocol/identity/device.ts'
import { crypto, genesis, network } from '../../../support/directory/cast.ts'
import { proofOf, publish } from '../../../support/directory/published.ts'
import { createRecord, idOf } from '../../../support/directory/test-chain.ts'
import { genesisJson } from '../../../support/verify/published-world.ts'

const record = await createRecord('ada')
const accountId = idOf(record) as Uint8Array as AccountId
const proof = proofOf(accountId, [publish([record], 10)], 100)
const parts = { format: 'volo/proof-file', version: 1, genesis, username: 'ada', proof: encodeProof(proof) } as const

describe('a proof file', () => {
  it('comes back as it was written', () => {
    expect(decodeProofFile(encodeProofFile(parts))).toEqual({ proof, genesis, username: 'ada' })
    const placement = { epochBlocks: 2_160, finalBlocks: 2_160, firstList: new Uint8Array(32).fill(1) }
    const following = { ...parts, genesis: { ...genesis, placement } }
    expect(decodeProofFile(encodeProofFile(following)).genesis).toEqual(following.genesis)
    expect(decodeProofFile(encodeProof(proof))).toEqual({ proof, genesis: undefined, username: null })
  })

  it('is malformed with another version, a name that is none, or bytes at its end', () => {
    const malformed = expect.objectContaining({ name: 'VerifyError', code: 'MALFORMED' }) as Error
    const later = encodeProofFile(parts)
    // One byte of head, the format's name with its own, the version.
    later[1 + 1 + parts.format.length] = 2
    expect(() => decodeProofFile(later)).toThrow(malformed)
    expect(() => decodeProofFile(encodeProofFile({ ...parts, username: '../etc' }))).toThrow(malformed)
    expect(() => decodeProofFile(Uint8Array.of(...encodeProofFile(parts), 0))).toThrow(malformed)
    expect(() => decodeProofFile(new Uint8Array(0))).toThrow(malformed)
  })
})

describe('network parameters', () => {
  it('are read plain or from a network file', () => {
    expect(parseGenesis(genesisJson())).toEqual(genesis)
    expect(isSameGenesis(parseGenesis({ version: 1, genesis: genesisJson(), epochs: [] }), genesis)).toBe(true)
  })

  it('are malformed when a field is missing, short, or would make this machine work without end', () => {
    const json = genesisJson() as Record<string, unknown>
    const { nameSalt: _, ...rest } = json
    const broken = [
      rest,
      { ...json, nameSalt: 'ab' },
      { ...json, nameTagCost: { memoryKib: 1 << 30, passes: 1 } },
      [],
      null,
      7
    ]
    for (const value of broken) {
      expect(() => parseGenesis(value)).toThrow(expect.objectContaining({ code: 'MALFORMED' }) as Error)
    }
  })

  it('of a node have to make the network id that it tells', () => {
    const answer = {
      networkId: 'ab'.repeat(32),
      genesis: genesisJson(),
      epoch: { nodes: [] },
      node: 'cd'.repeat(32),
      chain: { label: 'x', emulated: true }
    }
    expect(() => parseNetworkAnswer(crypto, answer)).toThrow(/network id/)
  })
})

function sourceOf(name: string, party?: SourceParty): AccountSource {
  return {
    name,
    kind: 'node',
    party: party ?? { origin: `http://${name}`, nodeKey: name, operator: name },
    proof: async () => undefined,
    claimants: async () => [],
    refresh: () => undefined
  }
}

async function seenBy(name: string, told: AccountProof): Promise<Answer> {
  const checked = await checkProof(crypto, network, genesis.metadataLabel, accountId, told)
  const source = sourceOf(name)
  return {
    kind: 'seen',
    source,
    proof: told,
    checked,
    transactionCount: told.transactions.length,
    pending: [],
    later: checked.account
  }
}

describe('agreement', () => {
  it('of two parties is L2, of one L1, of none L0', async () => {
    const answers = [await seenBy('a', proof), await seenBy('b', proof)]
    expect(compareAnswers(answers)).toMatchObject({ disagreements: [], level: 2 })
    expect(compareAnswers(answers.slice(1))).toMatchObject({ disagreements: [], level: 1 })
    expect(compareAnswers([{ kind: 'absent', source: sourceOf('a'), reason: '' }])).toMatchObject({ level: 0 })
  })

  it('is missing when the same records stand elsewhere', async () => {
    const moved = proofOf(accountId, [{ ...proof.transactions[0]!, txIndex: 3 }], 100)
    const { disagreements, level } = compareAnswers([await seenBy('a', proof), await seenBy('b', moved)])
    expect(disagreements).toMatchObject([{ kind: 'contradiction', source: 'b' }])
    expect(level).toBe(1)
  })

  it('needs other addresses, other keys and other operators', () => {
    const one = sourceOf('one')
    expect(areIndependent(one, sourceOf('two'))).toBe(true)
    expect(areIndependent(one, one)).toBe(false)
    expect(areIndependent(one, sourceOf('x', { origin: 'http://x', nodeKey: 'one', operator: 'x' }))).toBe(false)
    expect(areIndependent(one, sourceOf('x', { origin: 'http://x', nodeKey: 'x', operator: 'one' }))).toBe(false)
    expect(areIndependent(one, sourceOf('x', { origin: 'http://one', nodeKey: 'x', operator: 'x' }))).toBe(false)
    expect(areIndependent(one, sourceOf('server', { origin: 'http://server' }))).toBe(true)
    expect(areIndependent(one, { ...one, party: undefined })).toBe(false)
  })
})
