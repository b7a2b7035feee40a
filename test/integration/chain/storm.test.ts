import { afterEach, expect, test } from 'vitest'
import type { ChainSource } from '../../../chain/source/chain-source.ts'
import type { Publisher } from '../../../chain/publish/publisher.ts'
import { toHex } from '../../../protocol/bytes.ts'
import type { RecordId } from '../../../protocol/identity/device.ts'
import { Dice } from '../../support/chain/simulated-chain.ts'
import { ChainHarness, Cleanup, newCreate } from '../../support/chain/chain-harness.ts'
import { eventually } from '../../support/wait-for.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const STEPS = 60
/** Deepest rollback; below the depth at which an expired transaction is given up. */
const MAX_DEPTH = 4
const EXPIRY_DEPTH = 6

/** A source that tells when somebody looks at the tip. */
const telling = (source: ChainSource, onLook: () => void): ChainSource =>
  new Proxy(source, {
    get(target, key) {
      if (key === 'tip') onLook()
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })

test.each([1, 2])('every record is on the chain once after rollbacks, faults and restarts (seed %i)', async seed => {
  const dice = new Dice(seed)
  const harness = await ChainHarness.start(cleanup)
  await harness.fundWallet()
  await harness.devnet.forge(MAX_DEPTH + 1)
  // What was refused or expired counts as spent for an hour, and the storm makes hours of that in seconds: on a slow machine
  // the default budget ends while it rages.
  const init = { ttlSlots: 12, expiryDepth: EXPIRY_DEPTH, batchWaitMs: 20, hourlyBudget: 1_000_000_000n }
  let looks = 0
  const start = (): Promise<Publisher> =>
    harness.publisher(
      init,
      telling(harness.source, () => looks++)
    )
  let publisher = await start()
  const records = new Map<string, RecordId>()
  const forge = (): Promise<unknown> => harness.devnet.forge(1 + dice.roll(3))
  const steps: (() => Promise<unknown>)[] = [
    async () => {
      for (let i = dice.roll(4); i >= 0; i--) {
        const { bytes } = await newCreate()
        records.set(toHex(bytes), await publisher.enqueue(bytes))
      }
    },
    forge,
    forge,
    async () => {
      await harness.devnet.rollback(1 + dice.roll(MAX_DEPTH), { drop: dice.roll(2) === 0 })
      // Back above where it was, so that rollbacks do not add up.
      await harness.devnet.forge(MAX_DEPTH + 1)
    },
    () => harness.control('faults', { status: [425, 429, 500, 503][dice.roll(4)], path: '/tx/submit', count: 3 }),
    () => harness.control('faults', { status: 500, path: '/', count: 5 }),
    async () => {
      harness.devnet.faults.dropSubmissions = dice.roll(2) === 0
    },
    async () => {
      await publisher.stop()
      publisher = await start()
    },
    async () => {
      await harness.running.stop()
      await harness.startDevnet()
    }
  ]
  for (let step = 0; step < STEPS; step++) {
    await steps[dice.roll(steps.length)]!()
    await new Promise(resolve => setTimeout(resolve, dice.roll(60)))
  }
  await harness.control('faults', {})
  for (const id of records.values()) {
    let seen = looks
    await eventually(
      async () => {
        const status = await publisher.status(id)
        const isDone = status?.state === 'recorded' && status.confirmations > MAX_DEPTH
        // No block before the publisher has looked at the last: else a slow machine lets every transaction expire unsent.
        if (!isDone && looks > seen) {
          seen = looks
          await harness.devnet.forge()
        }
        return isDone
      },
      `record ${toHex(id)}`
    )
  }
  const found = (await harness.recordsOnChain()).map(toHex)
  expect(new Set(found)).toEqual(new Set(records.keys()))
  expect(found).toHaveLength(records.size)
  expect(records.size).toBeGreaterThan(5)
})
