import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MessageQueue } from '../../../../node/messages/message-queue.ts'
import type { CustodyRequest, ShardEnvelope } from '../../../../node/messages/batch-in-flight.ts'
import { MAX_BATCH_BYTES } from '../../../../protocol/limits.ts'
import type { Epoch } from '../../../../protocol/wire/placement.ts'
import { makeDelivery, newMailbox } from '../../../support/network/in-process/fixtures.ts'

const epoch = (number: number): Epoch => ({ number, seed: new Uint8Array(32), nodes: [], nodeSeeds: [] })
const mailbox = newMailbox()
const request: CustodyRequest = { mailbox, delivery: makeDelivery(mailbox), settle: () => undefined }
const envelope = (size: number, recipients = 1): ShardEnvelope => ({
  encoded: new Uint8Array(size),
  requests: Array.from({ length: recipients }, () => request)
})

describe('the message queue', () => {
  let sent: { epoch: number; shard: number; count: number }[]
  let queue: MessageQueue
  beforeEach(() => {
    vi.useFakeTimers()
    sent = []
    queue = new MessageQueue((to, shard, envelopes) => sent.push({ epoch: to.number, shard, count: envelopes.length }))
  })
  afterEach(() => vi.useRealTimers())

  it('gathers what comes within two milliseconds, per shard and epoch', () => {
    for (const shard of [1, 2, 1]) queue.add(epoch(0), shard, envelope(10))
    queue.add(epoch(1), 1, envelope(10))
    expect(sent).toEqual([])
    vi.advanceTimersByTime(2)
    expect(sent).toEqual([
      { epoch: 0, shard: 1, count: 2 },
      { epoch: 0, shard: 2, count: 1 },
      { epoch: 1, shard: 1, count: 1 }
    ])
    vi.advanceTimersByTime(100)
    expect(sent).toHaveLength(3)
  })

  it('sends a batch of 64 envelopes at once', () => {
    for (let i = 0; i < 65; i++) queue.add(epoch(0), 1, envelope(10))
    expect(sent).toEqual([{ epoch: 0, shard: 1, count: 64 }])
    vi.advanceTimersByTime(2)
    expect(sent.at(-1)!.count).toBe(1)
  })

  it('never makes a batch longer than its bound', () => {
    const size = MAX_BATCH_BYTES / 2 - 100
    for (let i = 0; i < 3; i++) queue.add(epoch(0), 1, envelope(size))
    expect(sent).toEqual([{ epoch: 0, shard: 1, count: 2 }])
  })

  it('never makes a batch of more deliveries than one answer can refuse', () => {
    for (let i = 0; i < 20; i++) queue.add(epoch(0), 1, envelope(10, 64))
    expect(sent).toEqual([{ epoch: 0, shard: 1, count: 16 }])
  })

  it('sends what waits when it is told to', () => {
    queue.add(epoch(0), 7, envelope(1))
    queue.flush()
    expect(sent).toEqual([{ epoch: 0, shard: 7, count: 1 }])
  })

  it('does not wait while there is little to do', () => {
    let inFlight = 0
    queue = new MessageQueue(
      (to, shard, envelopes) => sent.push({ epoch: to.number, shard, count: envelopes.length }),
      () => inFlight
    )
    for (let i = 0; i < 2; i++) queue.add(epoch(0), 1, envelope(10))
    vi.advanceTimersByTime(0)
    expect(sent).toEqual([{ epoch: 0, shard: 1, count: 2 }])
    inFlight = 10
    queue.add(epoch(0), 1, envelope(10))
    vi.advanceTimersByTime(1)
    expect(sent).toHaveLength(1)
    vi.advanceTimersByTime(1)
    expect(sent).toHaveLength(2)
  })

  it('goes on gathering while there is much to do, for twenty milliseconds at most', () => {
    let inFlight = 1000
    queue = new MessageQueue(
      (to, shard, envelopes) => sent.push({ epoch: to.number, shard, count: envelopes.length }),
      () => inFlight
    )
    queue.add(epoch(0), 1, envelope(10))
    vi.advanceTimersByTime(10)
    queue.add(epoch(0), 1, envelope(10))
    vi.advanceTimersByTime(9)
    expect(sent).toEqual([])
    vi.advanceTimersByTime(1)
    expect(sent).toEqual([{ epoch: 0, shard: 1, count: 2 }])
    queue.add(epoch(0), 1, envelope(10))
    vi.advanceTimersByTime(4)
    inFlight = 10
    vi.advanceTimersByTime(2)
    expect(sent).toHaveLength(2)
  })
})
