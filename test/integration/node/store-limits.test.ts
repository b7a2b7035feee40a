import { beforeEach, describe, expect, it } from 'vitest'
import type { MailboxLimits } from '../../../node/ports.ts'
import { originTag } from '../../../node/pending-messages/pending-message-store.ts'
import { toHex } from '../../../protocol/bytes.ts'
import type { Delivery, EnvelopeClass } from '../../../protocol/wire/envelope.ts'
import { makeDelivery, newMailbox, random } from '../../support/network/in-process/fixtures.ts'
import { TestStore } from '../../support/network/in-process/test-store.ts'

const PROOF = Uint8Array.of(1, 2, 3)
const SIGNER = originTag(random(32))

const held = TestStore.forEachTest()
const { put, idsOf } = held

describe('limits', () => {
  const limits: MailboxLimits = {
    envelopes: { contact: 5, request: 2, system: 2 },
    bytes: { contact: 4000, request: 4000, system: 4000 },
    originShare: 0.6
  }

  beforeEach(async () => {
    await held.reopen(limits)
  })

  it('remove the oldest of the same class, by expiry, and say so', async () => {
    const mailbox = newMailbox()
    const old = Array.from({ length: 5 }, (_, i) => makeDelivery(mailbox, { expiry: held.now + 1000 + i }))
    const request = makeDelivery(mailbox, { class: 'request', expiry: held.now + 1 })
    await put(mailbox, ...old.toReversed(), request)
    const fresh = [makeDelivery(mailbox), makeDelivery(mailbox)]
    expect((await put(mailbox, ...fresh)).map(outcome => outcome.state)).toEqual(['stored', 'stored'])
    expect((await idsOf(mailbox)).sort()).toEqual([...old.slice(2), request, ...fresh].map(d => toHex(d.id)).sort())
    expect(held.evictions).toHaveLength(1)
    expect(held.evictions[0]!.ids.map(toHex)).toEqual(old.slice(0, 2).map(d => toHex(d.id)))
    expect((await put(mailbox, old[0]!))[0]!.state).toBe('evicted')
    expect(await held.store.proofs(mailbox, [old[0]!.id, old[1]!.id])).toHaveLength(1)
  })

  it('refuse what would be the first to go', async () => {
    const mailbox = newMailbox()
    await put(mailbox, ...Array.from({ length: 5 }, () => makeDelivery(mailbox)))
    expect((await put(mailbox, makeDelivery(mailbox, { expiry: held.now + 5 })))[0]!.state).toBe('full')
    expect(held.evictions).toEqual([])
  })

  it('are kept without passing what the device got before, however much that was', async () => {
    const mailbox = newMailbox()
    const read = Array.from({ length: 30 }, (_, i) => makeDelivery(mailbox, { expiry: held.now + 500 + i }))
    for (const delivery of read) {
      await put(mailbox, delivery)
      await held.store.acknowledge(mailbox, [delivery.id], PROOF)
    }
    const old = Array.from({ length: 5 }, (_, i) => makeDelivery(mailbox, { expiry: held.now + 1000 + i }))
    const request = makeDelivery(mailbox, { class: 'request', expiry: held.now + 1 })
    await put(mailbox, ...old.toReversed(), request)
    await held.reopen(limits)
    const passed: string[] = []
    await held.store.read(async database => {
      // Reading keys alone comes by here as well.
      const iterator = database.iterator.bind(database)
      database.iterator = ((range: { gt: Buffer }) => {
        passed.push(range.gt.toString('latin1', 0, 1))
        return iterator(range)
      }) as typeof database.iterator
    })
    const fresh = [makeDelivery(mailbox), makeDelivery(mailbox)]
    expect((await put(mailbox, ...fresh)).map(outcome => outcome.state)).toEqual(['stored', 'stored'])
    expect(passed).toEqual(['r'])
    expect(held.evictions[0]!.ids.map(toHex)).toEqual(old.slice(0, 2).map(d => toHex(d.id)))
    expect((await idsOf(mailbox)).sort()).toEqual([...old.slice(2), request, ...fresh].map(d => toHex(d.id)).sort())
    for (const delivery of read) expect((await put(mailbox, delivery))[0]!.state).toBe('acknowledged')
  })

  it('leave the same deliveries whatever order they came in', async () => {
    const [mailbox, deliveries] = [newMailbox(), [] as Delivery[]]
    for (let i = 0; i < 300; i++) deliveries.push(makeDelivery(mailbox, { expiry: held.now + 1000 + (i % 40) }))
    await put(mailbox, ...deliveries)
    const left = (await idsOf(mailbox)).sort()
    await held.openEmpty(limits)
    const shuffled = deliveries.toSorted((a, b) => (toHex(a.id) < toHex(b.id) ? -1 : 1))
    for (const delivery of shuffled) await put(mailbox, delivery)
    expect((await idsOf(mailbox)).sort()).toEqual(left)
  })

  it('count bytes as well, and never hold more than they allow', async () => {
    const mailbox = newMailbox()
    for (let i = 0; i < 4; i++)
      await put(mailbox, makeDelivery(mailbox, { payload: random(1500), expiry: held.now + 100 + i }))
    expect(await held.store.heldIn(mailbox)).toBe(2)
    expect((await put(mailbox, makeDelivery(mailbox, { payload: random(5000) })))[0]!.state).toBe('full')
  })

  it('let strangers fill their part only', async () => {
    const mailbox = newMailbox()
    await put(mailbox, ...Array.from({ length: 5 }, () => makeDelivery(mailbox)))
    for (let i = 0; i < 20; i++) await put(mailbox, makeDelivery(mailbox, { class: 'request' }))
    expect(await held.store.heldIn(mailbox)).toBe(7)
  })

  it('let one origin fill its share only', async () => {
    const mailbox = newMailbox()
    const [one, other] = [originTag(random(32)), originTag(random(32))]
    const from = (origin: number) => held.store.store([{ mailbox, delivery: makeDelivery(mailbox), origin }])
    const states: string[] = []
    for (let i = 0; i < 4; i++) states.push((await from(one))[0]!.state)
    expect(states).toEqual(['stored', 'stored', 'stored', 'full'])
    expect((await from(other))[0]!.state).toBe('stored')
  })

  it('count the share of an origin in each class apart', async () => {
    const mailbox = newMailbox()
    const origin = originTag(random(32))
    const send = async (envelopeClass: EnvelopeClass) =>
      (await held.store.store([{ mailbox, delivery: makeDelivery(mailbox, { class: envelopeClass }), origin }]))[0]!
        .state
    for (const state of ['stored', 'stored', 'stored', 'full']) expect(await send('contact')).toBe(state)
    for (const kind of ['request', 'system'] as const) {
      for (const state of ['stored', 'stored', 'full']) expect(await send(kind)).toBe(state)
    }
    await held.reopen(limits)
    for (const kind of ['contact', 'request', 'system'] as const) expect(await send(kind)).toBe('full')
  })

  it('count the bytes of an origin as well: few large messages are no way round its share', async () => {
    const mailbox = newMailbox()
    const [one, other] = [originTag(random(32)), originTag(random(32))]
    const from = async (origin: number): Promise<string> =>
      (await held.store.store([{ mailbox, delivery: makeDelivery(mailbox, { payload: random(1000) }), origin }]))[0]!
        .state
    expect([await from(one), await from(one), await from(one)]).toEqual(['stored', 'stored', 'full'])
    expect(await from(other)).toBe('stored')
    await held.reopen(limits)
    expect(await from(one)).toBe('full')
  })

  it('let what a replica brings take free room only, and no more than a share', async () => {
    const mailbox = newMailbox()
    const bring = async (): Promise<string> => {
      const delivery = makeDelivery(mailbox, { expiry: held.now + 1e6 })
      return (await held.store.store([{ mailbox, delivery, origin: SIGNER, isBrought: true }]))[0]!.state
    }
    const sent = [makeDelivery(mailbox, { expiry: held.now + 10 }), makeDelivery(mailbox, { expiry: held.now + 11 })]
    await put(mailbox, ...sent)
    expect([await bring(), await bring(), await bring(), await bring()]).toEqual(['stored', 'stored', 'stored', 'full'])
    expect(await idsOf(mailbox)).toEqual(expect.arrayContaining(sent.map(delivery => toHex(delivery.id))))
    expect(held.evictions).toEqual([])
  })

  it("follow another replica's eviction only in a mailbox that is nearly full here too", async () => {
    const mailbox = newMailbox()
    const deliveries = Array.from({ length: 5 }, () => makeDelivery(mailbox))
    await put(mailbox, ...deliveries.slice(0, 3))
    await held.store.followEviction(
      mailbox,
      deliveries.map(delivery => delivery.id),
      PROOF,
      SIGNER
    )
    expect(await held.store.heldIn(mailbox)).toBe(3)
    await put(mailbox, ...deliveries.slice(3))
    await held.store.followEviction(mailbox, [deliveries[0]!.id], PROOF, SIGNER)
    expect(await held.store.heldIn(mailbox)).toBe(4)
    // An id never seen is not marked as gone: a bad replica would keep it from ever arriving.
    const unseen = makeDelivery(mailbox)
    await held.store.followEviction(mailbox, [unseen.id], PROOF, SIGNER)
    expect((await put(mailbox, unseen))[0]!.state).toBe('stored')
  })
})
