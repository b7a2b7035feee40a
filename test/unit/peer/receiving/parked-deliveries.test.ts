import { describe, expect, test } from 'vitest'
import type { EngineContext } from '../../../../peer/engine-context.ts'
import {
  MAX_PARKED_BYTES,
  MAX_PARKED_NEWER,
  PARKED_RETRY_MS,
  ParkedDeliveries
} from '../../../../peer/receiving/parked-deliveries.ts'
import { parkedEntry, type Parked } from '../../../../peer/store/store-layout.ts'
import { MAX_ENVELOPE_PAYLOAD_BYTES } from '../../../../protocol/limits.ts'
import type { Delivery, DeliveryId } from '../../../../protocol/wire/envelope.ts'
import { memoryStates } from '../../../support/peer/memory-states.ts'

const START = 1_000_000

async function createParked() {
  const { states, reopened, random } = await memoryStates()
  const clock = { now: START, monotonic: 0 }
  const counts = { dropped: 0 }
  const timers = { now: () => clock.now, monotonic: () => clock.monotonic, after: () => () => undefined }
  const context = { timers } as unknown as EngineContext
  const init = { onRetry: () => undefined, onDropped: () => void counts.dropped++ }
  const parked = new ParkedDeliveries(context, states, init)
  await parked.start()
  const park = async (bytes: number, waitsFor: Parked['waitsFor'] = 'session'): Promise<Delivery> => {
    const [id, part, payload] = [random(32) as DeliveryId, new Uint8Array(), new Uint8Array(bytes)]
    const delivery: Delivery = { id, expiry: START * 2, class: 'contact', part, proof: part, payload, storedAt: START }
    await states.unit(async unit => parked.park(unit, delivery, waitsFor))
    return delivery
  }
  const onDisk = async (): Promise<number> => {
    const kept = await (await reopened()).all('parked', parkedEntry)
    return kept.reduce((sum, { delivery }) => sum + delivery.payload.length, 0)
  }
  return { parked, park, onDisk, clock, counts, states }
}

describe('deliveries that cannot be read yet', () => {
  test('take no more than their share of the disk: the oldest are dropped', async () => {
    const { parked, park, onDisk, counts } = await createParked()
    const most = Math.floor(MAX_PARKED_BYTES / MAX_ENVELOPE_PAYLOAD_BYTES)
    const first = await park(MAX_ENVELOPE_PAYLOAD_BYTES)
    for (let i = 1; i < most + 3; i++) await park(MAX_ENVELOPE_PAYLOAD_BYTES)
    expect(parked.size).toBe(most)
    expect(counts.dropped).toBe(3)
    expect(parked.has(first)).toBe(false)
    expect(await onDisk()).toBeLessThanOrEqual(MAX_PARKED_BYTES)
  })

  test('make room again once they are let go of', async () => {
    const { parked, park, counts, states } = await createParked()
    const most = Math.floor(MAX_PARKED_BYTES / MAX_ENVELOPE_PAYLOAD_BYTES)
    const all: Delivery[] = []
    for (let i = 0; i < most; i++) all.push(await park(MAX_ENVELOPE_PAYLOAD_BYTES))
    await states.unit(async unit => all.forEach(delivery => parked.unpark(unit, delivery)))
    for (let i = 0; i < 10; i++) await park(MAX_ENVELOPE_PAYLOAD_BYTES)
    expect(counts.dropped).toBe(0)
  })

  test('are asked about again though the clock was put back', async () => {
    const { parked, park, clock } = await createParked()
    const delivery = await park(10, 'roster')
    parked.noteAsked(delivery)
    clock.now = START / 2
    clock.monotonic += PARKED_RETRY_MS
    expect(parked.dueForAsking()).toEqual([delivery])
  })

  test('for a newer version push none but their like aside', async () => {
    const { parked, park, counts } = await createParked()
    const waiting = await park(10)
    const first = await park(10, 'version')
    for (let i = 0; i < MAX_PARKED_NEWER; i++) await park(10, 'version')
    expect(parked.waitingFor('version')).toHaveLength(MAX_PARKED_NEWER)
    expect(counts.dropped).toBe(1)
    expect(parked.has(first)).toBe(false)
    expect(parked.has(waiting)).toBe(true)
  })

  test('make us ask the directory less and less often', async () => {
    const { parked, park, clock } = await createParked()
    await park(10, 'roster')
    const asked: number[] = []
    const pass = (ms: number): void => {
      clock.now += ms
      clock.monotonic += ms
    }
    for (; clock.now < START + 600_000; pass(PARKED_RETRY_MS)) {
      for (const delivery of parked.dueForAsking()) {
        parked.noteAsked(delivery)
        asked.push(clock.now)
      }
    }
    expect(asked.length).toBeGreaterThan(5)
    expect(asked.length).toBeLessThan(20)
    const last = asked.at(-1)! - asked.at(-2)!
    expect(last).toBeGreaterThan(100_000)
  })
})
