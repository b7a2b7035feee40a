import { afterEach, expect, test, vi } from 'vitest'
import { SILENT_LOG, type NodeStream, type Transport } from '../../../../peer/ports.ts'
import { ConnectionKeeper } from '../../../../peer/network/connection-keeper.ts'
import type { ListedNode, NodeKey, OperatorId } from '../../../../protocol/wire/placement.ts'

const NODE: ListedNode = {
  key: new Uint8Array(32) as NodeKey,
  operator: new Uint8Array(32) as OperatorId,
  url: 'http://127.0.0.1:1',
  link: ''
}

let keeper: ConnectionKeeper
const dials: { fail: () => void; succeed: (stream: NodeStream) => void }[] = []
let now = 0
/** The pauses that were begun; none of them ends by itself. */
const pauses: number[] = []

function createKeeper(): ConnectionKeeper {
  const transport: Transport = {
    dial: (_url, _key, { signal }) =>
      new Promise((succeed, reject) => {
        const fail = (): void => reject(new Error('unreachable'))
        signal.addEventListener('abort', fail)
        dials.push({ fail, succeed })
      }),
    stop: async () => {}
  }
  const timers = {
    now: () => 0,
    monotonic: () => now,
    after: (ms: number) => {
      pauses.push(ms)
      return () => undefined
    }
  }
  return new ConnectionKeeper(
    { transport, timers, randomFraction: () => 0, log: SILENT_LOG },
    {
      network: () => new Uint8Array(32),
      authenticate: () => Promise.reject(new Error('nobody is reached')),
      candidates: () => [NODE],
      onOnline: async () => true,
      onState: () => undefined
    }
  )
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

afterEach(async () => {
  const stopped = keeper.stop()
  dials.at(-1)?.fail()
  await stopped
  dials.length = pauses.length = now = 0
  vi.restoreAllMocks()
})

test('a call to reconnect in the middle of a round is answered by another round, not by a pause', async () => {
  keeper = createKeeper()
  keeper.start()
  await turn()
  expect(dials).toHaveLength(1)
  // The network is back, which the dial under way has not noticed.
  await keeper.reconnect()
  dials[0]!.fail()
  await turn()
  expect(dials).toHaveLength(2)
  expect(pauses).toEqual([])
  dials[1]!.fail()
  await turn()
  expect(pauses).toHaveLength(1)
})

test('a call to reconnect ends a pause', async () => {
  keeper = createKeeper()
  keeper.start()
  await turn()
  dials[0]!.fail()
  await turn()
  expect(pauses).toHaveLength(1)
  await keeper.reconnect()
  await turn()
  expect(dials).toHaveLength(2)
})

test('a node that is not reached in time is given more time in the next round, up to a bound', async () => {
  const limits: number[] = []
  let runOut = (): void => {}
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(ms => {
    limits.push(ms)
    const timeout = new AbortController()
    runOut = () => timeout.abort()
    return timeout.signal
  })
  keeper = createKeeper()
  keeper.start()
  await turn()
  for (let round = 0; round < 5; round++) {
    runOut()
    await turn()
    await keeper.reconnect()
    await turn()
  }
  // Refused at once: that says nothing about the network.
  dials.at(-1)!.fail()
  await turn()
  await keeper.reconnect()
  await turn()
  expect(limits).toEqual([2_500, 5_000, 10_000, 20_000, 20_000, 20_000, 20_000])
  vi.restoreAllMocks()
})

test('and no more time where nodes refuse at once', async () => {
  const limits: number[] = []
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(ms => {
    limits.push(ms)
    return new AbortController().signal
  })
  keeper = createKeeper()
  keeper.start()
  await turn()
  for (let round = 0; round < 3; round++) {
    dials.at(-1)!.fail()
    await turn()
    await keeper.reconnect()
    await turn()
  }
  expect(limits).toEqual([2_500, 2_500, 2_500, 2_500])
  vi.restoreAllMocks()
})

test('after an outage, one quick dial is enough for nodes to get no more time than before it', async () => {
  const limits: number[] = []
  let runOut = (): void => {}
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(ms => {
    limits.push(ms)
    const timeout = new AbortController()
    runOut = () => timeout.abort()
    return timeout.signal
  })
  keeper = createKeeper()
  keeper.start()
  await turn()
  for (let round = 0; round < 3; round++) {
    runOut()
    await turn()
    await keeper.reconnect()
    await turn()
  }
  now += 100
  // Reached, and hung up at once: what counts is how long reaching it took.
  const stream = { receive: async () => undefined, close: () => undefined } as unknown as NodeStream
  dials.at(-1)!.succeed(stream)
  await turn()
  await keeper.reconnect()
  await turn()
  expect(limits).toEqual([2_500, 5_000, 10_000, 20_000, 2_500])
})
