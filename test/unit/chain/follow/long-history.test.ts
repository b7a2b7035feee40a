import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import {
  LABEL_PAGE_SIZE,
  type Block,
  type ChainSource,
  type LabelPageOptions,
  type TransactionId,
  type TransactionPlace
} from '../../../../chain/source/chain-source.ts'
import { Follower, type FollowerInit } from '../../../../chain/follow/follower.ts'
import type { ChainChange } from '../../../../chain/follow/chain-change.ts'
import { MemoryStore, SimulatedChain } from '../../../support/chain/simulated-chain.ts'

const FINAL_CONFIRMATIONS = 5
const PATIENCE = { timeout: 60_000 }

let follower: Follower
let changes: ChainChange[]
afterEach(() => follower.stop())

async function follow(source: ChainSource, init: Partial<FollowerInit> = {}): Promise<void> {
  changes = []
  follower = new Follower(
    { source, store: new MemoryStore() },
    {
      label: 1,
      magic: 42,
      // Nothing below may wait for a poll.
      pollMs: 3_600_000,
      finalConfirmations: FINAL_CONFIRMATIONS,
      onChange: change => void changes.push(change),
      ...init
    }
  )
  await follower.start()
}

/** All that a follower tells: the FINAL log and what stands above it. */
async function told(): Promise<string[]> {
  const ids: string[] = []
  for await (const { id } of follower.finals()) ids.push(id)
  return [...ids, ...follower.snapshot()!.provisional.map(({ id }) => id)]
}

/** Blocks of a page each. */
function chainOf(pages: number, chain = new CountingChain()): CountingChain {
  for (let i = 0; i < pages; i++) chain.grow(LABEL_PAGE_SIZE)
  return chain
}

/** Counts the pages asked for after each look at the tip. */
class CountingChain extends SimulatedChain {
  readonly pagesPerRound: number[] = []

  override tip(): Promise<Block> {
    this.pagesPerRound.push(0)
    // As a real source, it lets others have their turn.
    return setImmediate().then(() => super.tip())
  }

  override labelPage(label: number, options: LabelPageOptions): Promise<TransactionId[]> {
    this.pagesPerRound[this.pagesPerRound.length - 1]!++
    return super.labelPage(label, options)
  }
}

/** Tells of ever more transactions in its first block. */
class EndlessChain extends CountingChain {
  override async labelPage(label: number, options: LabelPageOptions): Promise<TransactionId[]> {
    await super.labelPage(label, options)
    const first = (options.page - 1) * LABEL_PAGE_SIZE
    return Array.from({ length: LABEL_PAGE_SIZE }, (_, row) => String(first + row).padStart(64, '0') as TransactionId)
  }

  override async transaction(id: TransactionId): Promise<TransactionPlace> {
    return { ...this.places()[0]!, id, index: Number(id) }
  }

  override async transactionBytes(id: TransactionId): Promise<Uint8Array> {
    return Buffer.from(id, 'hex')
  }
}

describe('a history longer than one round reads', () => {
  test.each([1, 2])(
    'is read in rounds of %i pages without a pause, and is caught up at its end only',
    async maxPages => {
      const chain = chainOf(7)
      for (let i = 0; i < FINAL_CONFIRMATIONS; i++) chain.grow(i === 3 ? 7 : 0)
      const caughtUp: boolean[] = []
      await follow(chain, {
        maxPages,
        onChange: change => {
          changes.push(change)
          caughtUp.push(follower.health().caughtUp)
        }
      })
      await expect.poll(() => follower.health().caughtUp, PATIENCE).toBe(true)
      expect(await told()).toEqual(chain.transactions())
      expect(changes.length).toBeGreaterThan(1)
      // Told only once nothing can be missing: lists of nodes are made from no less.
      const { height } = await chain.tip()
      expect(changes.map(({ finalThrough }) => finalThrough)).toEqual([
        ...changes.slice(1).map(() => undefined),
        height - FINAL_CONFIRMATIONS
      ])
      expect(caughtUp).toEqual(changes.map(() => false))
    }
  )

  test('ends the claim to be caught up when it grew while nobody looked', async () => {
    const chain = chainOf(1)
    await follow(chain, { maxPages: 2 })
    await expect.poll(() => follower.health().caughtUp, PATIENCE).toBe(true)
    for (let i = 0; i < 5; i++) chain.grow(LABEL_PAGE_SIZE)
    for (let i = 0; i < FINAL_CONFIRMATIONS; i++) chain.grow(0)
    await follower.poll()
    expect(follower.health()).toMatchObject({ caughtUp: false, reason: undefined })
  })

  test('is a fault as long as too much of it is not final, and is followed from then on', async () => {
    const chain = chainOf(4)
    await follow(chain, { maxPages: 2 })
    await expect(follower.poll()).rejects.toMatchObject({ code: 'BAD_ANSWER' })
    expect(follower.health()).toMatchObject({ caughtUp: false, reachable: true })
    expect(follower.health().reason).toContain('too many to follow')
    expect(changes).toEqual([])
    expect(chain.pagesPerRound).toEqual([4, 4])
    for (let i = 0; i < FINAL_CONFIRMATIONS; i++) chain.grow(0)
    await follower.poll()
    expect(follower.health()).toMatchObject({ caughtUp: false, reason: undefined })
    await follower.poll()
    await follower.poll()
    expect(follower.health()).toMatchObject({ caughtUp: true, reason: undefined })
    expect(await told()).toEqual(chain.transactions())
  })

  test('that never ends does not keep a round for ever, and the follower can be stopped', async () => {
    const chain = chainOf(1, new EndlessChain())
    for (let i = 0; i < FINAL_CONFIRMATIONS; i++) chain.grow(0)
    await follow(chain, { maxPages: 3 })
    await expect.poll(() => chain.pagesPerRound.length, PATIENCE).toBeGreaterThan(10)
    // Three new ones, each looked at twice, and the one that holds the log's end.
    expect(Math.max(...chain.pagesPerRound)).toBeLessThanOrEqual(7)
    expect(follower.health().caughtUp).toBe(false)
    expect(changes.every(({ finalThrough }) => finalThrough === undefined)).toBe(true)
    await follower.stop()
    const rounds = chain.pagesPerRound.length
    await setImmediate()
    expect(chain.pagesPerRound).toHaveLength(rounds)
  })
})
