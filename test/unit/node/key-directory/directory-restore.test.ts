import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FinalTransaction } from '../../../../chain/follow/chain-change.ts'
import { AppDatabase } from '../../../../node/app-database.ts'
import { DirectoryRestore } from '../../../../node/key-directory/directory-restore.ts'
import { KeyDirectory } from '../../../../node/key-directory/key-directory.ts'
import { VerifiedLog } from '../../../../node/key-directory/verified-log.ts'
import type { Crypto } from '../../../../protocol/crypto/crypto.ts'
import type { AccountId } from '../../../../protocol/identity/device.ts'
import { decodeRecord, encodeRecord } from '../../../../protocol/identity/record.ts'
import type { NetworkId } from '../../../../protocol/network.ts'
import { changeOf, followed } from '../../../support/chain/followed.ts'
import { crypto, genesis, network } from '../../../support/directory/cast.ts'
import { createRecord, idOf, timeOf } from '../../../support/directory/test-chain.ts'
import { random } from '../../../support/network/in-process/fixtures.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

const ada = await createRecord('ada')
const bob = await createRecord('bob')
const carol = await createRecord('carol')
/** Said to be of Dave, and signed by nobody. */
const forged = encodeRecord({ ...(await createRecord('dave')), deviceSignature: new Uint8Array(64) } as typeof ada)
const log: FinalTransaction[] = [[ada], [forged], [bob], [carol]].map((records, sequence) => ({
  ...followed(records, sequence + 1),
  sequence
}))
const accountOf = (record: typeof ada): AccountId => idOf(record) as Uint8Array as AccountId
const forgedAccount = accountOf(decodeRecord(forged) as typeof ada)

let folder: string
let database: AppDatabase
let checks: number
let key: Uint8Array

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'volo-restore-'))
  database = new AppDatabase(folder)
  await database.open()
  key = random(32)
  checks = 0
})
afterEach(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})

const counting: Crypto = {
  ...crypto,
  verify: (...args) => {
    checks += 1
    return crypto.verify(...args)
  }
}

interface Start {
  transactions?: FinalTransaction[]
  network?: NetworkId
  version?: string
  key?: Uint8Array
}

/** One start of a node: what it has, what it checked before it was ready, and what failed afterwards. */
async function start({ transactions = log, ...facts }: Start = {}) {
  const here = facts.network ?? network
  const store = database.storeFor('verified-log')
  const verifiedLog = new VerifiedLog(
    { crypto, store, key: facts.key ?? key },
    { network: here, version: facts.version ?? '1' }
  )
  const fatal: string[] = []
  const onFatal = ({ message }: Error): void => void fatal.push(message)
  const restore = new DirectoryRestore(
    { crypto: counting, clock: () => timeOf(10), logger: silentLogger, log: verifiedLog, onFatal },
    { network: here, genesis }
  )
  const directory = new KeyDirectory({ crypto: restore.crypto, clock: () => timeOf(10) }, { network: here, genesis })
  const finals = async function* () {
    yield* transactions
  }
  checks = 0
  await restore.restore(finals, directory)
  const checkedAtStart = checks
  await directory.applyChange(changeOf(10, []))
  restore.verifyInBackground(finals)
  await restore.verified()
  return { directory, checkedAtStart, trusted: restore.trustedCount, fatal, verifiedLog }
}

const has = (directory: KeyDirectory, account: AccountId): boolean => directory.current.account(account) !== undefined

describe('a node that starts', () => {
  it('checks each signature of the log once: the next start takes them from its own mark', async () => {
    const first = await start()
    expect([first.trusted, first.checkedAtStart]).toEqual([0, 4])
    const second = await start()
    expect([second.trusted, second.checkedAtStart]).toEqual([4, 0])
    for (const { directory } of [first, second]) {
      expect([ada, bob, carol].map(record => has(directory, accountOf(record)))).toEqual([true, true, true])
      expect(has(directory, forgedAccount)).toBe(false)
    }
  })

  it('checks what came after the mark', async () => {
    await start({ transactions: log.slice(0, 2) })
    const { directory, trusted, checkedAtStart } = await start()
    expect([trusted, checkedAtStart, has(directory, accountOf(carol))]).toEqual([2, 2, true])
  })

  it.each<[string, Start]>([
    [
      'a log that was altered',
      { transactions: [log[0]!, { ...log[1]!, bytes: followed([bob], 2).bytes }, ...log.slice(2)] }
    ],
    ['a log whose places were altered', { transactions: [{ ...log[0]!, height: 9 }, ...log.slice(1)] }],
    ['a log that is shorter than the mark', { transactions: log.slice(0, 3) }],
    ['the mark of another node', { key: random(32) }],
    ['the mark of another version of the program', { version: '2' }],
    ['the mark of another network', { network: random(32) as NetworkId }]
  ])('trusts nothing of %s', async (_what, changes) => {
    await start()
    const { trusted, checkedAtStart, fatal } = await start(changes)
    expect([trusted, fatal]).toEqual([0, []])
    expect(checkedAtStart).toBeGreaterThan(0)
  })

  it('trusts no mark that somebody else wrote, or that was written in part', async () => {
    const { verifiedLog } = await start()
    const store = database.storeFor('verified-log')
    const text = (await store.get('mark'))!
    const { wrong, ...rest } = JSON.parse(text) as { wrong: string[] }
    expect(wrong).toHaveLength(1)
    // Leaving out the wrong signature would make the forged record count.
    for (const spoilt of [JSON.stringify({ ...rest, wrong: [] }), text.slice(0, -9), '', 'null', '{"count":1}']) {
      await store.batch([{ type: 'put', key: 'mark', value: spoilt }], { sync: true })
      expect(await verifiedLog.read(), spoilt).toBeUndefined()
    }
    expect(has((await start()).directory, forgedAccount)).toBe(false)
  })

  it('ends, and verifies everything next time, if its own mark was wrong after all', async () => {
    const { verifiedLog } = await start()
    const mark = (await verifiedLog.read())!
    await verifiedLog.write({ ...mark, wrong: new Set() })
    const deceived = await start()
    expect([deceived.trusted, has(deceived.directory, forgedAccount)]).toEqual([4, true])
    expect(deceived.fatal).toEqual([expect.stringContaining('signatures do not hold') as string])
    const next = await start()
    expect([next.trusted, next.fatal, has(next.directory, forgedAccount)]).toEqual([0, [], false])
  })
})
