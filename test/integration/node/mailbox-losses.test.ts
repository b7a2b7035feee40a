import { beforeEach, describe, expect, it } from 'vitest'
import { LOSS_KEPT_MS } from '../../../node/pending-messages/mailbox-losses.ts'
import { encodeNodeFrame } from '../../../protocol/wire/peer-frames.ts'
import { HOUR_MS, makeDelivery, makeEnvelope, newMailbox } from '../../support/network/in-process/fixtures.ts'
import { TestNetwork } from '../../support/network/in-process/test-network.ts'
import { TestStore } from '../../support/network/in-process/test-store.ts'
import { eventually } from '../../support/wait-for.ts'

const limits = {
  envelopes: { contact: 3, request: 2, system: 2 },
  bytes: { contact: 1e6, request: 1e6, system: 1e6 },
  originShare: 1
}

describe('what a mailbox lost', () => {
  const held = TestStore.forEachTest()
  const { put } = held
  const mailbox = newMailbox()

  beforeEach(() => held.reopen(limits))

  it('is counted by whom it was from, for want of room and for time that passed, and survives a restart', async () => {
    const expiry = held.now + 10_000
    await put(mailbox, ...Array.from({ length: 5 }, (_, i) => makeDelivery(mailbox, { expiry: expiry - 5 + i })))
    await put(mailbox, makeDelivery(mailbox, { expiry, class: 'request' }))
    await put(mailbox, makeDelivery(mailbox, { expiry, class: 'system' }))
    expect(await held.store.lossOf(mailbox)).toEqual({ contacts: 2, requests: 0, at: held.now })
    held.now = expiry + 1
    await held.store.sweep()
    await held.reopen(limits)
    expect(await held.store.lossOf(mailbox)).toEqual({ contacts: 5, requests: 1, at: held.now })
  })

  it('does not count what the device acknowledged', async () => {
    const delivery = makeDelivery(mailbox, { expiry: held.now + 10 })
    await put(mailbox, delivery)
    await held.store.acknowledge(mailbox, [delivery.id], Uint8Array.of(1))
    held.now += 20
    await held.store.sweep()
    expect(await held.store.lossOf(mailbox)).toBeUndefined()
  })

  it('is forgotten once the device knows, but not what was lost since', async () => {
    // What expires first goes first, and a newcomer that would have to go itself is refused: each expires later than those before.
    const later = (ms: number) => makeDelivery(mailbox, { expiry: held.now + HOUR_MS + ms })
    await put(mailbox, ...Array.from({ length: 4 }, (_, i) => later(i)))
    const told = (await held.store.lossOf(mailbox))!.at
    held.now += 1
    await put(mailbox, later(10))
    await held.store.clearLoss(mailbox, told)
    expect(await held.store.lossOf(mailbox)).toMatchObject({ contacts: 2 })
    await held.store.clearLoss(mailbox, held.now)
    expect(await held.store.lossOf(mailbox)).toBeUndefined()
  })

  it('is forgotten by itself in the end: a mailbox that no device opens leaves nothing', async () => {
    const expiry = held.now + 10
    await put(mailbox, makeDelivery(mailbox, { expiry }))
    held.now = expiry + 1
    await held.store.sweep()
    held.now += LOSS_KEPT_MS - 1
    await held.store.sweep()
    expect(await held.store.lossOf(mailbox)).toBeDefined()
    held.now += 1
    await held.store.sweep()
    expect(await held.store.lossOf(mailbox)).toBeUndefined()
  })
})

it('a device that comes back is told what was lost, until it says that it knows', async () => {
  const net = await TestNetwork.start(1, { mailboxLimits: limits })
  try {
    const bob = await net.client(net.nodes[0]!)
    const ada = await net.client(net.nodes[0]!)
    for (let i = 0; i < 5; i++) await ada.submit(makeEnvelope([bob.deviceId], { expiry: Date.now() + 3_600_000 + i }))
    await bob.attach()
    const lost = () => bob.frames.filter(frame => frame.kind === 'lost')
    await eventually(() => lost().length === 1)
    expect(lost()[0]).toMatchObject({ contacts: 0, requests: 3 })
    expect(encodeNodeFrame(lost()[0]!).length).toBeLessThan(64)
    await bob.request({ kind: 'lossSeen', at: (lost()[0] as { at: number }).at })
    await bob.attach()
    expect(lost()).toHaveLength(1)
  } finally {
    await net.stop()
  }
})
