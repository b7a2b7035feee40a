import { describe, expect, it } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
import { decodeMetadata, encodeMetadata, recordsOfTransaction } from '../../../../protocol/directory/metadata.ts'
import { blake2b256, parseTransaction } from '../../../../protocol/directory/transaction.ts'
import { genesis } from '../../../support/directory/cast.ts'
import {
  body,
  metadataCases,
  outcome,
  plain,
  record,
  replaceBody,
  shelley,
  transactionCases
} from '../../../support/directory/hostile-transactions.ts'
import { arr, FALSE, int, map, rawTransaction, tag } from '../../../support/directory/raw-cbor.ts'

const LABEL = genesis.metadataLabel

describe('metadata', () => {
  it.each(metadataCases)('%s', (_, aux, expected) => {
    expect(outcome(rawTransaction({ aux }))).toBe(expected)
  })

  it('is the same whichever form it comes in', () => {
    const forms = [shelley, arr(shelley, arr()), tag(259, map([int(0), shelley]))]
    for (const form of forms) expect(decodeMetadata(form, LABEL)).toEqual({ kind: 'records', records: [record] })
  })

  it('is written as a map of version and list under the label', () => {
    expect(toHex(encodeMetadata(1, [int(5)]))).toBe('a101a200010181' + '05')
  })
})

describe('a raw transaction', () => {
  it.each(transactionCases)('%s', (_, transaction, expected) => expect(outcome(transaction)).toBe(expected))

  it('is named by the hash of its body alone', () => {
    const { id } = parseTransaction(plain)
    expect(id).toEqual(blake2b256(body))
    expect(parseTransaction(replaceBody(body, map(), FALSE, shelley)).id).toEqual(id)
  })

  it('of the serialization library has the id that the library says', async () => {
    const csl = await import('@emurgo/cardano-serialization-lib-nodejs')
    const body = csl.TransactionBody.new_tx_body(
      csl.TransactionInputs.new(),
      csl.TransactionOutputs.new(),
      csl.BigNum.from_str('0')
    )
    const aux = csl.AuxiliaryData.from_bytes(tag(259, map([int(0), shelley])))
    body.set_auxiliary_data_hash(csl.hash_auxiliary_data(aux))
    const transaction = csl.Transaction.new(body, csl.TransactionWitnessSet.new(), aux)
    const { transactionId, metadata } = recordsOfTransaction(transaction.to_bytes(), LABEL)
    expect(toHex(transactionId)).toBe(
      csl.FixedTransaction.from_bytes(transaction.to_bytes()).transaction_hash().to_hex()
    )
    expect(metadata).toEqual({ kind: 'records', records: [record] })
  })
})
