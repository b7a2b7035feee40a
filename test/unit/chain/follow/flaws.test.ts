import { afterEach, describe, expect, test } from 'vitest'
import { ChainError } from '../../../../chain/errors.ts'
import type { ChainChange } from '../../../../chain/follow/chain-change.ts'
import { Follower } from '../../../../chain/follow/follower.ts'
import { LABEL_PAGE_SIZE, type ChainSource, type TransactionId } from '../../../../chain/source/chain-source.ts'
import { FLAWS, flawedSource, withMethod, type Flaw } from '../../../support/chain/flawed-source.ts'
import { MemoryStore, SimulatedChain } from '../../../support/chain/simulated-chain.ts'

const FINAL_CONFIRMATIONS = 5
const EXAMPLES = [0, 7, 60, 98]

let follower: Follower
let changes: ChainChange[]
afterEach(() => follower.stop())

async function follow(
  source: ChainSource,
  { store = new MemoryStore(), secondSource }: FollowOptions = {}
): Promise<void> {
  changes = []
  follower = new Follower(secondSource ? { source, store, secondSource } : { source, store }, {
    label: 1,
    magic: 42,
    pollMs: 3_600_000,
    finalConfirmations: FINAL_CONFIRMATIONS,
    onChange: change => void changes.push(change)
  })
  await follower.start()
}

interface FollowOptions {
  store?: MemoryStore
  secondSource?: ChainSource
}

async function finals(): Promise<string[]> {
  const ids: string[] = []
  for await (const { id } of follower.finals()) ids.push(id)
  return ids
}

const told = async (): Promise<string[]> => [
  ...(await finals()),
  ...follower.snapshot()!.provisional.map(({ id }) => id)
]

/** 250 transactions in 25 blocks; the newest five blocks are not final. */
function chainOf(): SimulatedChain {
  const chain = new SimulatedChain()
  for (let i = 0; i < 25; i++) chain.grow(10)
  return chain
}

/** A flaw in the first `times` answers. */
function flawedTimes(chain: SimulatedChain, flaw: Flaw, times: number): ChainSource {
  let left = times
  return flawedSource(chain, () => (left-- > 0 ? flaw : undefined))
}

describe('a list with a flaw', () => {
  test.each(Object.keys(FLAWS))('that is %s once is read again, and leaves no trace', async name => {
    for (const at of EXAMPLES) {
      const chain = chainOf()
      await follow(flawedTimes(chain, FLAWS[name]!(at), 1))
      await follower.poll()
      expect(await told(), `row ${at}`).toEqual(chain.transactions())
      expect(follower.health()).toMatchObject({ reason: undefined, caughtUp: true })
      await follower.stop()
    }
  })

  test.each(['short', 'empty', 'repeated', 'reordered'])(
    'that is %s for good is named, and nothing is called whole',
    async name => {
      for (const at of EXAMPLES) {
        const chain = chainOf()
        const flaw = FLAWS[name]!(at)
        await follow(flawedSource(chain, ({ newestFirst, page }) => (newestFirst || page > 1 ? undefined : flaw)))
        await expect(follower.poll(), `row ${at}`).rejects.toMatchObject({ code: 'INCOMPLETE' })
        expect(follower.health()).toMatchObject({ code: 'INCOMPLETE', caughtUp: false, reachable: true })
        expect(changes.every(({ finalThrough }) => finalThrough === undefined)).toBe(true)
        expect(await finals()).toEqual(chain.transactions().slice(0, (await finals()).length))
        await follower.stop()
      }
    }
  )

  test('of a server with shorter pages than asked for is named as such', async () => {
    const chain = chainOf()
    const all = chain.transactions()
    const capped = withMethod(chain, 'labelPage', async (_label, { page, newestFirst }) =>
      (newestFirst ? all.toReversed() : all).slice((page - 1) * 50, page * 50)
    )
    await follow(capped)
    await expect(follower.poll()).rejects.toThrow('page 1 of its list is short, and page 2 goes on')
  })

  test('that leaves out a final transaction waits until it is whole again', async () => {
    const chain = chainOf()
    let hidden: TransactionId | undefined
    const source = withMethod(chain, 'labelPage', async (_label, { page, newestFirst }) => {
      const all = chain.transactions().filter(id => id !== hidden)
      return (newestFirst ? all.reverse() : all).slice((page - 1) * LABEL_PAGE_SIZE, page * LABEL_PAGE_SIZE)
    })
    await follow(source)
    await follower.poll()
    hidden = chain.transactions()[150]
    chain.grow(1)
    await expect(follower.poll()).rejects.toThrow(`leaves out transaction ${hidden}, which is final here`)
    hidden = undefined
    await follower.poll()
    expect(await told()).toEqual(chain.transactions())
  })

  test('that hid a transaction until what follows it was final is a contradiction, and reading all again mends it', async () => {
    const chain = chainOf()
    let hidden: TransactionId | undefined = chain.transactions()[140]
    const source = withMethod(chain, 'labelPage', async (_label, { page, newestFirst }) => {
      const all = chain.transactions().filter(id => id !== hidden)
      return (newestFirst ? all.reverse() : all).slice((page - 1) * LABEL_PAGE_SIZE, page * LABEL_PAGE_SIZE)
    })
    const store = new MemoryStore()
    await follow(source, { store })
    await follower.poll()
    const missing = hidden
    hidden = undefined
    chain.grow(1)
    await expect(follower.poll()).rejects.toMatchObject({ code: 'CONTRADICTION' })
    expect(follower.health().reason).toContain(`transaction ${missing} of block 15 was missing`)
    await follower.stop()
    await follow(source)
    await follower.poll()
    expect(await told()).toEqual(chain.transactions())
  })

  test('of another chain is a contradiction, even if it has the same transactions', async () => {
    const chain = chainOf()
    await follow(chain)
    await follower.poll()
    const lost = chain.rollBack(10)
    for (let i = 0; i < 12; i++) chain.grow(0, lost.splice(0, 10))
    await expect(follower.poll()).rejects.toMatchObject({ code: 'CONTRADICTION' })
  })
})

describe('one strange transaction', () => {
  const strange: [string, (chain: SimulatedChain, id: TransactionId) => ChainSource, string][] = [
    [
      'whose bytes the source spoils',
      (chain, id) =>
        withMethod(chain, 'transactionBytes', async (wanted, call) => {
          if (wanted === id) throw new ChainError('BAD_ANSWER', 'the source sent another transaction')
          return chain.transactionBytes(wanted).finally(() => call)
        }),
      'another transaction'
    ],
    [
      'whose bytes the source does not have',
      (chain, id) =>
        withMethod(chain, 'transactionBytes', async wanted =>
          wanted === id ? undefined : chain.transactionBytes(wanted)
        ),
      'does not have its bytes'
    ],
    [
      'that the source lists and does not have',
      (chain, id) =>
        withMethod(chain, 'transaction', async wanted => (wanted === id ? undefined : chain.transaction(wanted))),
      'lists it and does not have it'
    ]
  ]

  test.each(strange)('%s is named, and all others are reported', async (_, sourceOf, why) => {
    const chain = chainOf()
    const all = chain.transactions()
    const id = all[120]!
    await follow(sourceOf(chain, id))
    await follower.poll()
    expect(await finals()).toEqual(all.slice(0, 120))
    expect(await told()).toEqual(all.filter(other => other !== id))
    expect(follower.health().held).toEqual([{ id, why: expect.stringContaining(why), isDisputed: false }])
    expect(follower.health()).toMatchObject({ reason: undefined, caughtUp: true })
    // It is the first one of block 13.
    expect(changes.at(-1)!.finalThrough).toBeLessThan(13)
  })
})

describe('a second source', () => {
  test('that numbers transactions in another way is named, and blocks nothing', async () => {
    const chain = chainOf()
    const secondSource = withMethod(chain, 'transaction', async id => {
      const place = await chain.transaction(id)
      return place && { ...place, index: place.index + 1 }
    })
    await follow(chain, { secondSource })
    await follower.poll()
    expect(await told()).toEqual(chain.transactions())
    expect(follower.health()).toMatchObject({ held: [], reason: undefined })
    expect(follower.health().numbering).toMatch(/as number \d+ of its block, not as number \d+/)
  })

  test('that lacks a transaction holds that one back, and what follows it is used but not final', async () => {
    const chain = chainOf()
    const all = chain.transactions()
    const lacking = all[120]!
    let isLacking = true
    const secondSource = withoutTransaction(chain, () => (isLacking ? lacking : undefined))
    await follow(chain, { secondSource })
    await follower.poll()
    expect(await finals()).toEqual(all.slice(0, 120))
    expect(await told()).toEqual(all.filter(id => id !== lacking))
    expect(follower.health().held).toEqual([{ id: lacking, why: 'simulated does not have it', isDisputed: true }])
    isLacking = false
    await follower.poll()
    expect(await told()).toEqual(all)
    expect(await finals()).toHaveLength(200)
    expect(follower.health().held).toEqual([])
  })

  test('that has one more keeps what follows it from being final until the first has it, too', async () => {
    const chain = chainOf()
    const all = chain.transactions()
    const hidden = all[120]!
    let isHiding = true
    const source = withoutTransaction(chain, () => (isHiding ? hidden : undefined))
    await follow(source, { secondSource: chain })
    await follower.poll()
    expect(await finals()).toEqual(all.slice(0, 120))
    expect(await told()).toEqual(all.filter(id => id !== hidden))
    expect(follower.health().held).toEqual([{ id: hidden, why: 'only simulated lists it', isDisputed: true }])
    isHiding = false
    await follower.poll()
    expect(await told()).toEqual(all)
    expect(follower.health().held).toEqual([])
  })
})

/** A source that has all but one transaction. */
function withoutTransaction(chain: SimulatedChain, hidden: () => TransactionId | undefined): ChainSource {
  const lists = withMethod(chain, 'labelPage', async (_label, { page, newestFirst }) => {
    const all = chain.transactions().filter(id => id !== hidden())
    return (newestFirst ? all.reverse() : all).slice((page - 1) * LABEL_PAGE_SIZE, page * LABEL_PAGE_SIZE)
  })
  return withMethod(lists, 'transaction', async id => (id === hidden() ? undefined : chain.transaction(id)))
}
