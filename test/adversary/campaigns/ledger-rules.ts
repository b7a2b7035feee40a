/** Every hand-built transaction, and every hostile record inside a plain one, judged by two implementations of the ledger. */
import type { TransactionId } from '../../../chain/source/chain-source.ts'
import { singleUtxo } from '../../../chain/devnet/faucet.ts'
import { Ledger } from '../../../chain/devnet/ledger.ts'
import { ChainError } from '../../../chain/errors.ts'
import { toHex } from '../../../protocol/bytes.ts'
import { encodeMetadata } from '../../../protocol/directory/metadata.ts'
import { encodeRecord } from '../../../protocol/identity/record.ts'
import { badBytes, badPlace, badSignatures } from '../../support/directory/hostile-records.ts'
import type { LedgerVerdict, SecondLedger } from '../../support/chain/second-ledger.ts'
import {
  ADDRESS,
  COIN,
  handBuilt,
  INPUT_ID,
  LABEL,
  type Deviation
} from '../../unit/chain/devnet/hand-built-transaction.ts'
import { ACCEPTED, DIFFERENT, MATRIX_SLOT, REFUSED } from '../../unit/chain/devnet/transaction-matrix.ts'

/** Something that both ledgers judge. */
interface Case {
  name: string
  transaction: Uint8Array
  /** What Cardano says; `undefined` where only the two are compared. */
  cardano: LedgerVerdict | undefined
}

/** The second implementation counts one byte of the transaction that the ledger does not: 44 lovelace. */
const BYTE_FEE = 44n
const RE_ENCODES = 'it hashes auxiliary data as it would write them, the ledger hashes the bytes that are there'
const NO_NETWORK = 'it does not compare networks'
const SIGNED = 'the devnet reads numbers of metadata, labels included, as signed 64-bit ones'

/** Where the two differ, which of them is wrong by Cardano's rules, and why. The same list stands in docs/decisions/0007. */
export const KNOWN_DISAGREEMENTS: Readonly<Record<string, { wrong: 'devnet' | 'second'; reason: string }>> = {
  'the least fee': { wrong: 'second', reason: 'it counts the byte that marks a transaction as valid, 44 lovelace' },
  'a witness more than needed': { wrong: 'second', reason: 'it refuses key witnesses that nothing asks for' },
  'an indefinite list': { wrong: 'second', reason: RE_ENCODES },
  'a key twice in a metadata map': { wrong: 'second', reason: RE_ENCODES },
  'a number not in its shortest form': { wrong: 'second', reason: RE_ENCODES },
  'a hash without metadata': { wrong: 'second', reason: 'it does not miss auxiliary data that the body names' },
  'a life that is over': { wrong: 'second', reason: 'it takes the slot in which a transaction is no longer valid' },
  'an output below the least': {
    wrong: 'second',
    reason: 'it measures outputs in the old array form, 2 bytes shorter'
  },
  'an address of another network': { wrong: 'second', reason: NO_NETWORK },
  'another network named': { wrong: 'second', reason: NO_NETWORK },
  'a number above the largest signed one': { wrong: 'devnet', reason: SIGNED },
  'a label below zero': { wrong: 'devnet', reason: SIGNED },
  'record: an open array': { wrong: 'second', reason: RE_ENCODES },
  'record: a kind in a longer spelling': { wrong: 'second', reason: RE_ENCODES },
  'record: a time in a longer spelling': { wrong: 'second', reason: RE_ENCODES },
  'record: a map with a key twice in a field': { wrong: 'second', reason: RE_ENCODES },
  'record: a signature in chunks': { wrong: 'second', reason: 'it does not read byte strings in chunks' }
}

/** How the two compare. */
export interface LedgerRulesReport {
  cases: number
  agreed: number
  /** Cases of {@link KNOWN_DISAGREEMENTS} that were met. */
  known: number
  /** One sentence each. */
  failures: string[]
}

/** The cases in order, each with its own name. */
async function cases(): Promise<Case[]> {
  // Where the fee is not the point, both are given what both ask for.
  const paid = (deviation: Deviation): Deviation =>
    deviation.fee === undefined && deviation.feeOffset === undefined ? { ...deviation, feeOffset: BYTE_FEE } : deviation
  const of = (name: string, deviation: Deviation, cardano: LedgerVerdict): Case => ({
    name,
    transaction: handBuilt(paid(deviation)),
    cardano
  })
  const records: Case[] = []
  for (const [name, , build] of [...badBytes, ...badSignatures, ...badPlace]) {
    const record = await build()
    const bytes = record instanceof Uint8Array ? record : encodeRecord(record)
    const auxiliary = encodeMetadata(Number(LABEL), [bytes])
    const transaction = handBuilt({ auxiliary, feeOffset: BYTE_FEE })
    records.push({ name: `record: ${name}`, transaction, cardano: undefined })
  }
  return [
    of('the least fee', { feeOffset: 0n }, 'accepted'),
    ...Object.entries(ACCEPTED).map(([name, deviation]) => of(name, deviation, 'accepted')),
    ...Object.entries(REFUSED).map(([name, deviation]) => of(name, deviation, 'refused')),
    ...Object.entries(DIFFERENT).map(([name, { deviation, cardano }]) => of(name, deviation, cardano)),
    ...records
  ]
}

function judgeOnDevnet(fresh: Ledger, transaction: Uint8Array): LedgerVerdict {
  const ledger = fresh.copy()
  ledger.setSlot(MATRIX_SLOT)
  try {
    ledger.apply(transaction)
    return 'accepted'
  } catch (error) {
    if (error instanceof ChainError && error.code === 'REJECTED') return 'refused'
    throw error
  }
}

/** Lets both judge everything. A disagreement that is not known is a failure, and so is a known one that is gone. */
export async function compareLedgers(second: SecondLedger): Promise<LedgerRulesReport> {
  const utxos = singleUtxo(toHex(INPUT_ID) as TransactionId, ADDRESS, COIN)
  const fresh = await Ledger.load(utxos, Date.now(), 1_000)
  const report: LedgerRulesReport = { cases: 0, agreed: 0, known: 0, failures: [] }
  for (const { name, transaction, cardano } of await cases()) {
    report.cases++
    const verdicts = { devnet: judgeOnDevnet(fresh, transaction), second: second.judge(transaction, MATRIX_SLOT) }
    const known = KNOWN_DISAGREEMENTS[name]
    const told = `${name}: the devnet says ${verdicts.devnet}, ${second.name} says ${verdicts.second}`
    if (verdicts.devnet === verdicts.second) {
      report.agreed++
      if (known) report.failures.push(`${told}, which is known as a disagreement`)
      else if (cardano && cardano !== verdicts.devnet) report.failures.push(`${told}, Cardano says ${cardano}`)
      continue
    }
    if (!known) report.failures.push(told)
    else if (cardano && verdicts[known.wrong] === cardano) report.failures.push(`${told}: ${known.wrong} is right`)
    else report.known++
  }
  if (report.known + report.failures.length < Object.keys(KNOWN_DISAGREEMENTS).length) {
    report.failures.push('a known disagreement is about no case')
  }
  return report
}
