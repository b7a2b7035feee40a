import { beforeAll, describe, expect, test } from 'vitest'
import { singleUtxo } from '../../../../chain/devnet/faucet.ts'
import { Ledger } from '../../../../chain/devnet/ledger.ts'
import { ChainError } from '../../../../chain/errors.ts'
import { parseRawTransaction } from '../../../../chain/source/raw-transaction.ts'
import { toHex } from '../../../../protocol/bytes.ts'
import type { TransactionId } from '../../../../chain/source/chain-source.ts'
import { ADDRESS, COIN, handBuilt, INPUT_ID, type Deviation } from './hand-built-transaction.ts'
import { ACCEPTED, DIFFERENT, MATRIX_SLOT, REFUSED } from './transaction-matrix.ts'

let fresh: Ledger
beforeAll(async () => {
  fresh = await Ledger.load(singleUtxo(toHex(INPUT_ID) as TransactionId, ADDRESS, COIN), Date.now(), 1_000)
})

function verdict(ledger: Ledger, transaction: Uint8Array): 'accepted' | 'refused' {
  try {
    ledger.apply(transaction)
    return 'accepted'
  } catch (error) {
    expect(error).toBeInstanceOf(ChainError)
    expect((error as ChainError).code).toBe('REJECTED')
    return 'refused'
  }
}

function judge(deviation: Deviation): 'accepted' | 'refused' {
  const ledger = fresh.copy()
  ledger.setSlot(MATRIX_SLOT)
  return verdict(ledger, handBuilt(deviation))
}

describe('the emulated ledger is known to differ on', () => {
  test.each(Object.entries(DIFFERENT))('%s', (_name, { deviation, cardano, emulated }) => {
    expect(judge(deviation)).toBe(emulated)
    expect(cardano).not.toBe(emulated)
  })
})

describe('the emulated ledger accepts', () => {
  test.each(Object.entries(ACCEPTED))('%s', (_name, deviation) => {
    const transaction = handBuilt(deviation)
    const ledger = fresh.copy()
    ledger.setSlot(MATRIX_SLOT)
    expect(ledger.apply(transaction)).toBe(parseRawTransaction(transaction).id)
  })
})

describe('the emulated ledger refuses', () => {
  test.each(Object.entries(REFUSED))('%s', (_name, deviation) => {
    expect(judge(deviation)).toBe('refused')
  })

  test('a coin that is spent, by the same transaction or another', () => {
    const ledger = fresh.copy()
    ledger.setSlot(MATRIX_SLOT)
    expect(verdict(ledger, handBuilt())).toBe('accepted')
    expect(verdict(ledger, handBuilt())).toBe('refused')
    expect(verdict(ledger, handBuilt({ timeToLive: 5_000n }))).toBe('refused')
  })
})
