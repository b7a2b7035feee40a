import { afterEach, describe, expect, test } from 'vitest'
import type { RecordStatus } from '../../../chain/publish/record-status.ts'
import { ChainError } from '../../../chain/errors.ts'
import type { RecordId } from '../../../protocol/identity/device.ts'
import { recordIdOf, decodeRecord } from '../../../protocol/identity/record.ts'
import { ChainHarness, Cleanup, crypto, newCreate, newRevoke, NETWORK } from '../../support/chain/chain-harness.ts'
import { eventually } from '../../support/wait-for.ts'
import type { Publisher } from '../../../chain/publish/publisher.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

async function newRecord(): Promise<Uint8Array> {
  return (await newCreate()).bytes
}

const idOf = (bytes: Uint8Array): RecordId => recordIdOf(crypto, NETWORK, decodeRecord(bytes))

async function waitFor(publisher: Publisher, id: RecordId, state: RecordStatus['state']): Promise<RecordStatus> {
  await eventually(async () => (await publisher.status(id))?.state === state, state)
  return (await publisher.status(id))!
}

/** Submitted and in a block. */
async function publish(harness: ChainHarness, publisher: Publisher, bytes: Uint8Array): Promise<RecordId> {
  const id = await publisher.enqueue(bytes)
  await eventually(() => harness.devnet.mempool.length > 0, 'sent')
  await harness.devnet.forge()
  await waitFor(publisher, id, 'recorded')
  return id
}

describe('publishing', () => {
  test('a record goes from the queue into a block and gathers confirmations', async () => {
    const harness = await ChainHarness.start(cleanup)
    await harness.fundWallet()
    const publisher = await harness.publisher()
    const bytes = await newRecord()
    const id = await publish(harness, publisher, bytes)
    await harness.devnet.forge(4)
    await eventually(async () => {
      const status = await publisher.status(id)
      return status?.state === 'recorded' && status.confirmations === 4
    })
    expect(await harness.recordsOnChain()).toEqual([bytes])
  })

  test('a wallet on a devnet is filled by the faucet without being asked', async () => {
    const harness = await ChainHarness.start(cleanup)
    const publisher = await harness.publisher()
    const id = await publisher.enqueue(await newRecord())
    await eventually(() => harness.devnet.mempool.length > 0, 'the gift')
    await harness.devnet.forge()
    await waitFor(publisher, id, 'submitted')
    expect(publisher.health()).toMatchObject({ ok: true, lowBalance: false })
  })

  test('records that arrive together share one transaction', async () => {
    const harness = await ChainHarness.start(cleanup)
    await harness.fundWallet()
    const publisher = await harness.publisher({ batchWaitMs: 2_000 })
    const records = await Promise.all(Array.from({ length: 7 }, newRecord))
    const ids = await Promise.all(records.map(bytes => publisher.enqueue(bytes)))
    await eventually(() => harness.devnet.mempool.length > 0, 'sent')
    await harness.devnet.forge()
    for (const id of ids) await waitFor(publisher, id, 'recorded')
    expect(await harness.onChain()).toHaveLength(1)
    expect(await harness.recordsOnChain()).toEqual(records)
  })

  test('a full batch leaves before its wait is over, and more records follow in chained transactions', async () => {
    const harness = await ChainHarness.start(cleanup)
    await harness.fundWallet()
    const publisher = await harness.publisher({ batchWaitMs: 3_600_000, batchRecords: 5 })
    const records = await Promise.all(Array.from({ length: 12 }, newRecord))
    for (const bytes of records) await publisher.enqueue(bytes)
    await eventually(() => harness.devnet.mempool.length === 2, 'two chained transactions')
    await harness.devnet.forge()
    expect(await harness.recordsOnChain()).toEqual(records.slice(0, 10))
    expect(publisher.health().queuedRecords).toBe(2)
  })

  test('a revocation leaves at once and takes along the record that it follows', async () => {
    const harness = await ChainHarness.start(cleanup)
    await harness.fundWallet()
    const publisher = await harness.publisher({ batchWaitMs: 3_600_000 })
    const [other, parent] = [await newRecord(), await newRecord()]
    await publisher.enqueue(other)
    const revoke = await newRevoke(await publisher.enqueue(parent))
    await publisher.enqueue(revoke)
    await eventually(() => harness.devnet.mempool.length > 0, 'sent')
    await harness.devnet.forge()
    expect(await harness.recordsOnChain()).toEqual([other, parent, revoke])
  })

  test('a record is taken once, however often it is enqueued', async () => {
    const harness = await ChainHarness.start(cleanup)
    await harness.fundWallet()
    const publisher = await harness.publisher({ finalConfirmations: 3 })
    const bytes = await newRecord()
    await Promise.all([publisher.enqueue(bytes), publisher.enqueue(bytes)])
    await publish(harness, publisher, bytes)
    await publisher.enqueue(bytes)
    await harness.devnet.forge(5)
    await eventually(() => publisher.health().liveTransactions === 0)
    await publisher.enqueue(bytes)
    expect(publisher.health().queuedRecords).toBe(0)
    expect(await publisher.status(idOf(bytes))).toMatchObject({ state: 'recorded' })
  })

  test('bytes that are no record are refused', async () => {
    const harness = await ChainHarness.start(cleanup)
    const publisher = await harness.publisher()
    await expect(publisher.enqueue(new Uint8Array(10))).rejects.toMatchObject({ code: 'MALFORMED' })
    await publisher.stop()
    await expect(publisher.enqueue(await newRecord())).rejects.toMatchObject({ code: 'STOPPED' })
  })
})

describe('publishing through trouble', () => {
  test('a rollback that keeps the transaction records it again, once', async () => {
    const harness = await ChainHarness.start(cleanup)
    await harness.fundWallet()
    const publisher = await harness.publisher()
    const bytes = await newRecord()
    const id = await publish(harness, publisher, bytes)
    await harness.devnet.rollback(1)
    await harness.devnet.forge(2)
    await waitFor(publisher, id, 'recorded')
    await harness.devnet.forge(3)
    expect(await harness.recordsOnChain()).toEqual([bytes])
  })

  test('a rollback that loses the transaction has it sent again, once', async () => {
    const harness = await ChainHarness.start(cleanup)
    await harness.fundWallet()
    const publisher = await harness.publisher()
    const bytes = await newRecord()
    const id = await publish(harness, publisher, bytes)
    const before = await harness.onChain()
    await harness.devnet.rollback(1, { drop: true })
    await harness.devnet.forge()
    await eventually(() => harness.devnet.mempool.length === 1, 'sent again')
    await harness.devnet.forge()
    await waitFor(publisher, id, 'recorded')
    expect(await harness.onChain()).toEqual(before)
    await harness.devnet.forge(3)
    expect(await harness.recordsOnChain()).toEqual([bytes])
  })

  test('a submission that was swallowed is sent again after a few blocks', async () => {
    const harness = await ChainHarness.start(cleanup)
    await harness.fundWallet()
    const publisher = await harness.publisher()
    harness.devnet.faults.dropSubmissions = true
    const bytes = await newRecord()
    const id = await publisher.enqueue(bytes)
    await waitFor(publisher, id, 'submitted')
    harness.devnet.faults.dropSubmissions = false
    await eventually(async () => {
      await harness.devnet.forge()
      return (await publisher.status(id))?.state === 'recorded'
    })
    expect(await harness.recordsOnChain()).toEqual([bytes])
  })

  test.each([425, 429, 500, 503])('answers of %i delay a record and do not double it', async status => {
    const harness = await ChainHarness.start(cleanup)
    await harness.fundWallet()
    const publisher = await harness.publisher()
    await harness.control('faults', { status, path: '/tx/submit', count: 5 })
    const bytes = await newRecord()
    const id = await publisher.enqueue(bytes)
    await eventually(() => !publisher.health().ok, 'the delay is told')
    await eventually(() => harness.devnet.mempool.length === 1, 'sent')
    await harness.devnet.forge()
    await waitFor(publisher, id, 'recorded')
    await harness.devnet.forge(3)
    expect(await harness.recordsOnChain()).toEqual([bytes])
    expect(publisher.health().ok).toBe(true)
  })

  test('an answer lost after the transaction was taken does not double its record', async () => {
    const harness = await ChainHarness.start(cleanup)
    await harness.fundWallet()
    const lossy = Object.create(harness.source) as typeof harness.source
    let lost = 0
    lossy.submit = async (...parameters) => {
      await harness.source.submit(...parameters)
      if (lost++ === 0) throw new ChainError('UNREACHABLE', 'the answer was lost')
      return harness.source.submit(...parameters)
    }
    for (const method of ['identity', 'tip', 'block', 'transaction', 'parameters', 'utxos'] as const) {
      lossy[method] = harness.source[method].bind(harness.source) as never
    }
    const publisher = await harness.publisher({}, lossy)
    const bytes = await newRecord()
    const id = await publisher.enqueue(bytes)
    await eventually(() => lost > 0)
    await harness.devnet.forge()
    await waitFor(publisher, id, 'recorded')
    await harness.devnet.forge(4)
    expect(await harness.recordsOnChain()).toEqual([bytes])
  })

  test('a transaction that expired unseen frees its records for another one', async () => {
    const harness = await ChainHarness.start(cleanup)
    await harness.fundWallet()
    const publisher = await harness.publisher({ ttlSlots: 5, expiryDepth: 3 })
    harness.devnet.faults.dropSubmissions = true
    const bytes = await newRecord()
    const id = await publisher.enqueue(bytes)
    const first = await waitFor(publisher, id, 'submitted')
    await harness.devnet.forge(6)
    harness.devnet.faults.dropSubmissions = false
    await eventually(async () => {
      await harness.devnet.forge()
      return (await publisher.status(id))?.state === 'recorded'
    })
    const last = await publisher.status(id)
    expect(last).not.toMatchObject({ transaction: (first as { transaction: string }).transaction })
    expect(await harness.recordsOnChain()).toEqual([bytes])
  })

  test('a restart of the publisher goes on with the same transaction', async () => {
    const harness = await ChainHarness.start(cleanup)
    await harness.fundWallet()
    const before = await harness.publisher()
    harness.devnet.faults.dropSubmissions = true
    const bytes = await newRecord()
    const id = await before.enqueue(bytes)
    const submitted = await waitFor(before, id, 'submitted')
    await before.stop()
    harness.devnet.faults.dropSubmissions = false
    const after = await harness.publisher()
    expect(await after.status(id)).toEqual(submitted)
    await eventually(() => harness.devnet.mempool.length === 1, 'sent again')
    await harness.devnet.forge()
    await waitFor(after, id, 'recorded')
    expect(await harness.recordsOnChain()).toEqual([bytes])
  })

  test('records wait while the devnet is down, and its lost mempool is made good', async () => {
    const harness = await ChainHarness.start(cleanup)
    await harness.fundWallet()
    const publisher = await harness.publisher()
    const [first, second] = [await newRecord(), await newRecord()]
    const firstId = await publisher.enqueue(first)
    await waitFor(publisher, firstId, 'submitted')
    await harness.running.stop()
    const secondId = await publisher.enqueue(second)
    await eventually(() => publisher.health().reasons.some(reason => reason.includes('does not answer')))
    await harness.startDevnet()
    await eventually(async () => {
      await harness.devnet.forge()
      return (await publisher.status(secondId))?.state === 'recorded'
    })
    expect(await publisher.status(firstId)).toMatchObject({ state: 'recorded' })
    expect(await harness.recordsOnChain()).toEqual([first, second])
  })

  test('the hourly budget stops ordinary records and still lets a revocation through', async () => {
    const harness = await ChainHarness.start(cleanup)
    await harness.fundWallet()
    // Two lone records cost 0.35 ADA and three 0.52, above four fifths of this.
    const publisher = await harness.publisher({ hourlyBudget: 640_000n, batchRecords: 1 })
    const ids: RecordId[] = []
    for (let i = 0; i < 2; i++) ids.push(await publish(harness, publisher, await newRecord()))
    const third = await publisher.enqueue(await newRecord())
    await eventually(() => publisher.health().reasons.some(reason => reason.includes('budget')))
    expect(await publisher.status(third)).toEqual({ state: 'queued' })
    await publisher.enqueue(await newRevoke(ids[0]!))
    await eventually(() => harness.devnet.mempool.length > 0, 'the revocation')
    expect(publisher.health().spentLastHour).toBeLessThanOrEqual(640_000n)
  })

  test('an empty wallet is told, and nothing is lost while it is empty', async () => {
    const harness = await ChainHarness.start(cleanup)
    const poor = Object.create(harness.source) as typeof harness.source
    for (const method of ['identity', 'tip', 'block', 'transaction', 'parameters', 'utxos', 'submit'] as const) {
      poor[method] = harness.source[method].bind(harness.source) as never
    }
    Object.defineProperty(poor, 'fund', { value: undefined })
    const publisher = await harness.publisher({}, poor)
    const id = await publisher.enqueue(await newRecord())
    await eventually(() => publisher.health().lowBalance)
    expect(publisher.health().reasons.join(' ')).toContain(harness.wallet.address)
    await harness.fundWallet()
    await waitFor(publisher, id, 'submitted')
  })
})
