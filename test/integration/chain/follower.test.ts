import { afterEach, describe, expect, test } from 'vitest'
import type { ChainSource } from '../../../chain/source/chain-source.ts'
import type { Follower } from '../../../chain/follow/follower.ts'
import { createChainSource } from '../../../chain/source/blockfrost-source.ts'
import { encodeMetadata } from '../../../protocol/directory/metadata.ts'
import { ChainHarness, Cleanup, LABEL, newCreate, temporaryFolder } from '../../support/chain/chain-harness.ts'
import { eventually } from '../../support/wait-for.ts'
import { startDevnet } from '../../../chain/devnet/start-devnet.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

/** A source that does something before each call of a method. */
function before(source: ChainSource, method: keyof ChainSource, step: () => Promise<unknown>): ChainSource {
  return new Proxy(source, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return async (...parameters: unknown[]) => {
        if (name === method) await step()
        return (value as (...parameters: unknown[]) => unknown).apply(target, parameters)
      }
    }
  })
}

/** Puts transactions with one record each into one block. @returns their ids. */
async function record(harness: ChainHarness, count = 1): Promise<string[]> {
  const parameters = await harness.source.parameters()
  const ids: string[] = []
  let coins = await harness.source.utxos(harness.wallet.address)
  for (let i = 0; i < count; i++) {
    const auxiliaryData = encodeMetadata(LABEL, [(await newCreate()).bytes])
    const timeToLive = harness.devnet.tip.slot + 100_000
    const built = harness.wallet.build({ auxiliaryData, coins, parameters, timeToLive, feeCap: 1_000_000n })
    ids.push(await harness.devnet.submit(built.bytes))
    coins = [built.change]
  }
  await harness.devnet.forge()
  return ids
}

async function start(): Promise<ChainHarness> {
  const harness = await ChainHarness.start(cleanup)
  await harness.fundWallet()
  return harness
}

const provisional = (follower: Follower): string[] => follower.snapshot()!.provisional.map(({ id }) => id)

async function finals(follower: Follower, from = 0): Promise<string[]> {
  const ids: string[] = []
  for await (const { id, sequence } of follower.finals(from)) {
    expect(sequence).toBe(from + ids.length)
    ids.push(id)
  }
  return ids
}

describe('following', () => {
  test('transactions appear with place, bytes and confirmations, in chain order', async () => {
    const harness = await start()
    const follower = await harness.follower()
    const ids = [...(await record(harness, 3)), ...(await record(harness))]
    await harness.devnet.forge(2)
    await follower.poll()
    const seen = follower.snapshot()!.provisional
    expect(seen.map(({ id }) => id)).toEqual(ids)
    expect(seen.map(({ index, confirmations }) => [index, confirmations])).toEqual([
      [0, 3],
      [1, 3],
      [2, 3],
      [0, 2]
    ])
    const stored = await harness.devnet.chain.transaction(seen[0]!.id)
    expect(seen[0]!.bytes).toEqual(stored!.bytes)
    expect(harness.changes.at(-1)!.provisional).toEqual(seen)
  })

  test('what is deep enough moves to the FINAL log and is told once', async () => {
    const harness = await start()
    const follower = await harness.follower({ finalConfirmations: 5 })
    const first = await record(harness, 2)
    await harness.devnet.forge(3)
    const second = await record(harness)
    await follower.poll()
    expect(await finals(follower)).toEqual([])
    await harness.devnet.forge()
    await follower.poll()
    expect(await finals(follower)).toEqual(first)
    expect(provisional(follower)).toEqual(second)
    await harness.devnet.forge()
    await follower.poll()
    const told = harness.changes.flatMap(change => change.final)
    expect(told.map(({ id }) => id)).toEqual(first)
    expect(told[0]!.bytes.length).toBeGreaterThan(100)
    expect(await follower.bytesOf(first[0] as never)).toEqual(told[0]!.bytes)
  })

  test('a long history is caught up from the start, page by page, with progress', async () => {
    const harness = await start()
    const ids: string[] = []
    for (let i = 0; i < 6; i++) ids.push(...(await record(harness, 40)))
    await harness.devnet.forge(10)
    const progress: number[] = []
    const init = {
      finalConfirmations: 5,
      onProgress: ({ transactions }: { transactions: number }) => progress.push(transactions)
    }
    const follower = await harness.follower(init)
    await follower.poll()
    expect(await finals(follower)).toEqual(ids)
    expect(progress).toEqual([100, 200])
    // Only the last change tells that nothing is missing: lists of nodes are made from no less.
    const { tip } = harness.changes.at(-1)!
    expect(harness.changes.map(({ finalThrough }) => finalThrough)).toEqual([undefined, undefined, tip.height - 5])
    expect(follower.health()).toMatchObject({ caughtUp: true, reachable: true, reason: undefined })
  })

  test('a restart goes on from the stored log without telling it again', async () => {
    const harness = await start()
    const first = await harness.follower({ finalConfirmations: 3 })
    const ids = await record(harness, 2)
    await harness.devnet.forge(3)
    const later = await record(harness)
    await first.poll()
    await first.stop()
    harness.changes.length = 0
    const second = await harness.follower({ finalConfirmations: 3 })
    expect(provisional(second)).toEqual(later)
    await harness.devnet.forge(3)
    await second.poll()
    expect(harness.changes.flatMap(change => change.final.map(({ id }) => id))).toEqual(later)
    expect(await finals(second)).toEqual([...ids, ...later])
    expect(await finals(second, 2)).toEqual(later)
  })

  test('a change that its receiver could not take is told again', async () => {
    const harness = await start()
    let isBroken = true
    const told: string[] = []
    const follower = await harness.follower({
      finalConfirmations: 1,
      onChange: change => {
        if (isBroken) throw new Error('the receiver is broken')
        told.push(...change.final.map(({ id }) => id))
      }
    })
    const ids = await record(harness)
    await harness.devnet.forge(2)
    await expect(follower.poll()).rejects.toThrow('the receiver is broken')
    expect(follower.health().reason).toContain('the receiver is broken')
    isBroken = false
    await follower.poll()
    expect(told).toEqual(ids)
  })

  test('two followers of one chain end with the same log, whatever rollbacks one of them saw', async () => {
    const harness = await start()
    const watching = await harness.follower({ finalConfirmations: 6 })
    let random = 12_345
    const next = (limit: number): number => (random = (random * 1_103_515_245 + 12_345) % 2 ** 31) % limit
    for (let i = 0; i < 25; i++) {
      const choice = next(4)
      if (choice === 0 && harness.devnet.tip.height > 8) await harness.devnet.rollback(1 + next(5))
      else if (choice === 1) await harness.devnet.forge(1 + next(3))
      else if ((await harness.source.utxos(harness.wallet.address)).length > 0) {
        if (harness.devnet.mempool.length === 0) await record(harness, 1 + next(3))
      }
      await watching.poll()
    }
    await harness.devnet.forge(10)
    await watching.poll()
    expect(await finals(watching)).toEqual(await harness.onChain())
    expect(provisional(watching)).toEqual([])
  })
})

describe('rollbacks', () => {
  test('a transaction that leaves the chain leaves the view, and is named', async () => {
    const harness = await start()
    const follower = await harness.follower()
    const kept = await record(harness)
    const lost = await record(harness)
    await follower.poll()
    await harness.devnet.rollback(1, { drop: true })
    await follower.poll()
    expect(provisional(follower)).toEqual(kept)
    expect(harness.changes.at(-1)!.rolledBack.map(({ id }) => id)).toEqual(lost)
    expect(await follower.bytesOf(lost[0] as never)).toBeUndefined()
  })

  test('a transaction that moves to another block is told with its new place', async () => {
    const harness = await start()
    const follower = await harness.follower()
    const [id] = await record(harness)
    await follower.poll()
    const old = follower.snapshot()!.provisional[0]!
    await harness.devnet.rollback(1)
    await harness.devnet.forge()
    await follower.poll()
    const moved = follower.snapshot()!.provisional[0]!
    expect(moved.id).toBe(id)
    expect(moved.blockHash).not.toBe(old.blockHash)
    expect(harness.changes.at(-1)!.rolledBack.map(({ blockHash }) => blockHash)).toEqual([old.blockHash])
  })

  test('a rollback while the follower was stopped is seen after its start', async () => {
    const harness = await start()
    const first = await harness.follower()
    const lost = await record(harness)
    await first.poll()
    await first.stop()
    await harness.devnet.rollback(1, { drop: true })
    await harness.devnet.forge(3)
    const second = await harness.follower()
    await second.poll()
    expect(provisional(second)).toEqual([])
    expect(harness.changes.at(-1)!.rolledBack.map(({ id }) => id)).toEqual(lost)
  })

  test.each(['labelPage', 'transaction', 'transactionBytes'] as const)(
    'a rollback in the middle of a reading, before %s, gives no mixture of two chains',
    async method => {
      const harness = await start()
      await record(harness)
      let isArmed = true
      const source = before(harness.source, method, async () => {
        if (!isArmed) return
        isArmed = false
        await harness.devnet.rollback(1, { drop: true })
        await harness.devnet.forge()
      })
      const follower = await harness.follower({}, source)
      await follower.poll()
      expect(isArmed).toBe(false)
      expect(provisional(follower)).toEqual([])
      expect(follower.snapshot()!.tip.hash).toBe((await harness.source.tip()).hash)
    }
  )

  test('a chain that never holds still is reported, not guessed', async () => {
    const harness = await start()
    await record(harness)
    const restless = before(harness.source, 'labelPage', async () => {
      await harness.devnet.rollback(1)
      await harness.devnet.forge()
    })
    const follower = await harness.follower({}, restless)
    await expect(follower.poll()).rejects.toMatchObject({ code: 'TORN_READ' })
    expect(follower.snapshot()).toBeUndefined()
  })

  test('a final transaction that is gone is another chain, and nothing is undone', async () => {
    const harness = await start()
    const follower = await harness.follower({ finalConfirmations: 2 })
    const ids = await record(harness)
    await harness.devnet.forge(3)
    await follower.poll()
    await harness.devnet.rollback(4, { drop: true })
    await harness.devnet.forge(6)
    await expect(follower.poll()).rejects.toMatchObject({ code: 'CONTRADICTION' })
    expect(await finals(follower)).toEqual(ids)
  })
})

describe('sources', () => {
  test('an unreachable chain is a state, and following goes on when it is back', async () => {
    const harness = await start()
    const follower = await harness.follower({ pollMs: 20 })
    await eventually(() => follower.health().caughtUp)
    await harness.running.stop()
    await eventually(() => !follower.health().reachable)
    expect(follower.health().reason).toContain('does not answer')
    await harness.startDevnet()
    await eventually(() => follower.health().reachable)
  })

  test('a source of another network is refused', async () => {
    const harness = await start()
    const follower = await harness.follower({ magic: 1 })
    await expect(follower.poll()).rejects.toMatchObject({ code: 'WRONG_CHAIN' })
  })

  test('a store of another devnet is refused', async () => {
    const harness = await start()
    const first = await harness.follower()
    await first.poll()
    await first.stop()
    const other = await startDevnet({
      dataDir: await temporaryFolder(cleanup),
      blockMs: 0,
      clock: () => Date.now() + 60_000
    })
    cleanup.add(() => other.stop())
    const second = await harness.follower({}, createChainSource({ url: other.url }))
    await expect(second.poll()).rejects.toMatchObject({ code: 'WRONG_CHAIN' })
  })

  test('a list of the devnet that has a flaw is read again, or named, and is never final', async () => {
    const harness = await start()
    const ids = [...(await record(harness, 3)), ...(await record(harness, 2))]
    await harness.devnet.forge(4)
    for (const list of ['short', 'missing', 'repeated', 'reordered'] as const) {
      await harness.control('faults', { list, count: 1 })
      const follower = await harness.follower({ finalConfirmations: 4 })
      await follower.poll()
      expect(await finals(follower), list).toEqual(ids)
      await harness.control('faults', { list })
      await harness.devnet.forge()
      await expect(follower.poll(), list).rejects.toMatchObject({ code: 'INCOMPLETE' })
      expect(await finals(follower)).toEqual(ids)
      await harness.control('faults', {})
      await follower.poll()
      expect(follower.health().reason).toBeUndefined()
      await follower.stop()
    }
  })
})
