/** A start with a log of signed records: all signatures checked, and taken from the node's own mark. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { FinalTransaction } from '../../chain/follow/chain-change.ts'
import { AppDatabase } from '../../node/app-database.ts'
import { DirectoryRestore } from '../../node/key-directory/directory-restore.ts'
import { KeyDirectory } from '../../node/key-directory/key-directory.ts'
import { VerifiedLog } from '../../node/key-directory/verified-log.ts'
import { followed } from '../support/chain/followed.ts'
import { crypto, genesis, network } from '../support/directory/cast.ts'
import { createRecord, timeOf } from '../support/directory/test-chain.ts'
import { temporaryFolder } from '../support/network/real-processes/node-process.ts'
import { silentLogger } from '../support/silent-logger.ts'
import { report } from './report.ts'

const TRANSACTIONS = 250
/** As many as a publisher puts into a full one. */
const RECORDS = 20
const SPEED_UP_AT_LEAST = 3

/** Measures both kinds of start in one run, so that the ratio says something on any machine. */
export async function benchDirectoryRestore(): Promise<void> {
  const folder = temporaryFolder()
  const database = new AppDatabase(join(folder, 'app'))
  await database.open()
  try {
    const log: FinalTransaction[] = []
    for (let sequence = 0; sequence < TRANSACTIONS; sequence++) {
      const names = Array.from({ length: RECORDS }, (_, i) => `person ${sequence * RECORDS + i}`)
      log.push({ ...followed(await Promise.all(names.map(name => createRecord(name))), sequence + 1), sequence })
    }
    const first = await restoreOnce(database, log)
    const again = await restoreOnce(database, log)
    const perRecord = (milliseconds: number): number => (milliseconds * 1_000) / (TRANSACTIONS * RECORDS)
    report('restore-verifying', 'µs a record', perRecord(first))
    report('restore-from-mark', 'µs a record', perRecord(again))
    report('restore-speed-up', '×', first / again, { target: { atLeast: SPEED_UP_AT_LEAST } })
  } finally {
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @returns milliseconds until the directory is there. */
async function restoreOnce(database: AppDatabase, transactions: FinalTransaction[]): Promise<number> {
  const store = database.storeFor('verified-log')
  const log = new VerifiedLog({ crypto, store, key: new Uint8Array(32) }, { network, version: '1' })
  const clock = (): number => timeOf(TRANSACTIONS)
  const onFatal = (error: Error): never => {
    throw error
  }
  const restore = new DirectoryRestore({ crypto, clock, logger: silentLogger, log, onFatal }, { network, genesis })
  const directory = new KeyDirectory({ crypto: restore.crypto, clock }, { network, genesis })
  const finals = async function* () {
    yield* transactions
  }
  const begin = performance.now()
  await restore.restore(finals, directory)
  const took = performance.now() - begin
  restore.verifyInBackground(finals)
  await restore.verified()
  return took
}
