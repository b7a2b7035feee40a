/** Indexes junk under the label: what anybody can publish there must cost little, and change nothing. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Directory } from '../../../protocol/directory/directory.ts'
import { directoryDigest } from '../../../protocol/directory/digest.ts'
import { encodeMetadata, recordsOfTransaction } from '../../../protocol/directory/metadata.ts'
import { buildAdd, buildCreate, buildRevoke } from '../../../protocol/identity/build-record.ts'
import { ProtocolError } from '../../../protocol/errors.ts'
import { encodeRecord } from '../../../protocol/identity/record.ts'
import { equalBytes } from '../../../protocol/bytes.ts'
import {
  bytesOf,
  castDevice,
  crypto,
  genesis,
  network,
  otherNetwork,
  releaseKey,
  signer
} from '../../support/directory/cast.ts'
import { rawTransaction } from '../../support/directory/raw-cbor.ts'
import { createRecord, TestAccount, TestChain } from '../../support/directory/test-chain.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { mutateBytes, mutateCbor } from './fuzz/mutation.ts'

export interface JunkInit {
  /** Decides everything. */
  seed: number
  entries: number
  budgetMs?: number
}

/** What indexing junk took. */
export interface JunkReport {
  entries: number
  /** Heap that the directory grew by, in bytes. */
  heapGrowth: number
  entriesPerSecond: number
  /** Why entries were skipped. */
  rejected: Record<string, number>
}

/** Records that a chain holds before the junk comes, and some that are well-made and still worth nothing. */
async function samples(): Promise<{ honest: Uint8Array[]; worthless: Uint8Array[] }> {
  const chain = new TestChain()
  const account = await TestAccount.create(chain, 'junk', undefined, 3)
  await chain.accept(await account.revokeRecord('junk1', 'junk3'))
  const [device, revoked, stranger] = [
    await castDevice('junk1'),
    await castDevice('junk3'),
    await castDevice('stranger1')
  ]
  const nowhere = bytesOf('no such record')
  const worthless = await Promise.all([
    buildCreate(otherNetwork, device.key, { ...device.keys, recoveryKey: null, time: 0 }),
    buildAdd(network, signer(device, nowhere), stranger.key, stranger.keys.messagingKeyHash),
    buildAdd(network, signer(stranger, account.state.head), stranger.key, stranger.keys.messagingKeyHash),
    buildRevoke(network, signer(revoked, account.state.head), device.deviceId, 'stolen'),
    buildAdd(network, signer(device, account.accountId), stranger.key, stranger.keys.messagingKeyHash)
  ])
  return { honest: chain.entries.map(({ bytes }) => bytes), worthless: worthless.map(encodeRecord) }
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

/** The junk of one transaction: as a follower gets it, out of raw bytes. */
function junkRecords(random: SeededRandom, pool: readonly Uint8Array[]): readonly Uint8Array[] {
  const records = Array.from({ length: 1 + random.below(20) }, () => {
    const sample = random.pick(pool)
    return random.chance(0.2) ? sample : random.chance(0.5) ? mutateCbor(random, sample) : mutateBytes(random, sample)
  })
  const whole = rawTransaction({ aux: encodeMetadata(genesis.metadataLabel, records) })
  try {
    const { metadata } = recordsOfTransaction(whole, genesis.metadataLabel)
    if (metadata.kind === 'records') return metadata.records
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
  }
  // A spoilt record may break the list around it, and the whole is skipped: then its items are tried one by one.
  return records
}

/** @throws Error if junk was accepted, or changed the state. */
export async function indexJunk({ seed, entries, budgetMs = Infinity }: JunkInit): Promise<JunkReport> {
  const random = new SeededRandom(seed)
  const directory = Directory.create(crypto, network, genesis)
  const { honest, worthless } = await samples()
  for (const [i, bytes] of honest.entries()) {
    const order = { blockHeight: 0, txIndex: i, recordIndex: 0 }
    const verdict = await directory.apply({ bytes, order, blockTime: 0 })
    if (verdict.kind === 'rejected') throw new Error(`an honest record was rejected: ${verdict.code}`)
  }
  const pool = [...honest, ...worthless, releaseKey.publicKey, encodeRecord(await createRecord('other'))]
  // A whole CREATE by itself is no junk: only spoilt forms of it are.
  const createOfAnother = pool.at(-1)!
  const before = directoryDigest(crypto, network, directory)
  collectGarbage()
  const heap = process.memoryUsage().heapUsed
  const start = performance.now()
  let taken = 0
  for (let transaction = 0; taken < entries && performance.now() - start < budgetMs; transaction++) {
    const records = junkRecords(random, pool).filter(bytes => !equalBytes(bytes, createOfAnother))
    for (const [recordIndex, bytes] of records.entries()) {
      const order = { blockHeight: 1 + Math.floor(transaction / 50), txIndex: transaction % 50, recordIndex }
      const verdict = await directory.apply({ bytes, order, blockTime: transaction })
      if (verdict.kind === 'accepted') throw new Error(`junk was accepted as ${verdict.recordKind} (seed ${seed})`)
      if (++taken === entries) break
    }
  }
  const seconds = (performance.now() - start) / 1000
  collectGarbage()
  const heapGrowth = process.memoryUsage().heapUsed - heap
  if (!equalBytes(before, directoryDigest(crypto, network, directory))) {
    throw new Error(`junk changed the state (seed ${seed})`)
  }
  return {
    entries: taken,
    heapGrowth,
    entriesPerSecond: Math.round(taken / seconds),
    rejected: Object.fromEntries(directory.rejectedCounts())
  }
}
