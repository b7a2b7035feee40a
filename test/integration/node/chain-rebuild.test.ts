import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FollowerStore } from '../../../chain/follow/follower-store.ts'
import { AppDatabase } from '../../../node/app-database.ts'
import type { BlockHash, TransactionId } from '../../../chain/source/chain-source.ts'

const MAIN = new URL('../../../node/main.ts', import.meta.url).pathname

let dataDir: string
let database: AppDatabase
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'volo-rebuild-'))
  database = new AppDatabase(join(dataDir, 'app'))
  await database.open()
})
afterEach(async () => {
  await database.close()
  await rm(dataDir, { recursive: true, force: true })
})

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' })
  return { status, stdout, stderr }
}

/** A log with one transaction, and something that waits to be published. */
async function fill(): Promise<void> {
  const place = {
    id: 'c'.repeat(64) as TransactionId,
    blockHash: 'b'.repeat(64) as BlockHash,
    height: 1,
    index: 0,
    slot: 1,
    time: 1_000
  }
  const tip = { hash: place.blockHash, height: 1, slot: 1, time: 1_000 }
  await new FollowerStore(database.storeFor('follower')).advance(
    [{ ...place, sequence: 0 }],
    { tip, provisional: [] },
    []
  )
  await database.storeFor('epochs').put('lists', '[]', {})
  await database.storeFor('publisher').put('waiting', 'yes', {})
}

describe('volo-node chain rebuild', () => {
  test('forgets what was read of the chain, and keeps what waits to be published', async () => {
    await fill()
    await database.close()
    const { status, stdout } = run('chain', 'rebuild', '--json', '--data-dir', dataDir)
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ forgotten: 3 })
    await database.open()
    expect(await new FollowerStore(database.storeFor('follower')).lastFinal()).toBeUndefined()
    expect(await database.storeFor('epochs').get('lists')).toBeUndefined()
    expect(await database.storeFor('publisher').get('waiting')).toBe('yes')
  })

  test('does nothing while a node uses the folder, and ends with 1', async () => {
    await fill()
    const { status, stderr } = run('chain', 'rebuild', '--data-dir', dataDir)
    expect(status).toBe(1)
    expect(stderr).toContain('Another node uses')
    expect(await new FollowerStore(database.storeFor('follower')).lastFinal()).toBeDefined()
  })

  test('ends with 1 where no node has run, and with 2 for another word', () => {
    expect(run('chain', 'rebuild', '--data-dir', join(dataDir, 'none'))).toMatchObject({ status: 1, stdout: '' })
    expect(run('chain', 'mend', '--data-dir', dataDir)).toMatchObject({ status: 2, stdout: '' })
    expect(run('chain')).toMatchObject({ status: 2, stdout: '' })
  })
})
