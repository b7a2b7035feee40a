import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { DEFAULT_MAILBOX_LIMITS } from '../../../node/pending-messages/mailbox-room.ts'
import { originTag } from '../../../node/pending-messages/pending-message-store.ts'
import { scrub } from '../../../node/pending-messages/store-scrubber.ts'
import { equalBytes, toHex } from '../../../protocol/bytes.ts'
import { makeDelivery, newMailbox, random } from '../../support/network/in-process/fixtures.ts'
import { TestStore } from '../../support/network/in-process/test-store.ts'

const ALL = { count: 100_000, bytes: 1e9 }
const PROOF = Uint8Array.of(1, 2, 3)

const held = TestStore.forEachTest()
const { put, idsOf } = held

describe('damage', () => {
  /** Flips a byte of a delivery wherever it stands in the database's files. */
  async function flip(payload: Uint8Array): Promise<void> {
    const directory = held.directory
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
    await held.store.read(database => database.compactRange(Buffer.alloc(1), Buffer.alloc(60, 0xff)))
    await held.store.close()
  }

  it('is seen when a delivery is read, which is then unknown and reported', async () => {
    const mailbox = newMailbox()
    const deliveries = [makeDelivery(mailbox), makeDelivery(mailbox), makeDelivery(mailbox)]
    await put(mailbox, ...deliveries)
    await settle()
    await flip(deliveries[1]!.payload)
    await held.open()
    expect(await idsOf(mailbox)).toEqual([deliveries[0]!, deliveries[2]!].map(d => toHex(d.id)))
    expect(held.corrupt.map(toHex)).toEqual([toHex(deliveries[1]!.id)])
    expect((await put(mailbox, deliveries[1]!))[0]!.state).toBe('stored')
    expect(await held.store.heldIn(mailbox)).toBe(3)
  })

  it('is not what another replica meets when a device acknowledges while it fetches', async () => {
    const mailbox = newMailbox()
    const [gone, kept] = [makeDelivery(mailbox), makeDelivery(mailbox)]
    await put(mailbox, gone, kept)
    const entries = held.store.entries.bind(held.store)
    let isFirst = true
    held.store.entries = async names => {
      const read = await entries(names)
      if (isFirst) await held.store.acknowledge(mailbox, [gone.id], PROOF)
      isFirst = false
      return read
    }
    const fetched = await held.store.fetch(mailbox, [gone.id, kept.id], 1e6)
    expect(fetched.map(({ id }) => toHex(id))).toEqual([toHex(kept.id)])
    expect(held.corrupt).toEqual([])
    expect((await entries([{ mailbox, id: gone.id }]))[0]?.state).toBe('acknowledged')
  })

  it('is seen when another replica fetches a delivery', async () => {
    const mailbox = newMailbox()
    const delivery = makeDelivery(mailbox)
    await put(mailbox, delivery)
    await settle()
    await flip(delivery.payload)
    await held.open()
    expect(await held.store.fetch(mailbox, [delivery.id], 1e6)).toEqual([])
    expect(held.corrupt.map(toHex)).toEqual([toHex(delivery.id)])
    expect((await held.store.entries([{ mailbox, id: delivery.id }]))[0]).toBeUndefined()
  })

  it('is found by a scrub without anybody reading', async () => {
    const mailbox = newMailbox()
    const deliveries = Array.from({ length: 600 }, () => makeDelivery(mailbox))
    await put(mailbox, ...deliveries)
    await settle()
    await flip(deliveries[500]!.payload)
    await held.open()
    const result = await scrub(held.store, new AbortController().signal)
    expect(result).toEqual({ deliveries: 600, broken: 1, restored: 0 })
    expect(held.corrupt.some(id => equalBytes(id, deliveries[500]!.id))).toBe(true)
    expect(held.store.heldCount).toBe(599)
  })

  it('of an entry is mended by a scrub from the delivery itself', async () => {
    const mailbox = newMailbox()
    const delivery = makeDelivery(mailbox)
    await put(mailbox, delivery, makeDelivery(mailbox))
    const digest = (await held.store.digests([mailbox[0]! % 4], null, 1))[0]!.digest
    await held.store.read(async database => {
      const key = Buffer.concat([Buffer.from('d'), mailbox, delivery.id])
      const value = (await database.get(key))!
      value[3]! ^= 4
      await database.put(key, value)
    })
    expect((await held.store.entries([{ mailbox, id: delivery.id }]))[0]).toBeUndefined()
    const result = await scrub(held.store, new AbortController().signal)
    expect(result.restored).toBe(1)
    expect((await held.store.entries([{ mailbox, id: delivery.id }]))[0]?.state).toBe('held')
    expect((await held.store.digests([mailbox[0]! % 4], null, 1))[0]!.digest).toEqual(digest)
    expect(await held.store.heldIn(mailbox)).toBe(2)
  })

  it('of counters is mended when the mailbox is next written', async () => {
    const mailbox = newMailbox()
    await put(mailbox, makeDelivery(mailbox), makeDelivery(mailbox))
    await held.store.read(async database => {
      for await (const [key, value] of database.iterator({ gt: Buffer.from('q'), lt: Buffer.from('r') })) {
        value[8]! ^= 1
        await database.put(key, value)
      }
    })
    await held.reopen()
    await put(mailbox, makeDelivery(mailbox))
    expect(await held.store.heldIn(mailbox)).toBe(3)
  })

  it('of counters whose origins are not known by class is no damage: the next write counts them', async () => {
    const mailbox = newMailbox()
    const origin = originTag(random(32))
    const send = () => held.store.store([{ mailbox, delivery: makeDelivery(mailbox, { class: 'request' }), origin }])
    await send()
    await held.store.acknowledge(mailbox, [makeDelivery(mailbox).id], PROOF)
    const known = { mailbox, after: 0 }
    const [before] = await held.store.news([known], 10)
    await held.reopen()
    await held.store.read(async database => {
      for await (const [key, value] of database.iterator({ gt: Buffer.from('q'), lt: Buffer.from('r') })) {
        // As the oldest records are: no aged tombstones (4), and of the last origin (class 1, tag 4, count 4, bytes 6) only tag and count.
        const fields = Buffer.concat([
          value.subarray(0, value.length - 4 - 4 - 15),
          value.subarray(value.length - 4 - 4 - 14, -4 - 4 - 6)
        ])
        const checksum = Buffer.alloc(4)
        checksum.writeUInt32BE(crc32(fields))
        await database.put(key, Buffer.concat([fields, checksum]))
      }
    })
    expect(await held.store.news([known], 10)).toEqual([before])
    expect(await held.store.heldIn(mailbox)).toBe(1)
    await send()
    expect(await held.store.heldIn(mailbox)).toBe(2)
    const [after] = await held.store.news([known], 10)
    expect(after!.next).toBeGreaterThan(before!.next)
    await held.reopen({ ...DEFAULT_MAILBOX_LIMITS, envelopes: { contact: 4, request: 4, system: 4 } })
    expect((await send())[0]!.state).toBe('full')
  })

  it('is counted anew without losing what is written at the same time, or going back in sequence', async () => {
    const mailbox = newMailbox()
    const [read, kept] = [makeDelivery(mailbox), makeDelivery(mailbox)]
    // Faster than one a second, so that the clock does not make up for a lost sequence.
    await put(mailbox, kept, ...Array.from({ length: 50 }, () => makeDelivery(mailbox)), read)
    const others = (await held.store.pendingAfter(mailbox, 0, ALL)).slice(1).map(({ delivery }) => delivery.id)
    await held.store.acknowledge(mailbox, others, PROOF)
    const digest = async (): Promise<string> => toHex((await held.store.digests([mailbox[0]! % 4], null, 1))[0]!.digest)
    const [before] = await held.store.news([{ mailbox, after: 0 }], 10)
    const [first, second] = [makeDelivery(mailbox), makeDelivery(mailbox)]
    const writes = [put(mailbox, first), held.store.recount(mailbox), put(mailbox, second)]
    const outcomes = (await Promise.all(writes)).flatMap(written => written ?? [])
    const sequences = outcomes.map(outcome => (outcome.state === 'stored' ? outcome.sequence : 0))
    expect(sequences).toEqual([before!.next + 1, before!.next + 2])
    expect(await held.store.heldIn(mailbox)).toBe(3)
    const mixed = await digest()
    await held.store.recount(mailbox)
    expect(await digest()).toBe(mixed)
    expect(await held.store.heldIn(mailbox)).toBe(3)
  })

  it('of the manifest is repaired at the next start', async () => {
    const mailbox = newMailbox()
    await put(mailbox, makeDelivery(mailbox))
    await settle()
    const directory = held.directory
    const manifest = (await readdir(directory)).find(name => name.startsWith('MANIFEST'))!
    await writeFile(join(directory, manifest), random(100))
    await held.open()
    expect(await idsOf(mailbox)).toHaveLength(1)
  })
})
