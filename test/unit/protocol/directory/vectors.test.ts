import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { fromHex, toHex } from '../../../../protocol/bytes.ts'
import { createNobleCrypto } from '../../../../protocol/crypto/noble.ts'
import { directoryDigest } from '../../../../protocol/directory/digest.ts'
import { Directory } from '../../../../protocol/directory/directory.ts'
import { recordsOfTransaction } from '../../../../protocol/directory/metadata.ts'
import { checkProof, decodeProof } from '../../../../protocol/directory/proofs/proof.ts'
import type { AccountId } from '../../../../protocol/identity/device.ts'
import { genesis, network } from '../../../support/directory/cast.ts'
import { DIRECTORY_VECTORS_FILE } from '../../../vectors/generate-directory-vectors.ts'

interface FoldVector {
  genesis: { admittedOperators: string[] }
  records: [bytes: string, order: [number, number, number], blockTime: number, verdict: string][]
  directory: { digest: string }
}

const text = readFileSync(DIRECTORY_VECTORS_FILE, 'utf8')
const vectors = JSON.parse(text) as {
  story: FoldVector
  hostile: { fold: FoldVector }
  transactions: { cases: [name: string, transaction: unknown, id: string | null, outcome: string][] }
  proof: { accountId: string; proof: string; confirmations: number; account: { head: string } }
}
const noble = createNobleCrypto(length => randomBytes(length))

describe('the directory vectors', () => {
  it('are what this build makes', async () => {
    // Other tests of this process put records on the chain of the hostile ones.
    vi.resetModules()
    const { directoryVectors } = await import('../../../vectors/generate-directory-vectors.ts')
    expect(await directoryVectors()).toBe(text)
  })

  it('give the same verdicts and state under the other backend, from their bytes alone', async () => {
    for (const { genesis: init, records, directory } of [vectors.story, vectors.hostile.fold]) {
      const admittedOperators = init.admittedOperators.map(operator => fromHex(operator))
      const folded = Directory.create(noble, network, { releaseKey: genesis.releaseKey, admittedOperators })
      for (const [bytes, [blockHeight, txIndex, recordIndex], blockTime, expected] of records) {
        const order = { blockHeight, txIndex, recordIndex }
        const verdict = await folded.apply({ bytes: fromHex(bytes), order, blockTime })
        expect(verdict.kind === 'accepted' ? 'accepted' : verdict.code).toBe(expected)
      }
      expect(toHex(directoryDigest(noble, network, folded))).toBe(directory.digest)
    }
  })

  it('name their transactions', () => {
    for (const [name, transaction, id] of vectors.transactions.cases) {
      if (typeof transaction !== 'string' || id === null) continue
      const { transactionId } = recordsOfTransaction(fromHex(transaction), genesis.metadataLabel)
      expect(toHex(transactionId), name).toBe(id)
    }
  })

  it('hold a proof that proves', async () => {
    const { accountId, proof, confirmations, account } = vectors.proof
    const checked = await checkProof(
      noble,
      network,
      genesis.metadataLabel,
      fromHex(accountId) as AccountId,
      decodeProof(fromHex(proof))
    )
    expect(checked.confirmations).toBe(confirmations)
    expect(toHex(checked.account.head)).toBe(account.head)
  })

  it('meet every reason to skip a record that the bytes of a chain can lead to', () => {
    const met = new Set(
      [vectors.story, vectors.hostile.fold].flatMap(({ records }) => records.map(record => record[3]))
    )
    for (const code of ['BAD_SIGNATURE', 'STALE', 'DUPLICATE', 'UNKNOWN_PREV', 'DEVICE_KNOWN', 'REVEAL_TOO_EARLY']) {
      expect(met, code).toContain(code)
    }
  })
})
