/** How fast the directory takes in records, beside the bare rate of the signature check, both in processor time. */
import { Directory } from '../../../protocol/directory/directory.ts'
import type { OrderedRecord } from '../../../protocol/directory/order.ts'
import { checkProof, decodeProof, encodeProof } from '../../../protocol/directory/proofs/proof.ts'
import { blake2b256, parseTransaction } from '../../../protocol/directory/transaction.ts'
import { parseRecord } from '../../../protocol/directory/parsed-record.ts'
import { buildAdd, buildCreate } from '../../../protocol/identity/build-record.ts'
import { deviceIdOf, type AccountId } from '../../../protocol/identity/device.ts'
import { encodeRecord, recordIdOf } from '../../../protocol/identity/record.ts'
import { bytesOf, crypto, genesis, network } from '../../support/directory/cast.ts'
import { proofOf, publish } from '../../support/directory/published.ts'
import { TestAccount, TestChain, timeOf } from '../../support/directory/test-chain.ts'

/** One measurement of the fold. */
export interface FoldRate {
  records: number
  /** Signatures that the fold verified, each of another key or message. */
  signatures: number
  recordsPerSecond: number
  signaturesPerSecond: number
  /** Signatures per second that `crypto.verify` alone does over the same keys, messages and signatures. */
  bareVerifiesPerSecond: number
  /** Processor time of the bare checks over that of the fold: 1 would be a fold that costs nothing itself. */
  ratio: number
  /** Lowest and highest ratio of the rounds. */
  spread: [number, number]
}

/** Accounts of two devices each: a CREATE with one signature and an ADD with two. */
async function records(accounts: number): Promise<OrderedRecord[]> {
  const entries: OrderedRecord[] = []
  const push = (bytes: Uint8Array): void => {
    const blockHeight = Math.floor(entries.length / 100)
    entries.push({
      bytes,
      order: { blockHeight, txIndex: entries.length % 100, recordIndex: 0 },
      blockTime: timeOf(blockHeight)
    })
  }
  for (let i = 0; i < accounts; i++) {
    const [first, second] = [
      await crypto.signingKeyFromSeed(bytesOf(`rate ${i}`)),
      await crypto.signingKeyFromSeed(bytesOf(`rate ${i}b`))
    ]
    const messagingKeyHash = bytesOf(`rate m ${i}`)
    const create = await buildCreate(network, first, { messagingKeyHash, recoveryKey: null, time: i })
    const deviceId = deviceIdOf(crypto, network, create.device)
    const by = { key: first, deviceId, prev: recordIdOf(crypto, network, create), time: i }
    push(encodeRecord(create))
    push(encodeRecord(await buildAdd(network, by, second, messagingKeyHash)))
  }
  return entries
}

/** Notes what the fold asks `verify`, so that the bare run does exactly that. */
async function verifyCalls(entries: OrderedRecord[]): Promise<Parameters<typeof crypto.verify>[]> {
  const calls: Parameters<typeof crypto.verify>[] = []
  const noting = {
    ...crypto,
    verify: (...call: Parameters<typeof crypto.verify>) => (calls.push(call), Promise.resolve(true))
  }
  const directory = Directory.create(noting, network, genesis)
  for (const entry of entries) await directory.apply(entry)
  return calls
}

/** Notes what checking a proof hashes for records and devices, so that the bare run does exactly that. */
async function hashedBytes(
  accountId: AccountId,
  proof: Uint8Array
): Promise<Record<'sha256' | 'blake2b', Uint8Array[]>> {
  const sha256: Uint8Array[] = []
  const noting = { ...crypto, sha256: (bytes: Uint8Array) => (sha256.push(bytes), crypto.sha256(bytes)) }
  await checkProof(noting, network, genesis.metadataLabel, accountId, decodeProof(proof))
  return { sha256, blake2b: [] }
}

/** @param accounts - of two devices and three signatures each. */
export async function measureFold({ accounts }: { accounts: number }): Promise<FoldRate> {
  const entries = await records(accounts)
  const calls = await verifyCalls(entries)
  const fold = async (): Promise<void> => {
    const directory = Directory.create(crypto, network, genesis)
    for (const entry of entries) await directory.apply(entry)
    if (directory.recordCount !== entries.length) throw new Error('the fold skipped a record')
  }
  const bare = async (): Promise<void> => {
    for (const call of calls) if (!(await crypto.verify(...call))) throw new Error('a signature did not verify')
  }
  const { oursMs, bareMs, ratio, spread } = await compareCpu(fold, bare, 5)
  return {
    records: entries.length,
    signatures: calls.length,
    recordsPerSecond: Math.round((1000 * entries.length) / oursMs),
    signaturesPerSecond: Math.round((1000 * calls.length) / oursMs),
    bareVerifiesPerSecond: Math.round((1000 * calls.length) / bareMs),
    ratio: 1 / ratio,
    spread: [1 / spread[1], 1 / spread[0]]
  }
}

/** Milliseconds of processor time of this process, all threads: other work on the machine costs none of it. */
async function cpuMs(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** Ours and the bare work in turns, after one of each that compiles: medians, and those of the rounds' own ratios. */
async function compareCpu(
  ours: () => Promise<void>,
  bare: () => Promise<void>,
  rounds: number
): Promise<{ oursMs: number; bareMs: number; ratio: number; spread: [number, number] }> {
  const times: { ours: number; bare: number }[] = []
  for (let round = 0; round <= rounds; round++) {
    const time = { bare: await cpuMs(bare), ours: await cpuMs(ours) }
    if (round > 0) times.push(time)
  }
  const middle = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!
  const ratios = times.map(time => time.ours / time.bare)
  return {
    oursMs: middle(times.map(time => time.ours)),
    bareMs: middle(times.map(time => time.bare)),
    ratio: middle(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)]
  }
}

/** One measurement of the proof check. */
export interface ProofRate {
  /** Milliseconds of processor time to check one proof. */
  checkMs: number
  /** Milliseconds for its bare hashes and signature checks. */
  bareMs: number
  ratio: number
  /** Lowest and highest ratio of the rounds. */
  spread: [number, number]
}

/** Proofs that are checked in one round. */
const PROOFS = 10

/** The proof of an account with a CREATE and nine ADDs, each in a batch of twenty records. */
export async function measureProof({ rounds }: { rounds: number }): Promise<ProofRate> {
  const chain = new TestChain()
  const strangers = (await records(10)).map(({ bytes }) => bytes).slice(0, 19)
  const account = await TestAccount.create(chain, 'proved', undefined, 10)
  const transactions = chain.entries.map(({ bytes }, i) => publish([bytes, ...strangers], 10 + i, 0, [0]))
  const proof = encodeProof(proofOf(account.accountId, transactions))
  const calls = await verifyCalls(chain.entries)
  const hashed = await hashedBytes(account.accountId, proof)
  for (const { transaction } of transactions) {
    // The body, which is all that stands before the auxiliary data, give or take four bytes; and the auxiliary data.
    const { auxiliaryData } = parseTransaction(transaction)
    hashed.blake2b.push(auxiliaryData!, transaction.subarray(0, transaction.length - auxiliaryData!.length))
  }
  const check = async (): Promise<void> => {
    for (let i = 0; i < PROOFS; i++) {
      await checkProof(crypto, network, genesis.metadataLabel, account.accountId, decodeProof(proof))
    }
  }
  const bare = async (): Promise<void> => {
    for (let i = 0; i < PROOFS; i++) {
      for (const bytes of hashed.blake2b) blake2b256(bytes)
      for (const bytes of hashed.sha256) crypto.sha256(bytes)
      for (const call of calls) await crypto.verify(...call)
    }
  }
  const { oursMs, bareMs, ratio, spread } = await compareCpu(check, bare, rounds)
  return { checkMs: oursMs / PROOFS, bareMs: bareMs / PROOFS, ratio, spread }
}

/** Parsing and naming alone, in records per second: what the fold costs besides signatures. */
export async function measureParse({ accounts }: { accounts: number }): Promise<number> {
  const entries = await records(accounts)
  const start = performance.now()
  for (const { bytes } of entries) parseRecord(crypto, network, bytes)
  return Math.round((1000 * entries.length) / (performance.now() - start))
}
