import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_MAILBOX_LIMITS, type MailboxLimits } from '../../node/mailbox-room.ts'
import { originTag, PendingMessageStore } from '../../node/pending-message-store.ts'
import { scrub } from '../../node/store-scrubber.ts'
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import { CLOCK_TOLERANCE_MS, PENDING_TTL_MS, TOMBSTONE_GRACE_MS } from '../../protocol/limits.ts'
import type { Delivery, DeliveryId, EnvelopeClass } from '../../protocol/wire/envelope.ts'
import {
  crypto,
  makeDelivery,
  network,
  newMailbox,
  quietLogger,
  random,
  temporaryFolder
} from '../support/node-network/fixtures.ts'

const ALL = { count: 100_000, bytes: 1e9 }
const PROOF = Uint8Array.of(1, 2, 3)

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let store: PendingMessageStore
let now = Date.now()
let evictions: { mailbox: DeviceId; ids: DeliveryId[] }[]
let corrupt: DeliveryId[]
let fatal: Error[]

const open = async (limits: MailboxLimits = DEFAULT_MAILBOX_LIMITS): Promise<PendingMessageStore> => {
  const opened = new PendingMessageStore(
    {
      crypto,
      network,
      clock: () => now,
      logger: quietLogger,
      shardOf: mailbox => mailbox[0]! % 4,
      events: {
        signEviction: async (mailbox, ids) => {
          evictions.push({ mailbox, ids })
          return Uint8Array.of(evictions.length)
        },
        onEvicted: () => undefined,
        onCorrupt: (_, ids) => corrupt.push(...ids),
        onFatal: error => fatal.push(error)
      }
    },
    { directory: folder.path, limits }
  )
  await opened.open()
  return opened
}

const put = (mailbox: DeviceId, ...deliveries: Delivery[]) =>
  store.store(deliveries.map(delivery => ({ mailbox, delivery, origin: 0 })))

const idsOf = async (mailbox: DeviceId): Promise<string[]> =>
  (await store.pendingAfter(mailbox, 0, ALL)).map(({ delivery }) => toHex(delivery.id))

beforeEach(async () => {
  folder = await temporaryFolder()
  now = Date.now()
  evictions = []
  corrupt = []
  fatal = []
  store = await open()
})

afterEach(async () => {
  await store.close()
  await folder.remove()
})

describe('what is stored', () => {
  it('is read back in order of arrival, after a restart too', async () => {
    const mailbox = newMailbox()
    const deliveries = Array.from({ length: 20 }, () => makeDelivery(mailbox))
    for (const delivery of deliveries) await put(mailbox, delivery)
    await store.close()
    store = await open()
    expect(await idsOf(mailbox)).toEqual(deliveries.map(delivery => toHex(delivery.id)))
    expect(store.heldCount).toBe(20)
  })

  it('is stored once however often it comes, also within one group', async () => {
    const mailbox = newMailbox()
    const delivery = makeDelivery(mailbox)
    const [first, again] = await Promise.all([put(mailbox, delivery, delivery), put(mailbox, delivery)])
    expect(first.map(outcome => outcome.state)).toEqual(['stored', 'known'])
    expect(again.map(outcome => outcome.state)).toEqual(['known'])
    expect(await store.heldIn(mailbox)).toBe(1)
  })

  it('is read in pages bounded by count and bytes, at least one at a time', async () => {
    const mailbox = newMailbox()
    const deliveries = Array.from({ length: 6 }, () => makeDelivery(mailbox, { payload: random(1000) }))
    await put(mailbox, ...deliveries)
    const page = await store.pendingAfter(mailbox, 0, { count: 64, bytes: 2500 })
    expect(page).toHaveLength(2)
    expect(await store.pendingAfter(mailbox, page[1]!.sequence, { count: 3, bytes: 1e6 })).toHaveLength(3)
    expect(await store.pendingAfter(mailbox, 0, { count: 64, bytes: 1 })).toHaveLength(1)
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
    const acknowledged = store.acknowledge(mailbox, [delivery.id], PROOF)
    const late = put(mailbox, delivery)
    await acknowledged
    expect((await late).map(outcome => outcome.state)).toEqual(['acknowledged'])
    await store.close()
    store = await open()
    expect((await put(mailbox, delivery))[0]!.state).toBe('acknowledged')
    expect(await idsOf(mailbox)).toEqual([])
    expect(store.heldCount).toBe(0)
  })

  it('stays gone when its acknowledgement came before it', async () => {
    const mailbox = newMailbox()
    const delivery = makeDelivery(mailbox)
    await store.acknowledge(mailbox, [delivery.id], PROOF)
    expect((await put(mailbox, delivery))[0]!.state).toBe('acknowledged')
  })

  it('can be proved gone by what the device signed', async () => {
    const mailbox = newMailbox()
    const deliveries = [makeDelivery(mailbox), makeDelivery(mailbox)]
    await put(mailbox, ...deliveries)
    const ids = deliveries.map(delivery => delivery.id)
    await store.acknowledge(mailbox, ids, PROOF)
    expect(await store.proofs(mailbox, ids)).toEqual([{ state: 'acknowledged', proof: PROOF }])
  })

  it('is remembered until a day after its expiry, and then forgotten with its proof', async () => {
    const mailbox = newMailbox()
    const delivery = makeDelivery(mailbox, { expiry: now + 1000 })
    await put(mailbox, delivery)
    await store.acknowledge(mailbox, [delivery.id], PROOF)
    now = delivery.expiry + TOMBSTONE_GRACE_MS - 1
    await store.sweep()
    expect((await store.entries([{ mailbox, id: delivery.id }]))[0]?.state).toBe('acknowledged')
    now += 2
    await store.sweep()
    expect((await store.entries([{ mailbox, id: delivery.id }]))[0]).toBeUndefined()
    expect(await store.proofs(mailbox, [delivery.id])).toEqual([])
    expect(await store.digests(mailbox[0]! % 4, null, 10)).toEqual([])
  })

  it('that was never seen is remembered as long as it could have lived, and only so many of them', async () => {
    const mailbox = newMailbox()
    const ids = Array.from({ length: 5000 }, () => random(32) as DeliveryId)
    for (let i = 0; i < ids.length; i += 250) await store.acknowledge(mailbox, ids.slice(i, i + 250), PROOF)
    const { page } = await store.states(mailbox, null, 10_000)
    expect(page).toHaveLength(4096)
    now += PENDING_TTL_MS + CLOCK_TOLERANCE_MS + TOMBSTONE_GRACE_MS + 1
    await store.sweep()
    expect((await store.states(mailbox, null, 10_000)).page).toEqual([])
  })
})

describe('time', () => {
  it('ends a delivery: not read after its expiry, removed by the sweep', async () => {
    const mailbox = newMailbox()
    const [short, long] = [makeDelivery(mailbox, { expiry: now + 10 }), makeDelivery(mailbox)]
    await put(mailbox, short, long)
    now += 11
    expect(await idsOf(mailbox)).toEqual([toHex(long.id)])
    await store.sweep()
    expect(await store.heldIn(mailbox)).toBe(1)
    expect((await store.entries([{ mailbox, id: short.id }]))[0]).toBeUndefined()
  })

  it('is swept in bounded steps until nothing is due', async () => {
    const mailbox = newMailbox()
    const deliveries = Array.from({ length: 2500 }, () => makeDelivery(mailbox, { expiry: now + 10 }))
    await put(mailbox, ...deliveries)
    now += 11
    await store.sweep()
    expect(store.heldCount).toBe(0)
  })
})

describe('limits', () => {
  const limits: MailboxLimits = {
    envelopes: { contact: 5, request: 2, system: 2 },
    bytes: { contact: 4000, request: 4000, system: 4000 },
    originShare: 0.6
  }

  beforeEach(async () => {
    await store.close()
    store = await open(limits)
  })

  it('remove the oldest of the same class, by expiry, and say so', async () => {
    const mailbox = newMailbox()
    const old = Array.from({ length: 5 }, (_, i) => makeDelivery(mailbox, { expiry: now + 1000 + i }))
    const request = makeDelivery(mailbox, { class: 'request', expiry: now + 1 })
    await put(mailbox, ...old.toReversed(), request)
    const fresh = [makeDelivery(mailbox), makeDelivery(mailbox)]
    expect((await put(mailbox, ...fresh)).map(outcome => outcome.state)).toEqual(['stored', 'stored'])
    expect((await idsOf(mailbox)).sort()).toEqual([...old.slice(2), request, ...fresh].map(d => toHex(d.id)).sort())
    expect(evictions).toHaveLength(1)
    expect(evictions[0]!.ids.map(toHex)).toEqual(old.slice(0, 2).map(d => toHex(d.id)))
    expect((await put(mailbox, old[0]!))[0]!.state).toBe('evicted')
    expect(await store.proofs(mailbox, [old[0]!.id, old[1]!.id])).toHaveLength(1)
  })

  it('refuse what would be the first to go', async () => {
    const mailbox = newMailbox()
    await put(mailbox, ...Array.from({ length: 5 }, () => makeDelivery(mailbox)))
    expect((await put(mailbox, makeDelivery(mailbox, { expiry: now + 5 })))[0]!.state).toBe('full')
    expect(evictions).toEqual([])
  })

  it('are kept without passing what the device got before, however much that was', async () => {
    const mailbox = newMailbox()
    const read = Array.from({ length: 30 }, (_, i) => makeDelivery(mailbox, { expiry: now + 500 + i }))
    for (const delivery of read) {
      await put(mailbox, delivery)
      await store.acknowledge(mailbox, [delivery.id], PROOF)
    }
    const old = Array.from({ length: 5 }, (_, i) => makeDelivery(mailbox, { expiry: now + 1000 + i }))
    const request = makeDelivery(mailbox, { class: 'request', expiry: now + 1 })
    await put(mailbox, ...old.toReversed(), request)
    await store.close()
    store = await open(limits)
    const passed: string[] = []
    await store.read(async database => {
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
    expect(evictions[0]!.ids.map(toHex)).toEqual(old.slice(0, 2).map(d => toHex(d.id)))
    expect((await idsOf(mailbox)).sort()).toEqual([...old.slice(2), request, ...fresh].map(d => toHex(d.id)).sort())
    for (const delivery of read) expect((await put(mailbox, delivery))[0]!.state).toBe('acknowledged')
  })

  it('leave the same deliveries whatever order they came in', async () => {
    const [mailbox, deliveries] = [newMailbox(), [] as Delivery[]]
    for (let i = 0; i < 300; i++) deliveries.push(makeDelivery(mailbox, { expiry: now + 1000 + (i % 40) }))
    await put(mailbox, ...deliveries)
    const left = (await idsOf(mailbox)).sort()
    await store.close()
    await folder.remove()
    folder = await temporaryFolder()
    store = await open(limits)
    const shuffled = deliveries.toSorted((a, b) => (toHex(a.id) < toHex(b.id) ? -1 : 1))
    for (const delivery of shuffled) await put(mailbox, delivery)
    expect((await idsOf(mailbox)).sort()).toEqual(left)
  })

  it('count bytes as well, and never hold more than they allow', async () => {
    const mailbox = newMailbox()
    for (let i = 0; i < 4; i++)
      await put(mailbox, makeDelivery(mailbox, { payload: random(1500), expiry: now + 100 + i }))
    expect(await store.heldIn(mailbox)).toBe(2)
    expect((await put(mailbox, makeDelivery(mailbox, { payload: random(5000) })))[0]!.state).toBe('full')
  })

  it('let strangers fill their part only', async () => {
    const mailbox = newMailbox()
    await put(mailbox, ...Array.from({ length: 5 }, () => makeDelivery(mailbox)))
    for (let i = 0; i < 20; i++) await put(mailbox, makeDelivery(mailbox, { class: 'request' }))
    expect(await store.heldIn(mailbox)).toBe(7)
  })

  it('let one origin fill its share only', async () => {
    const mailbox = newMailbox()
    const [one, other] = [originTag(random(32)), originTag(random(32))]
    const from = (origin: number) => store.store([{ mailbox, delivery: makeDelivery(mailbox), origin }])
    const states: string[] = []
    for (let i = 0; i < 4; i++) states.push((await from(one))[0]!.state)
    expect(states).toEqual(['stored', 'stored', 'stored', 'full'])
    expect((await from(other))[0]!.state).toBe('stored')
  })

  it('count the share of an origin in each class apart', async () => {
    const mailbox = newMailbox()
    const origin = originTag(random(32))
    const send = async (envelopeClass: EnvelopeClass) =>
      (await store.store([{ mailbox, delivery: makeDelivery(mailbox, { class: envelopeClass }), origin }]))[0]!.state
    for (const state of ['stored', 'stored', 'stored', 'full']) expect(await send('contact')).toBe(state)
    for (const kind of ['request', 'system'] as const) {
      for (const state of ['stored', 'stored', 'full']) expect(await send(kind)).toBe(state)
    }
    await store.close()
    store = await open(limits)
    for (const kind of ['contact', 'request', 'system'] as const) expect(await send(kind)).toBe('full')
  })

  it("follow another replica's eviction only in a mailbox that is nearly full here too", async () => {
    const mailbox = newMailbox()
    const deliveries = Array.from({ length: 5 }, () => makeDelivery(mailbox))
    await put(mailbox, ...deliveries.slice(0, 3))
    await store.followEviction(
      mailbox,
      deliveries.map(delivery => delivery.id),
      PROOF
    )
    expect(await store.heldIn(mailbox)).toBe(3)
    await put(mailbox, ...deliveries.slice(3))
    await store.followEviction(mailbox, [deliveries[0]!.id], PROOF)
    expect(await store.heldIn(mailbox)).toBe(4)
    // An id never seen is not marked as gone: a bad replica would keep it from ever arriving.
    const unseen = makeDelivery(mailbox)
    await store.followEviction(mailbox, [unseen.id], PROOF)
    expect((await put(mailbox, unseen))[0]!.state).toBe('stored')
  })
})

describe('comparing replicas', () => {
  it('gives equal digests for equal contents, whatever the order, and different ones otherwise', async () => {
    const mailbox = newMailbox()
    const deliveries = Array.from({ length: 10 }, () => makeDelivery(mailbox))
    const digest = async (): Promise<string> => toHex((await store.digests(mailbox[0]! % 4, null, 10))[0]!.digest)
    await put(mailbox, ...deliveries)
    await store.acknowledge(mailbox, [deliveries[3]!.id], PROOF)
    const first = await digest()
    await store.close()
    await folder.remove()
    folder = await temporaryFolder()
    store = await open()
    await store.acknowledge(mailbox, [deliveries[3]!.id], PROOF)
    await put(mailbox, ...deliveries.toReversed().slice(0, 9))
    expect(await digest()).not.toBe(first)
    await put(mailbox, ...deliveries)
    expect(await digest()).toBe(first)
  })

  it('tells what is new since a sequence, and everything to one who knows a sequence that never was', async () => {
    const mailbox = newMailbox()
    await put(mailbox, makeDelivery(mailbox), makeDelivery(mailbox))
    const [all] = await store.news([{ mailbox, after: 0 }], 100)
    expect(all!.ids).toHaveLength(2)
    expect(await store.news([{ mailbox, after: all!.next }], 100)).toEqual([])
    const third = makeDelivery(mailbox)
    await put(mailbox, third)
    expect((await store.news([{ mailbox, after: all!.next }], 100))[0]!.ids).toEqual([third.id])
    expect((await store.news([{ mailbox, after: all!.next + 1000 }], 100))[0]!.ids).toHaveLength(3)
    const [first] = await store.news([{ mailbox, after: 0 }], 1)
    expect((await store.news([{ mailbox, after: first!.next }], 100))[0]!.ids).toHaveLength(2)
  })
})

describe('damage', () => {
  /** Flips a byte of a delivery wherever it stands in the database's files. */
  async function flip(payload: Uint8Array): Promise<void> {
    const directory = join(folder.path, 'db')
    for (const name of await readdir(directory)) {
      const file = join(directory, name)
      const bytes = await readFile(file)
      const at = bytes.indexOf(payload)
      if (at < 0) continue
      bytes[at + 5]! ^= 1
      await writeFile(file, bytes)
      return
    }
    throw new Error('the payload stands in no file')
  }

  /** Moves everything from the log to a table, whose blocks are read without a checksum. */
  async function settle(): Promise<void> {
    await store.read(database => database.compactRange(Buffer.alloc(1), Buffer.alloc(60, 0xff)))
    await store.close()
  }

  it('is seen when a delivery is read, which is then unknown and reported', async () => {
    const mailbox = newMailbox()
    const deliveries = [makeDelivery(mailbox), makeDelivery(mailbox), makeDelivery(mailbox)]
    await put(mailbox, ...deliveries)
    await settle()
    await flip(deliveries[1]!.payload)
    store = await open()
    expect(await idsOf(mailbox)).toEqual([deliveries[0]!, deliveries[2]!].map(d => toHex(d.id)))
    expect(corrupt.map(toHex)).toEqual([toHex(deliveries[1]!.id)])
    expect((await put(mailbox, deliveries[1]!))[0]!.state).toBe('stored')
    expect(await store.heldIn(mailbox)).toBe(3)
  })

  it('is not what another replica meets when a device acknowledges while it fetches', async () => {
    const mailbox = newMailbox()
    const [gone, kept] = [makeDelivery(mailbox), makeDelivery(mailbox)]
    await put(mailbox, gone, kept)
    const entries = store.entries.bind(store)
    let isFirst = true
    store.entries = async names => {
      const read = await entries(names)
      if (isFirst) await store.acknowledge(mailbox, [gone.id], PROOF)
      isFirst = false
      return read
    }
    const fetched = await store.fetch(mailbox, [gone.id, kept.id], 1e6)
    expect(fetched.map(({ id }) => toHex(id))).toEqual([toHex(kept.id)])
    expect(corrupt).toEqual([])
    expect((await entries([{ mailbox, id: gone.id }]))[0]?.state).toBe('acknowledged')
  })

  it('is seen when another replica fetches a delivery', async () => {
    const mailbox = newMailbox()
    const delivery = makeDelivery(mailbox)
    await put(mailbox, delivery)
    await settle()
    await flip(delivery.payload)
    store = await open()
    expect(await store.fetch(mailbox, [delivery.id], 1e6)).toEqual([])
    expect(corrupt.map(toHex)).toEqual([toHex(delivery.id)])
    expect((await store.entries([{ mailbox, id: delivery.id }]))[0]).toBeUndefined()
  })

  it('is found by a scrub without anybody reading', async () => {
    const mailbox = newMailbox()
    const deliveries = Array.from({ length: 600 }, () => makeDelivery(mailbox))
    await put(mailbox, ...deliveries)
    await settle()
    await flip(deliveries[500]!.payload)
    store = await open()
    const result = await scrub(store, new AbortController().signal)
    expect(result).toEqual({ deliveries: 600, broken: 1, restored: 0 })
    expect(corrupt.some(id => equalBytes(id, deliveries[500]!.id))).toBe(true)
    expect(store.heldCount).toBe(599)
  })

  it('of an entry is mended by a scrub from the delivery itself', async () => {
    const mailbox = newMailbox()
    const delivery = makeDelivery(mailbox)
    await put(mailbox, delivery, makeDelivery(mailbox))
    const digest = (await store.digests(mailbox[0]! % 4, null, 1))[0]!.digest
    await store.read(async database => {
      const key = Buffer.concat([Buffer.from('d'), mailbox, delivery.id])
      const value = (await database.get(key))!
      value[3]! ^= 4
      await database.put(key, value)
    })
    expect((await store.entries([{ mailbox, id: delivery.id }]))[0]).toBeUndefined()
    const result = await scrub(store, new AbortController().signal)
    expect(result.restored).toBe(1)
    expect((await store.entries([{ mailbox, id: delivery.id }]))[0]?.state).toBe('held')
    expect((await store.digests(mailbox[0]! % 4, null, 1))[0]!.digest).toEqual(digest)
    expect(await store.heldIn(mailbox)).toBe(2)
  })

  it('of counters is mended when the mailbox is next written', async () => {
    const mailbox = newMailbox()
    await put(mailbox, makeDelivery(mailbox), makeDelivery(mailbox))
    await store.read(async database => {
      for await (const [key, value] of database.iterator({ gt: Buffer.from('q'), lt: Buffer.from('r') })) {
        value[8]! ^= 1
        await database.put(key, value)
      }
    })
    await store.close()
    store = await open()
    await put(mailbox, makeDelivery(mailbox))
    expect(await store.heldIn(mailbox)).toBe(3)
  })

  it('of counters whose origins are not known by class is no damage: the next write counts them', async () => {
    const mailbox = newMailbox()
    const origin = originTag(random(32))
    const send = () => store.store([{ mailbox, delivery: makeDelivery(mailbox, { class: 'request' }), origin }])
    await send()
    await store.acknowledge(mailbox, [makeDelivery(mailbox).id], PROOF)
    const known = { mailbox, after: 0 }
    const [before] = await store.news([known], 10)
    await store.close()
    store = await open()
    await store.read(async database => {
      for await (const [key, value] of database.iterator({ gt: Buffer.from('q'), lt: Buffer.from('r') })) {
        const fields = Buffer.concat([
          value.subarray(0, value.length - 4 - 9),
          value.subarray(value.length - 4 - 8, -4)
        ])
        const checksum = Buffer.alloc(4)
        checksum.writeUInt32BE(crc32(fields))
        await database.put(key, Buffer.concat([fields, checksum]))
      }
    })
    expect(await store.news([known], 10)).toEqual([before])
    expect(await store.heldIn(mailbox)).toBe(1)
    await send()
    expect(await store.heldIn(mailbox)).toBe(2)
    const [after] = await store.news([known], 10)
    expect(after!.next).toBeGreaterThan(before!.next)
    await store.close()
    store = await open({ ...DEFAULT_MAILBOX_LIMITS, envelopes: { contact: 4, request: 4, system: 4 } })
    expect((await send())[0]!.state).toBe('full')
  })

  it('is counted anew without losing what is written at the same time, or going back in sequence', async () => {
    const mailbox = newMailbox()
    const [read, kept] = [makeDelivery(mailbox), makeDelivery(mailbox)]
    // Faster than one a second, so that the clock does not make up for a lost sequence.
    await put(mailbox, kept, ...Array.from({ length: 50 }, () => makeDelivery(mailbox)), read)
    const others = (await store.pendingAfter(mailbox, 0, ALL)).slice(1).map(({ delivery }) => delivery.id)
    await store.acknowledge(mailbox, others, PROOF)
    const digest = async (): Promise<string> => toHex((await store.digests(mailbox[0]! % 4, null, 1))[0]!.digest)
    const [before] = await store.news([{ mailbox, after: 0 }], 10)
    const [first, second] = [makeDelivery(mailbox), makeDelivery(mailbox)]
    const writes = [put(mailbox, first), store.recount(mailbox), put(mailbox, second)]
    const outcomes = (await Promise.all(writes)).flatMap(written => written ?? [])
    const sequences = outcomes.map(outcome => (outcome.state === 'stored' ? outcome.sequence : 0))
    expect(sequences).toEqual([before!.next + 1, before!.next + 2])
    expect(await store.heldIn(mailbox)).toBe(3)
    const mixed = await digest()
    await store.recount(mailbox)
    expect(await digest()).toBe(mixed)
    expect(await store.heldIn(mailbox)).toBe(3)
  })

  it('of the manifest is repaired at the next start', async () => {
    const mailbox = newMailbox()
    await put(mailbox, makeDelivery(mailbox))
    await settle()
    const directory = join(folder.path, 'db')
    const manifest = (await readdir(directory)).find(name => name.startsWith('MANIFEST'))!
    await writeFile(join(directory, manifest), random(100))
    store = await open()
    expect(await idsOf(mailbox)).toHaveLength(1)
  })
})

describe('failure', () => {
  it('to write stops everything: nothing more is taken, the node is told once', async () => {
    const mailbox = newMailbox()
    await put(mailbox, makeDelivery(mailbox))
    await store.read(async database => {
      database.batch = (() => Promise.reject(new Error('I/O error'))) as unknown as typeof database.batch
    })
    const results = await Promise.allSettled([put(mailbox, makeDelivery(mailbox)), put(mailbox, makeDelivery(mailbox))])
    expect(results.map(result => result.status)).toEqual(['rejected', 'rejected'])
    await expect(put(mailbox, makeDelivery(mailbox))).rejects.toMatchObject({ code: 'store-failed' })
    expect(fatal).toHaveLength(1)
    expect(store.isUsable).toBe(false)
  })

  it('to open a database in use says that it is locked', async () => {
    await expect(open()).rejects.toMatchObject({ code: 'LEVEL_LOCKED' })
  })
})
