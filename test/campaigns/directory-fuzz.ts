/** Throws changed and made-up bytes at every parser of records, transactions and proofs; only a ProtocolError may come out. */
import { checkProof, decodeProof, encodeProof } from '../../protocol/directory/proof.ts'
import { decodeMetadata, encodeMetadata, recordsOfTransaction } from '../../protocol/directory/metadata.ts'
import { Directory } from '../../protocol/directory/directory.ts'
import { directoryDigest } from '../../protocol/directory/digest.ts'
import { decodeRevokeMemory } from '../../protocol/directory/revoke-memory.ts'
import { parseRecord } from '../../protocol/directory/parsed-record.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { decodeAttestation } from '../../protocol/identity/attestation.ts'
import { decodeBundle } from '../../protocol/identity/bundle.ts'
import { decodeRegistration } from '../../protocol/identity/registration.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { encodeRecord } from '../../protocol/identity/record.ts'
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { crypto, genesis, network } from '../support/directory/cast.ts'
import { arr, map, int, tag } from '../support/directory/raw-cbor.ts'
import { proofOf, publish } from '../support/directory/published.ts'
import { createRecord, idOf, TestAccount, TestChain } from '../support/directory/test-chain.ts'
import { SeededRandom } from '../support/seeded-random.ts'

/** What the parsers went through. */
export interface FuzzReport {
  inputs: number
  /** Inputs that a parser took. */
  taken: number
  /** The slowest single input, in milliseconds. */
  slowestMs: number
}

const create = await createRecord('fuzz')
const accountId = idOf(create) as Uint8Array as AccountId
const records = await sampleRecords()
const transaction = publish(records, 10)
const proof = encodeProof(proofOf(accountId, [transaction]))
const shelley = encodeMetadata(genesis.metadataLabel, records)
const forms = [shelley, arr(shelley, arr()), tag(259, map([int(0), shelley]))]

async function sampleRecords(): Promise<Uint8Array[]> {
  const chain = new TestChain()
  const account = await TestAccount.create(chain, 'fuzz')
  const add = await account.addRecord('fuzz1', 'fuzz2')
  return [create, add, await account.revokeRecord('fuzz1', 'fuzz1')].map(encodeRecord)
}

interface Target {
  name: string
  samples: Uint8Array[]
  parse: (bytes: Uint8Array) => unknown
}

const targets: Target[] = [
  { name: 'record', samples: records, parse: bytes => parseRecord(crypto, network, bytes) },
  { name: 'metadata', samples: forms, parse: bytes => decodeMetadata(bytes, genesis.metadataLabel) },
  {
    name: 'transaction',
    samples: [transaction.transaction],
    parse: bytes => recordsOfTransaction(bytes, genesis.metadataLabel)
  },
  {
    name: 'proof',
    samples: [proof],
    parse: bytes => checkProof(crypto, network, genesis.metadataLabel, accountId, decodeProof(bytes))
  },
  { name: 'registration', samples: [records[0]!], parse: decodeRegistration },
  { name: 'bundle', samples: [records[0]!], parse: decodeBundle },
  { name: 'attestation', samples: [records[0]!], parse: decodeAttestation },
  { name: 'revoke memory', samples: [records[0]!], parse: decodeRevokeMemory }
]

/** Bytes that begin what is interesting in CBOR: open items, huge counts, breaks, tags. */
const INTERESTING = [0x00, 0x1f, 0x5f, 0x7f, 0x80, 0x9b, 0x9f, 0xa0, 0xbb, 0xbf, 0xc0, 0xd9, 0xf6, 0xf7, 0xfb, 0xff]

function mutate(random: SeededRandom, sample: Uint8Array): Uint8Array {
  let bytes = Uint8Array.from(sample)
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = random.below(Math.max(bytes.length, 1))
    const kind = random.below(5)
    if (kind === 0) bytes[at] = bytes[at]! ^ (1 << random.below(8))
    else if (kind === 1) bytes[at] = random.pick(INTERESTING)
    else if (kind === 2) bytes = bytes.slice(0, at)
    else if (kind === 3)
      bytes = Uint8Array.from([...bytes.slice(0, at), ...random.bytes(1 + random.below(9)), ...bytes.slice(at)])
    else bytes = Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + 1 + random.below(40))])
  }
  return bytes
}

/** @throws Error with the input that made a parser throw anything else than a ProtocolError. */
export async function fuzzDirectoryParsers({ seed, inputs }: { seed: number; inputs: number }): Promise<FuzzReport> {
  const random = new SeededRandom(seed)
  const report: FuzzReport = { inputs: 0, taken: 0, slowestMs: 0 }
  for (; report.inputs < inputs; report.inputs++) {
    const target = random.pick(targets)
    const bytes = random.chance(0.1) ? random.bytes(random.below(300)) : mutate(random, random.pick(target.samples))
    const start = performance.now()
    try {
      await target.parse(bytes)
      report.taken++
    } catch (cause) {
      if (!(cause instanceof ProtocolError)) {
        throw new Error(`the ${target.name} parser broke on ${toHex(bytes)} (seed ${seed})`, { cause })
      }
    }
    report.slowestMs = Math.max(report.slowestMs, performance.now() - start)
  }
  return report
}

/** What indexing junk took. */
export interface JunkReport {
  entries: number
  /** Heap that the directory grew by, in bytes, as far as the runtime tells. */
  heapGrowth: number
  entriesPerSecond: number
}

/** Indexes junk under the label. @throws Error if it changed the state. */
export async function indexJunk({ seed, entries }: { seed: number; entries: number }): Promise<JunkReport> {
  const random = new SeededRandom(seed)
  const directory = Directory.create(crypto, network, genesis)
  await directory.apply({ bytes: records[0]!, order: { blockHeight: 0, txIndex: 0, recordIndex: 0 }, blockTime: 0 })
  const before = directoryDigest(crypto, network, directory)
  const changed = Array.from({ length: 2_000 }, () => mutate(random, random.pick(records)))
  // Two changes may cancel out.
  const samples = changed.filter(bytes => !records.some(record => equalBytes(record, bytes)))
  globalThis.gc?.()
  const heap = process.memoryUsage().heapUsed
  const start = performance.now()
  for (let i = 0; i < entries; i++) {
    const order = { blockHeight: 1 + Math.floor(i / 100), txIndex: i % 100, recordIndex: 0 }
    await directory.apply({ bytes: samples[i % samples.length]!, order, blockTime: i })
  }
  const seconds = (performance.now() - start) / 1000
  globalThis.gc?.()
  const heapGrowth = process.memoryUsage().heapUsed - heap
  const skipped = [...directory.rejectedCounts().values()].reduce((sum, count) => sum + count, 0)
  if (skipped !== entries) throw new Error(`${entries - skipped} junk entries were accepted (seed ${seed})`)
  if (!equalBytes(before, directoryDigest(crypto, network, directory)))
    throw new Error(`junk changed the state (seed ${seed})`)
  return { entries, heapGrowth, entriesPerSecond: Math.round(entries / seconds) }
}
