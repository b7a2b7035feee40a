import { describe, expect, it } from 'vitest'
import { byteKey } from '../../../../node/byte-key.ts'
import {
  compareVictims,
  victimId,
  EvictionQueues,
  VICTIMS_PER_SCAN
} from '../../../../node/pending-messages/eviction-queues.ts'
import type { DeviceId } from '../../../../protocol/identity/device.ts'
import type { DeliveryId } from '../../../../protocol/wire/envelope.ts'
import { newMailbox, random } from '../../../support/network/in-process/fixtures.ts'

describe('victim queues', () => {
  it('give the same order as sorting everything, while messages come in any order', () => {
    const queues = new EvictionQueues()
    const mailbox = newMailbox() as DeviceId
    const make = () => ({ expiry: 1000 + (random(1)[0]! % 20), id: byteKey(random(32)) })
    const held = Array.from({ length: 500 }, make)
    queues.fill(mailbox, 'contact', [...held])
    for (let i = 0; i < 300; i++) {
      const arrival = make()
      held.push(arrival)
      queues.held(mailbox, 'contact', arrival.expiry, victimId(arrival))
    }
    held.sort(compareVictims)
    const queue = queues.get(mailbox, 'contact')!
    expect(queue.length).toBeGreaterThanOrEqual(VICTIMS_PER_SCAN)
    expect(queue).toEqual(held.slice(0, queue.length))
  })

  it('compare ids like bytes', () => {
    const id = (...bytes: number[]): string => byteKey(Uint8Array.from(bytes))
    expect(compareVictims({ expiry: 1, id: id(0x7f) }, { expiry: 1, id: id(0x80) })).toBeLessThan(0)
    expect(compareVictims({ expiry: 2, id: id(0) }, { expiry: 1, id: id(0xff) })).toBeGreaterThan(0)
    expect(victimId({ expiry: 0, id: id(1, 255) })).toEqual(Uint8Array.of(1, 255) as DeliveryId)
  })
})
