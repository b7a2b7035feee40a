/** How fast the directory takes in records, beside the bare rate of the signature check on the same core. */
import { Directory } from '../../protocol/directory/directory.ts'
import type { OrderedRecord } from '../../protocol/directory/order.ts'
import { checkProof, decodeProof, encodeProof } from '../../protocol/directory/proof.ts'
import { blake2b256 } from '../../protocol/directory/transaction.ts'
import { parseRecord } from '../../protocol/directory/parsed-record.ts'
import { buildAdd, buildCreate } from '../../protocol/identity/build-record.ts'
import { deviceIdOf } from '../../protocol/identity/device.ts'
import { encodeRecord, recordIdOf } from '../../protocol/identity/record.ts'
import { bytesOf, crypto, genesis, network } from '../support/directory/cast.ts'
import { proofOf, publish } from '../support/directory/published.ts'
import { TestAccount, TestChain, timeOf } from '../support/directory/test-chain.ts'

/** One measurement of the fold. */
export interface FoldRate {
  records: number
  /** Signatures that the fold verified, each of another key or message. */
  signatures: number
  recordsPerSecond: number
  signaturesPerSecond: number
  /** Signatures per second that `crypto.verify` alone does over the same keys, messages and signatures. */
  bareVerifiesPerSecond: number
  /** Time of the bare checks over the time of the fold: 1 would be a fold that costs nothing itself. */
  ratio: number
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

/** @param accounts - of two devices and three signatures each. */
export async function measureFold({ accounts }: { accounts: number }): Promise<FoldRate> {
  const entries = await records(accounts)
  const calls = await verifyCalls(entries)
  const fold = async (): Promise<number> => {
    const directory = Directory.create(crypto, network, genesis)
    const start = performance.now()
    for (const entry of entries) await directory.apply(entry)
    if (directory.recordCount !== entries.length) throw new Error('the fold skipped a record')
    return performance.now() - start
  }
  const bare = async (): Promise<number> => {
    const start = performance.now()
    for (const call of calls) if (!(await crypto.verify(...call))) throw new Error('a signature did not verify')
    return performance.now() - start
  }
  // Interleaved, and the best of three: other work on the machine hits both alike.
  const [folds, bares]: [number[], number[]] = [[], []]
  for (let i = 0; i < 3; i++) {
    bares.push(await bare())
    folds.push(await fold())
  }
  const [foldMs, bareMs] = [Math.min(...folds), Math.min(...bares)]
  return {
    records: entries.length,
    signatures: calls.length,
    recordsPerSecond: Math.round((1000 * entries.length) / foldMs),
    signaturesPerSecond: Math.round((1000 * calls.length) / foldMs),
    bareVerifiesPerSecond: Math.round((1000 * calls.length) / bareMs),
    ratio: bareMs / foldMs
  }
}

/** One measurement of the proof check. */
export interface ProofRate {
  /** Milliseconds to check one proof. */
  checkMs: number
  /** Milliseconds for its bare hashes and signature checks. */
  bareMs: number
  ratio: number
}

/** The proof of an account with a CREATE and nine ADDs, each in a batch of twenty records. */
export async function measureProof({ rounds }: { rounds: number }): Promise<ProofRate> {
  const chain = new TestChain()
  const strangers = (await records(10)).map(({ bytes }) => bytes).slice(0, 19)
  const account = await TestAccount.create(chain, 'proved', undefined, 10)
  const transactions = chain.entries.map(({ bytes }, i) => publish([bytes, ...strangers], 10 + i, 0, [0]))
  const proof = encodeProof(proofOf(account.accountId, transactions))
  const calls = await verifyCalls(chain.entries)
  const hashed = transactions.map(({ transaction }) => transaction)
  const best = async (work: () => Promise<void>): Promise<number> => {
    let bestMs = Infinity
    for (let i = 0; i < rounds; i++) {
      const start = performance.now()
      await work()
      bestMs = Math.min(bestMs, performance.now() - start)
    }
    return bestMs
  }
  const checkMs = await best(async () => {
    await checkProof(crypto, network, genesis.metadataLabel, account.accountId, decodeProof(proof))
  })
  const bareMs = await best(async () => {
    for (const transaction of hashed) blake2b256(transaction)
    for (const call of calls) await crypto.verify(...call)
  })
  return { checkMs, bareMs, ratio: checkMs / bareMs }
}

/** Parsing and naming alone, in records per second: what the fold costs besides signatures. */
export async function measureParse({ accounts }: { accounts: number }): Promise<number> {
  const entries = await records(accounts)
  const start = performance.now()
  for (const { bytes } of entries) parseRecord(crypto, network, bytes)
  return Math.round((1000 * entries.length) / (performance.now() - start))
}
