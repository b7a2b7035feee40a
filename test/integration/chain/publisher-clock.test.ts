import { afterEach, expect, test } from 'vitest'
import type { ChainSource } from '../../../chain/source/chain-source.ts'
import { ChainError } from '../../../chain/errors.ts'
import { ChainHarness, Cleanup, newCreate } from '../../support/chain/chain-harness.ts'
import { eventually } from '../../support/wait-for.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const HOUR_MS = 3_600_000
/** A day rather than a year: a timer of a year overflows and ends at once, which would hide a wait. */
const AHEAD_MS = 24 * HOUR_MS

/** A participant whose clock runs ahead until a test puts it right. */
async function startAhead(): Promise<ChainHarness> {
  const harness = await ChainHarness.start(cleanup)
  harness.clockAhead = AHEAD_MS
  await harness.fundWallet()
  return harness
}

/** The harness's source with some calls replaced. */
function replacing(harness: ChainHarness, calls: Partial<ChainSource>): ChainSource {
  return new Proxy(harness.source, {
    get(target, name) {
      const value: unknown = Reflect.get(calls, name) ?? Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })
}

const newRecord = async (): Promise<Uint8Array> => (await newCreate()).bytes
const sent = (harness: ChainHarness): Promise<void> => eventually(() => harness.devnet.mempool.length > 0, 'sent')

test.each(['while it runs', 'over a restart'])('a record waits no longer once the clock is put back %s', async when => {
  const harness = await startAhead()
  const init = { batchWaitMs: HOUR_MS }
  const publisher = await harness.publisher(init)
  const bytes = await newRecord()
  await publisher.enqueue(bytes)
  if (when === 'over a restart') await publisher.stop()
  harness.clockAhead = 0
  if (when === 'over a restart') await harness.publisher(init)
  await sent(harness)
  await harness.devnet.forge()
  expect(await harness.recordsOnChain()).toEqual([bytes])
})

test('fees booked ahead of time leave the budget within an hour, for later runs as well', async () => {
  const harness = await startAhead()
  const ahead = await harness.publisher()
  await ahead.enqueue(await newRecord())
  await sent(harness)
  const fee = ahead.health().spentLastHour
  expect(fee).toBeGreaterThan(0n)
  await ahead.stop()
  harness.clockAhead = 0
  const corrected = await harness.publisher()
  expect(corrected.health().spentLastHour).toBe(fee)
  await corrected.stop()
  harness.clockAhead = HOUR_MS
  const later = await harness.publisher()
  expect(later.health().spentLastHour).toBe(0n)
})

test('a balance read ahead of time is read anew', async () => {
  const harness = await startAhead()
  const publisher = await harness.publisher()
  await eventually(() => publisher.health().balance !== undefined)
  const before = publisher.health().balance!
  // The gift first: a look at the balance between the two would be the last one for a while.
  await harness.fundWallet()
  harness.clockAhead = 0
  await eventually(() => publisher.health().balance! > before, 'the gift')
})

test('the faucet is asked again though it was asked ahead of time', async () => {
  const harness = await ChainHarness.start(cleanup)
  harness.clockAhead = AHEAD_MS
  let asked = 0
  await harness.publisher({}, replacing(harness, { fund: async () => void asked++ }))
  await eventually(() => asked === 1)
  harness.clockAhead = 0
  await eventually(() => asked === 2)
})

test('a record that was refused is tried again though it was tried ahead of time', async () => {
  const harness = await startAhead()
  let refusals = 0
  let isRefusing = true
  const submit: ChainSource['submit'] = async (...parameters) => {
    if (!isRefusing) return harness.source.submit(...parameters)
    refusals++
    throw new ChainError('REJECTED', 'on purpose')
  }
  const publisher = await harness.publisher({}, replacing(harness, { submit }))
  await publisher.enqueue(await newRecord())
  // Three for the batch, then at least one alone.
  await eventually(() => refusals > 3, 'refused')
  harness.clockAhead = 0
  isRefusing = false
  await sent(harness)
})

test('the next look at the chain is no further away than one check', async () => {
  const harness = await startAhead()
  let isDown = true
  const tip: ChainSource['tip'] = async (...parameters) => {
    if (isDown) throw new ChainError('UNREACHABLE', 'on purpose')
    return harness.source.tip(...parameters)
  }
  const publisher = await harness.publisher({ checkMs: 1_000 }, replacing(harness, { tip }))
  await eventually(() => !publisher.health().ok, 'an obstacle')
  harness.clockAhead = 0
  isDown = false
  // Wakes the publisher from its pause, which it then begins anew.
  await publisher.enqueue(await newRecord())
  await sent(harness)
})
