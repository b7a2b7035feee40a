/** The tables of docs/decisions/0006-scale.md. */
import { DEFAULT_BATCH_RECORDS, DEFAULT_HOURLY_BUDGET } from '../../../chain/publish/publisher.ts'
import { grouped, markdownTable, rounded } from './markdown.ts'
import {
  batchOf,
  BLOCK_BYTES,
  BLOCK_SECONDS,
  CHECKPOINT,
  FIRST_YEAR,
  FULL_TRANSACTION,
  fullBatch,
  LATER_YEARS,
  LOVELACE_PER_ADA,
  NAMES,
  PARAMETERS,
  RECORDS
} from './scale-model.ts'

const YEAR_SECONDS = 365 * 24 * 60 * 60
const DAY_SECONDS = 24 * 60 * 60
const GIGABYTE = 1e9
/** A share of the chain that one use of it may take without crowding others out. */
const FAIR_SHARE = 0.05
const RECORDS_PER_PERSON = FIRST_YEAR.length
const BATCH_SIZES = [1, 2, 4, 10, DEFAULT_BATCH_RECORDS, 40]
const PEOPLE = [1e4, 1e5, 1e6, 1e7, 1e8, 1e9]
const HASH_BYTES = 32
/** Between two checkpoints, where one is planned. */
const CHECKPOINT_SECONDS = 600

const ada = (value: number): string => value.toFixed(6)
const right = (title: string) => ({ title, right: true })

const full = fullBatch(FIRST_YEAR)
const usual = batchOf(FIRST_YEAR, DEFAULT_BATCH_RECORDS)!
const feeEach = {
  alone: FIRST_YEAR.reduce((sum, record) => sum + batchOf([record], 1)!.fee, 0) / RECORDS_PER_PERSON,
  usual: usual.fee / DEFAULT_BATCH_RECORDS,
  full: full.fee / full.count
}
/** What stays on the chain in every mode. */
const names = fullBatch(NAMES)
const checkpointsAYear = (YEAR_SECONDS / CHECKPOINT_SECONDS) * CHECKPOINT.fee
const transactionsPerBlock = Math.floor(BLOCK_BYTES / full.bytes)
const recordsPerSecond = (transactionsPerBlock * full.count) / BLOCK_SECONDS

function recordsTable(): string {
  const columns = [
    { title: 'record' },
    right('bytes'),
    right('ADA alone'),
    right(`ADA each in a batch of ${DEFAULT_BATCH_RECORDS}`),
    right('fit in one transaction'),
    right('ADA each when full')
  ]
  const rows = Object.entries(RECORDS).map(([kind, bytes]) => {
    const most = fullBatch([bytes])
    const batch = batchOf([bytes], DEFAULT_BATCH_RECORDS)!
    return [
      kind,
      grouped(bytes.length),
      ada(batchOf([bytes], 1)!.fee),
      ada(batch.fee / DEFAULT_BATCH_RECORDS),
      grouped(most.count),
      ada(most.fee / most.count)
    ]
  })
  return markdownTable(columns, rows)
}

function batchTable(): string {
  const rows = [...BATCH_SIZES, full.count].map(count => {
    const { bytes, fee } = batchOf(FIRST_YEAR, count)!
    return [grouped(count), grouped(bytes), ada(fee), ada(fee / count), rounded(count / fee)]
  })
  const columns = ['records', 'bytes', 'ADA', 'ADA each', 'records per ADA'].map(right)
  return markdownTable(columns, rows)
}

function peopleTable(): string {
  const rows = PEOPLE.map(people => {
    const records = people * RECORDS_PER_PERSON
    const transactions = records / full.count
    const days = records / recordsPerSecond / DAY_SECONDS
    return [
      grouped(people),
      rounded(records * feeEach.usual),
      rounded(records * feeEach.full),
      rounded(people * NAMES.length * (names.fee / names.count) + checkpointsAYear),
      rounded((transactions * full.bytes) / GIGABYTE),
      rounded(days),
      rounded(days / FAIR_SHARE)
    ]
  })
  const columns = [
    'people',
    `ADA, batches of ${DEFAULT_BATCH_RECORDS}`,
    'ADA, full',
    'ADA, names and checkpoints',
    'GB on chain',
    'days of the whole chain',
    `days at ${100 * FAIR_SHARE} %`
  ].map(right)
  return markdownTable(columns, rows)
}

function ceilingTable(): string {
  const later = fullBatch(LATER_YEARS)
  const joinsPerDay = (recordsPerSecond / RECORDS_PER_PERSON) * DAY_SECONDS
  const keptPeople = ((transactionsPerBlock * later.count) / BLOCK_SECONDS) * YEAR_SECONDS
  const rows = [1, FAIR_SHARE, 0.01].map(share => [
    `${100 * share} %`,
    rounded(recordsPerSecond * share),
    rounded(joinsPerDay * share),
    rounded(keptPeople * share)
  ])
  const columns = ['share of the chain', 'records a second', 'people who join a day', 'people who keep an account'].map(
    right
  )
  return markdownTable(columns, rows)
}

function checkpointTable(): string {
  const intervals: [string, number][] = [
    ['20 s', 20],
    ['1 min', 60],
    ['10 min', 600],
    ['1 h', 3_600]
  ]
  const rows = intervals.map(([name, seconds]) => {
    const count = YEAR_SECONDS / seconds
    const yearly = count * CHECKPOINT.fee
    return [
      name,
      grouped(count),
      rounded(yearly),
      rounded((count * CHECKPOINT.bytes) / GIGABYTE),
      rounded(yearly / feeEach.usual),
      rounded(yearly / feeEach.full)
    ]
  })
  const columns = [
    'one every',
    'a year',
    'ADA a year',
    'GB a year',
    `records a year that cost as much in batches of ${DEFAULT_BATCH_RECORDS}`,
    'and in full ones'
  ].map(right)
  return markdownTable(columns, rows)
}

function proofTable(): string {
  const rows = [1e6, 1e8, 1e10].map(leaves => {
    const hashes = Math.ceil(Math.log2(leaves))
    return [grouped(leaves), grouped(hashes), grouped(hashes * HASH_BYTES)]
  })
  return markdownTable(['records in the log', 'hashes', 'bytes of a path'].map(right), rows)
}

function payingTable(): string {
  const budget = Number(DEFAULT_HOURLY_BUDGET) / LOVELACE_PER_ADA
  const joins = (fee: number): string => rounded(1 / (RECORDS_PER_PERSON * fee))
  const junkAda = (FULL_TRANSACTION.fee / FULL_TRANSACTION.bytes) * GIGABYTE
  return markdownTable(
    [{ title: 'what' }, right('how much')],
    [
      ['people that join for 1 ADA, one record a transaction', joins(feeEach.alone)],
      [`the same in batches of ${DEFAULT_BATCH_RECORDS}`, joins(feeEach.usual)],
      ['the same in full transactions', joins(feeEach.full)],
      ["a node's default budget, ADA an hour", rounded(budget)],
      ['records an hour that it pays for, one a transaction', rounded(budget / feeEach.alone)],
      [`the same in batches of ${DEFAULT_BATCH_RECORDS}`, rounded(budget / feeEach.usual)],
      ['ADA that a year at the full budget costs', rounded((budget * YEAR_SECONDS) / 3_600)],
      ['ADA that 1 GB of junk under the label costs its author', rounded(junkAda)]
    ]
  )
}

function assumptions(): string {
  const { feePerByte, feeBase, maxTransactionSize } = PARAMETERS
  return [
    `Fee ${feePerByte} lovelace a byte and ${feeBase} a transaction; transactions of at most ${grouped(maxTransactionSize)} bytes; blocks of`,
    `${grouped(BLOCK_BYTES)} bytes every ${BLOCK_SECONDS} s, which ${transactionsPerBlock} full transactions of ${grouped(full.bytes)} bytes fit in. Somebody publishes ${RECORDS_PER_PERSON} records in the first year`,
    '(CREATE, NAME commit, NAME reveal, ADD) and one in each later year (every second year an ADD and a REVOKE). A checkpoint is a',
    `transaction of ${grouped(CHECKPOINT.bytes)} bytes that costs ${ada(CHECKPOINT.fee)} ADA.`
  ].join('\n')
}

/** Every generated part of the page by its name. */
export const SCALE_TABLES: Readonly<Record<string, () => string>> = {
  assumptions,
  records: recordsTable,
  batches: batchTable,
  people: peopleTable,
  ceiling: ceilingTable,
  checkpoints: checkpointTable,
  proofs: proofTable,
  paying: payingTable
}
