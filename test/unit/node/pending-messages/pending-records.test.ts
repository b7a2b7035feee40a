import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MailboxCounters, MAX_COUNTED_ORIGINS } from '../../../../node/pending-messages/mailbox-counters.ts'
import {
  CLASSES,
  decodeDelivery,
  decodeEntry,
  deliveryKey,
  deliveryRange,
  dueRange,
  encodeDelivery,
  encodeEntry,
  entryExpiryKey,
  entryKey,
  parseDeliveryKey,
  parseEntryKey,
  parseExpiryKey,
  proofExpiryKey,
  type Entry
} from '../../../../node/pending-messages/pending-records.ts'
import type { DeviceId } from '../../../../protocol/identity/device.ts'
import type { DeliveryId, EnvelopeClass } from '../../../../protocol/wire/envelope.ts'
import { makeDelivery, newMailbox, random } from '../../../support/network/in-process/fixtures.ts'

const mailboxes = fc.uint8Array({ minLength: 16, maxLength: 16 }) as fc.Arbitrary<Uint8Array> as fc.Arbitrary<DeviceId>
const ids = fc.uint8Array({ minLength: 32, maxLength: 32 }) as fc.Arbitrary<Uint8Array> as fc.Arbitrary<DeliveryId>
const times = fc.integer({ min: 0, max: 2 ** 47 })
const classes = fc.constantFrom<EnvelopeClass>('contact', 'request', 'system')

const entries: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({
    state: fc.constant('held' as const),
    class: classes,
    expiry: times,
    sequence: times,
    size: fc.integer({ min: 0, max: 2 ** 31 }),
    origin: fc.integer({ min: 0, max: 2 ** 31 })
  }),
  fc.record({
    state: fc.constantFrom('acknowledged' as const, 'evicted' as const),
    expiry: times,
    until: times,
    proof: fc.uint8Array({ minLength: 16, maxLength: 16 })
  })
)

describe('an entry', () => {
  it('is read as it was written', () => {
    fc.assert(fc.property(entries, entry => void expect(decodeEntry(encodeEntry(entry))).toEqual(entry)))
  })

  it('is not read with any bit flipped, or cut short', () => {
    fc.assert(
      fc.property(entries, fc.nat(), (entry, at) => {
        const bytes = encodeEntry(entry)
        const flipped = Buffer.from(bytes)
        flipped[(at >> 3) % bytes.length]! ^= 1 << (at & 7)
        expect(decodeEntry(flipped)).toBeUndefined()
        expect(decodeEntry(bytes.subarray(0, bytes.length - 1))).toBeUndefined()
      })
    )
  })

  it('is nothing for arbitrary bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), bytes => void expect(decodeEntry(bytes)).toBeUndefined()))
  })
})

describe('keys', () => {
  it('are parsed as they were made', () => {
    fc.assert(
      fc.property(mailboxes, ids, times, (mailbox, id, time) => {
        expect(parseEntryKey(entryKey(mailbox, id))).toEqual({ mailbox, id })
        expect(parseDeliveryKey(deliveryKey(mailbox, time, id))).toEqual({ mailbox, sequence: time, id })
        expect(parseExpiryKey(entryExpiryKey(time, mailbox, id))).toEqual({ kind: 'entry', mailbox, id })
        expect(parseExpiryKey(proofExpiryKey(time, id.subarray(0, 16)))).toEqual({
          kind: 'proof',
          hash: id.slice(0, 16)
        })
      })
    )
  })

  it('of deliveries are in the order of their sequences', () => {
    fc.assert(
      fc.property(mailboxes, ids, ids, times, times, (mailbox, a, b, first, second) => {
        fc.pre(first < second)
        expect(Buffer.compare(deliveryKey(mailbox, first, a), deliveryKey(mailbox, second, b))).toBe(-1)
        const { gt } = deliveryRange(mailbox, first)
        expect(Buffer.compare(deliveryKey(mailbox, first, a), gt)).toBeLessThanOrEqual(0)
        expect(Buffer.compare(deliveryKey(mailbox, second, b), gt)).toBe(1)
      })
    )
  })

  it('of what is due are all those up to a time, and no others', () => {
    fc.assert(
      fc.property(mailboxes, ids, times, times, (mailbox, id, time, now) => {
        const { gt, lt } = dueRange(now)
        const key = entryExpiryKey(time, mailbox, id)
        expect(Buffer.compare(key, gt) > 0 && Buffer.compare(key, lt) < 0).toBe(time <= now)
      })
    )
  })
})

describe('a stored delivery', () => {
  it('is read as it was written, and is nothing for other bytes', () => {
    const delivery = makeDelivery(newMailbox())
    expect(decodeDelivery(encodeDelivery(delivery))).toEqual(delivery)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => void expect(decodeDelivery(bytes)).toBeUndefined())
    )
  })
})

describe('counters', () => {
  const filled = (): MailboxCounters => {
    const counters = new MailboxCounters()
    counters.sequence = 77
    counters.addHeld(random(32) as DeliveryId, 'contact', 100, 5)
    counters.addHeld(random(32) as DeliveryId, 'request', 50, 9)
    counters.addGone(random(32) as DeliveryId, true)
    return counters
  }

  it('are read as they were written', () => {
    const counters = filled()
    const read = MailboxCounters.decode(counters.encode())!
    expect({ ...read }).toEqual({ ...counters })
    expect(read.held).toBe(2)
    expect([read.countFrom('contact', 5), read.countFrom('request', 9)]).toEqual([1, 1])
    expect([read.countFrom('request', 5), read.countFrom('contact', 9)]).toEqual([0, 0])
  })

  it('are not read with any bit flipped', () => {
    const bytes = filled().encode()
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(MailboxCounters.decode(flipped)).toBeUndefined()
    }
  })

  it('come back to nothing when everything that was added is removed, in any order', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(ids, { selector: id => id.join(), maxLength: 30 }),
        fc.array(classes, { minLength: 30, maxLength: 30 }),
        (all, kinds) => {
          const counters = new MailboxCounters()
          all.forEach((id, i) => counters.addHeld(id, kinds[i]!, i, 3))
          all
            .toReversed()
            .forEach((id, i) => counters.removeHeld(id, kinds[all.length - 1 - i]!, all.length - 1 - i, 3))
          expect(counters.isEmpty).toBe(true)
          expect(counters.digest).toEqual(new Uint8Array(16))
          expect(counters.bytes).toEqual([0, 0, 0])
          for (const kind of CLASSES) expect(counters.countFrom(kind, 3)).toBe(0)
        }
      )
    )
  })

  it('tell held from gone', () => {
    const id = random(32) as DeliveryId
    const [held, gone] = [new MailboxCounters(), new MailboxCounters()]
    held.addHeld(id, 'contact', 1, 0)
    gone.addGone(id, false)
    expect(held.digest).not.toEqual(gone.digest)
    expect(CLASSES).toHaveLength(3)
  })

  it('count so many origins apart and no more', () => {
    const counters = new MailboxCounters()
    counters.addHeld(random(32) as DeliveryId, 'request', 1, 7)
    for (let i = 1; i <= 100; i++) counters.addHeld(random(32) as DeliveryId, 'contact', 1, i)
    for (const each of [counters, MailboxCounters.decode(counters.encode())!]) {
      const counted = Array.from({ length: 100 }, (_, i) => each.countFrom('contact', i + 1))
      expect(counted.filter(count => count > 0)).toHaveLength(MAX_COUNTED_ORIGINS)
      expect(each.countFrom('request', 7)).toBe(1)
    }
  })

  it('count aged tombstones, none in records that were written before there were any', () => {
    const counters = filled()
    counters.aged = 70_000
    const encoded = counters.encode()
    expect(MailboxCounters.decode(encoded)!.aged).toBe(70_000)
    const fields = encoded.subarray(0, -8)
    const before = Buffer.concat([fields, Buffer.alloc(4)])
    before.writeUInt32BE(crc32(fields), fields.length)
    expect({ ...MailboxCounters.decode(before)! }).toEqual({ ...counters, aged: 0 })
    // What cannot be read is counted again, and may have some.
    expect(new MailboxCounters().succeeding(undefined).aged).toBe(1)
  })

  it.each([
    ['class', 8],
    ['bytes', 9]
  ])('written when origins were not counted by %s are read, and known to be outdated', (_, originBytes) => {
    const counters = filled()
    const { length } = counters.encode()
    // Two origins as they were written then, in place of those of today and of the number of aged tombstones.
    const fields = Buffer.concat([
      counters.encode().subarray(0, length - 4 - 4 - 2 * 15),
      Buffer.alloc(2 * originBytes, 1)
    ])
    const old = Buffer.concat([fields, Buffer.alloc(4)])
    old.writeUInt32BE(crc32(fields), fields.length)
    const read = MailboxCounters.decode(old)!
    expect({ ...read }).toEqual({ ...counters, isOutdated: true })
  })
})
