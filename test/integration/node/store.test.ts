import { describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import { CLOCK_TOLERANCE_MS, PENDING_TTL_MS, TOMBSTONE_GRACE_MS } from '../../../protocol/limits.ts'
import type { DeviceId } from '../../../protocol/identity/device.ts'
import type { Delivery, DeliveryId } from '../../../protocol/wire/envelope.ts'
import { makeDelivery, newMailbox, random } from '../../support/network/in-process/fixtures.ts'
import { PROVEN_MS } from '../../../node/pending-messages/store-transaction.ts'
import { TestStore } from '../../support/network/in-process/test-store.ts'

const PROOF = Uint8Array.of(1, 2, 3)

const held = TestStore.forEachTest()
const { put, idsOf } = held

describe('what is stored', () => {
  it('is read back in order of arrival, after a restart too', async () => {
    const mailbox = newMailbox()
    const deliveries = Array.from({ length: 20 }, () => makeDelivery(mailbox))
    for (const delivery of deliveries) await put(mailbox, delivery)
    await held.reopen()
    expect(await idsOf(mailbox)).toEqual(deliveries.map(delivery => toHex(delivery.id)))
    expect(held.store.heldCount).toBe(20)
  })

  it('is stored once however often it comes, also within one group', async () => {
    const mailbox = newMailbox()
    const delivery = makeDelivery(mailbox)
    const [first, again] = await Promise.all([put(mailbox, delivery, delivery), put(mailbox, delivery)])
    expect(first.map(outcome => outcome.state)).toEqual(['stored', 'known'])
    expect(again.map(outcome => outcome.state)).toEqual(['known'])
    expect(await held.store.heldIn(mailbox)).toBe(1)
  })

  it('is read in pages bounded by count and bytes, at least one at a time', async () => {
    const mailbox = newMailbox()
    const deliveries = Array.from({ length: 6 }, () => makeDelivery(mailbox, { payload: random(1000) }))
    await put(mailbox, ...deliveries)
    const page = await held.store.pendingAfter(mailbox, 0, { count: 64, bytes: 2500 })
    expect(page).toHaveLength(2)
    expect(await held.store.pendingAfter(mailbox, page[1]!.sequence, { count: 3, bytes: 1e6 })).toHaveLength(3)
    expect(await held.store.pendingAfter(mailbox, 0, { count: 64, bytes: 1 })).toHaveLength(1)
  })

  it('keeps mailboxes apart', async () => {
    const [one, other] = [newMailbox(), newMailbox()]
    await put(one, makeDelivery(one))
    expect(await idsOf(other)).toEqual([])
  })
})

describe('an acknowledged delivery', () => {
  it('is gone and does not come back, within the same group or later', async () => {
    const mailbox = newMailbox()
    const delivery = makeDelivery(mailbox)
    await put(mailbox, delivery)
    const acknowledged = held.store.acknowledge(mailbox, [delivery.id], PROOF)
    const late = put(mailbox, delivery)
    await acknowledged
    expect((await late).map(outcome => outcome.state)).toEqual(['acknowledged'])
    await held.reopen()
    expect((await put(mailbox, delivery))[0]!.state).toBe('acknowledged')
    expect(await idsOf(mailbox)).toEqual([])
    expect(held.store.heldCount).toBe(0)
  })

  it('stays gone when its acknowledgement came before it', async () => {
    const mailbox = newMailbox()
    const delivery = makeDelivery(mailbox)
    await held.store.acknowledge(mailbox, [delivery.id], PROOF)
    expect((await put(mailbox, delivery))[0]!.state).toBe('acknowledged')
  })

  it('can be proved gone by what the device signed', async () => {
    const mailbox = newMailbox()
    const deliveries = [makeDelivery(mailbox), makeDelivery(mailbox)]
    await put(mailbox, ...deliveries)
    const ids = deliveries.map(delivery => delivery.id)
    await held.store.acknowledge(mailbox, ids, PROOF)
    expect(await held.store.proofs(mailbox, ids)).toEqual([{ state: 'acknowledged', proof: PROOF }])
  })

  it('is remembered until a day after its expiry, and then forgotten with its proof', async () => {
    const mailbox = newMailbox()
    const delivery = makeDelivery(mailbox, { expiry: held.now + 1000 })
    await put(mailbox, delivery)
    await held.store.acknowledge(mailbox, [delivery.id], PROOF)
    held.now = delivery.expiry + TOMBSTONE_GRACE_MS - 1
    await held.store.sweep()
    expect((await held.store.entries([{ mailbox, id: delivery.id }]))[0]?.state).toBe('acknowledged')
    held.now += 2
    await held.store.sweep()
    expect((await held.store.entries([{ mailbox, id: delivery.id }]))[0]).toBeUndefined()
    expect(await held.store.proofs(mailbox, [delivery.id])).toEqual([])
    expect(await held.store.digests([mailbox[0]! % 4], null, 10)).toEqual([])
  })

  it('that was never seen is remembered as long as it could have lived, and only so many of them', async () => {
    const mailbox = newMailbox()
    const ids = Array.from({ length: 5000 }, () => random(32) as DeliveryId)
    for (let i = 0; i < ids.length; i += 250) await held.store.acknowledge(mailbox, ids.slice(i, i + 250), PROOF)
    const { page } = await held.store.states(mailbox, null, 10_000)
    expect(page).toHaveLength(4096)
    held.now += PENDING_TTL_MS + CLOCK_TOLERANCE_MS + TOMBSTONE_GRACE_MS + 1
    await held.store.sweep()
    expect((await held.store.states(mailbox, null, 10_000)).page).toEqual([])
  })
})

describe('a delivery acknowledged three days ago', () => {
  const DAY_MS = 86_400_000
  const later = () => held.now + 20 * DAY_MS
  const rowBytes = async (): Promise<number> => {
    const rows = await held.store.read(database => database.iterator().all())
    return rows.reduce((sum, [key, value]) => sum + key.length + value.length, 0)
  }

  it('stays gone, takes some bytes of its own only, and is proved to nobody', async () => {
    const mailbox = newMailbox()
    const count = 300
    const expiry = later()
    const deliveries = Array.from({ length: count }, () => makeDelivery(mailbox, { expiry }))
    await put(mailbox, ...deliveries)
    const proof = (index: number) => Uint8Array.from([...random(230), index >> 8, index & 0xff])
    for (const [index, { id }] of deliveries.entries()) await held.store.acknowledge(mailbox, [id], proof(index))
    // So much each one took until a day after its expiry.
    expect((await rowBytes()) / count).toBeGreaterThan(450)
    held.now += PROVEN_MS + 1
    await held.store.sweep()
    expect((await rowBytes()) / count).toBeLessThan(10)
    await held.reopen()
    const { id } = deliveries[7]!
    expect((await put(mailbox, deliveries[7]!))[0]!.state).toBe('acknowledged')
    expect((await held.store.states(mailbox, null, 1_000)).page).toEqual([])
    expect(await held.store.proofs(mailbox, [id])).toEqual([])
    // By its expiry a node knows that it let go of it rightly: it signs for it.
    expect(await held.store.entries([{ mailbox, id, expiry }])).toMatchObject([{ state: 'acknowledged', expiry }])
    expect(await held.store.entries([{ mailbox, id }])).toEqual([undefined])
  })

  it('is forgotten within a day after the time until which it was kept before', async () => {
    const mailbox = newMailbox()
    const empty = await rowBytes()
    const delivery = makeDelivery(mailbox, { expiry: later() })
    await put(mailbox, delivery)
    await held.store.acknowledge(mailbox, [delivery.id], PROOF)
    held.now += PROVEN_MS + 1
    await held.store.sweep()
    held.now = delivery.expiry + TOMBSTONE_GRACE_MS
    await held.store.sweep()
    expect((await put(mailbox, delivery))[0]!.state).toBe('acknowledged')
    held.now += DAY_MS
    await held.store.sweep()
    expect(await rowBytes()).toBe(empty)
  })

  it('leaves a mailbox with the digest of a replica that never had it', async () => {
    const mailbox = newMailbox()
    const [gone, waiting] = [later(), later()].map(expiry => makeDelivery(mailbox, { expiry })) as [Delivery, Delivery]
    const digest = async (): Promise<string> =>
      toHex((await held.store.digests([mailbox[0]! % 4], null, 10))[0]!.digest)
    await put(mailbox, waiting)
    const before = await digest()
    await put(mailbox, gone)
    await held.store.acknowledge(mailbox, [gone.id], PROOF)
    expect(await digest()).not.toBe(before)
    held.now += PROVEN_MS + 1
    await held.store.sweep()
    expect(await digest()).toBe(before)
  })

  it('is told by its proof for longer where others of the acknowledgement never came here', async () => {
    const mailbox = newMailbox()
    const delivery = makeDelivery(mailbox, { expiry: later() })
    const unseen = random(32) as DeliveryId
    await put(mailbox, delivery)
    await held.store.acknowledge(mailbox, [delivery.id, unseen], PROOF)
    held.now += PROVEN_MS + 1
    await held.store.sweep()
    expect(await held.store.proofs(mailbox, [unseen])).toEqual([{ state: 'acknowledged', proof: PROOF }])
    expect((await put(mailbox, delivery))[0]!.state).toBe('acknowledged')
  })
})

describe('time', () => {
  it('ends a delivery: not read after its expiry, removed by the sweep', async () => {
    const mailbox = newMailbox()
    const [short, long] = [makeDelivery(mailbox, { expiry: held.now + 10 }), makeDelivery(mailbox)]
    await put(mailbox, short, long)
    held.now += 11
    expect(await idsOf(mailbox)).toEqual([toHex(long.id)])
    await held.store.sweep()
    expect(await held.store.heldIn(mailbox)).toBe(1)
    expect((await held.store.entries([{ mailbox, id: short.id }]))[0]).toBeUndefined()
  })

  it('is swept in bounded steps until nothing is due', async () => {
    const mailbox = newMailbox()
    const deliveries = Array.from({ length: 2500 }, () => makeDelivery(mailbox, { expiry: held.now + 10 }))
    await put(mailbox, ...deliveries)
    held.now += 11
    await held.store.sweep()
    expect(held.store.heldCount).toBe(0)
  })
})

describe('the shards of which anything is here', () => {
  it('are found without reading those that are not looked for', async () => {
    const mailboxes = Array.from({ length: 12 }, () => newMailbox())
    for (const mailbox of mailboxes) await put(mailbox, makeDelivery(mailbox))
    await held.store.setToken(Uint8Array.of(2, ...new Uint8Array(15)) as DeviceId, Uint8Array.of(1))
    const shards = [...new Set([2, ...mailboxes.map(mailbox => mailbox[0]! % 4)])].toSorted()
    expect(await held.store.shardsHeld(() => false)).toEqual(shards)
    expect(await held.store.shardsHeld(shard => shard < 4 && shard !== 2)).toEqual([2])
    expect(await held.store.shardsHeld(shard => shard < 4)).toEqual([])
  })
})

describe('comparing replicas', () => {
  it('gives equal digests for equal contents, whatever the order, and different ones otherwise', async () => {
    const mailbox = newMailbox()
    const deliveries = Array.from({ length: 10 }, () => makeDelivery(mailbox))
    const digest = async (): Promise<string> =>
      toHex((await held.store.digests([mailbox[0]! % 4], null, 10))[0]!.digest)
    await put(mailbox, ...deliveries)
    await held.store.acknowledge(mailbox, [deliveries[3]!.id], PROOF)
    const first = await digest()
    await held.openEmpty()
    await held.store.acknowledge(mailbox, [deliveries[3]!.id], PROOF)
    await put(mailbox, ...deliveries.toReversed().slice(0, 9))
    expect(await digest()).not.toBe(first)
    await put(mailbox, ...deliveries)
    expect(await digest()).toBe(first)
  })

  it('tells what is new since a sequence, and everything to one who knows a sequence that never was', async () => {
    const mailbox = newMailbox()
    await put(mailbox, makeDelivery(mailbox), makeDelivery(mailbox))
    const [all] = await held.store.news([{ mailbox, after: 0 }], 100)
    expect(all!.ids).toHaveLength(2)
    expect(await held.store.news([{ mailbox, after: all!.next }], 100)).toEqual([])
    const third = makeDelivery(mailbox)
    await put(mailbox, third)
    expect((await held.store.news([{ mailbox, after: all!.next }], 100))[0]!.ids).toEqual([third.id])
    expect((await held.store.news([{ mailbox, after: all!.next + 1000 }], 100))[0]!.ids).toHaveLength(3)
    const [first] = await held.store.news([{ mailbox, after: 0 }], 1)
    expect((await held.store.news([{ mailbox, after: first!.next }], 100))[0]!.ids).toHaveLength(2)
  })
})

describe('failure', () => {
  it('to write stops everything: nothing more is taken, the node is told once', async () => {
    const mailbox = newMailbox()
    await put(mailbox, makeDelivery(mailbox))
    await held.store.read(async database => {
      database.batch = (() => Promise.reject(new Error('I/O error'))) as unknown as typeof database.batch
    })
    const results = await Promise.allSettled([put(mailbox, makeDelivery(mailbox)), put(mailbox, makeDelivery(mailbox))])
    expect(results.map(result => result.status)).toEqual(['rejected', 'rejected'])
    await expect(put(mailbox, makeDelivery(mailbox))).rejects.toMatchObject({ code: 'store-failed' })
    expect(held.fatal).toHaveLength(1)
    expect(held.store.isUsable).toBe(false)
  })

  it('to open a database in use says that it is locked', async () => {
    await expect(held.open()).rejects.toMatchObject({ name: 'ConfigError', cause: { code: 'in-use' } })
  })
})
