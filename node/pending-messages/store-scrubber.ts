import type { DeviceId } from '../../protocol/identity/device.ts'
import type { Delivery, DeliveryId } from '../../protocol/wire/envelope.ts'
import { byteKey } from '../byte-key.ts'
import type { PendingMessageStore } from './pending-message-store.ts'
import {
  allDeliveries,
  allEntries,
  decodeEntry,
  deliveryKey,
  parseDeliveryKey,
  parseEntryKey
} from './pending-records.ts'
import type { DeliveryName } from './store-transaction.ts'

/** Records that one step of a scrub reads. */
export const SCRUB_STEP = 256

/** What a scrub found and mended. */
export interface ScrubResult {
  deliveries: number
  /** Deliveries whose bytes were broken or gone: now unknown here, to come back from a replica. */
  broken: number
  /** Deliveries whose entry was broken or gone, and is there again. */
  restored: number
}

/**
 * Reads everything that is stored and compares it with its hash, a step at a time: LevelDB returns flipped bits as good
 * data and may lose records of a broken file without a word. What is broken is forgotten, so that repair brings it back.
 */
export async function scrub(store: PendingMessageStore, signal: AbortSignal): Promise<ScrubResult> {
  const result: ScrubResult = { deliveries: 0, broken: 0, restored: 0 }
  const wrong = new Map<string, DeviceId>()
  await scrubDeliveries(store, signal, result, wrong)
  await scrubEntries(store, signal, result, wrong)
  for (const mailbox of wrong.values()) await store.recount(mailbox)
  return result
}

/** All records of a kind, {@link SCRUB_STEP} at a time, so that others read and write in between. */
async function* pages(
  store: PendingMessageStore,
  range: typeof allEntries,
  signal: AbortSignal
): AsyncGenerator<[Buffer, Uint8Array][]> {
  for (let after: Buffer | undefined; !signal.aborted;) {
    const page = await store.read(database =>
      database.iterator({ ...(range(after) as { gt: Buffer; lt: Buffer }), limit: SCRUB_STEP }).all()
    )
    if (page.length === 0) return
    after = page.at(-1)![0]
    yield page
  }
}

async function scrubDeliveries(
  store: PendingMessageStore,
  signal: AbortSignal,
  result: ScrubResult,
  wrong: Map<string, DeviceId>
): Promise<void> {
  for await (const page of pages(store, allDeliveries, signal)) {
    result.deliveries += page.length
    const found: { mailbox: DeviceId; sequence: number; delivery: Delivery }[] = []
    const broken: DeliveryName[] = []
    for (const [key, value] of page) {
      const { mailbox, sequence, id } = parseDeliveryKey(key)
      const delivery = store.intact(mailbox, id, value)
      if (delivery === undefined) broken.push({ mailbox, id })
      else found.push({ mailbox, sequence, delivery })
    }
    await quarantine(store, broken, result, wrong)
    await restore(store, found, result, wrong)
  }
}

async function restore(
  store: PendingMessageStore,
  found: { mailbox: DeviceId; sequence: number; delivery: Delivery }[],
  result: ScrubResult,
  wrong: Map<string, DeviceId>
): Promise<void> {
  const entries = await store.entries(found.map(({ mailbox, delivery }) => ({ mailbox, id: delivery.id })))
  const orphans = found.filter((item, index) => {
    const entry = entries[index]
    return entry?.state !== 'held' || entry.sequence !== item.sequence
  })
  if (orphans.length === 0) return
  result.restored += await store.reconcile(orphans)
  for (const { mailbox } of orphans) wrong.set(byteKey(mailbox), mailbox)
}

async function scrubEntries(
  store: PendingMessageStore,
  signal: AbortSignal,
  result: ScrubResult,
  wrong: Map<string, DeviceId>
): Promise<void> {
  for await (const page of pages(store, allEntries, signal)) {
    const held = page.flatMap(([key, value]) => {
      const entry = decodeEntry(value)
      const name = parseEntryKey(key)
      if (entry === undefined) wrong.set(byteKey(name.mailbox), name.mailbox)
      return entry?.state === 'held' ? [{ ...name, key: deliveryKey(name.mailbox, entry.sequence, name.id) }] : []
    })
    const present = await store.read(database => database.hasMany(held.map(({ key }) => key)))
    const lost = held.filter((_, index) => !present[index])
    await quarantine(store, await stillHeld(store, lost), result, wrong)
  }
}

/** Between two reads a delivery may have been acknowledged; only what is still held is lost. */
async function stillHeld(store: PendingMessageStore, names: DeliveryName[]): Promise<DeliveryName[]> {
  if (names.length === 0) return []
  const entries = await store.entries(names)
  return names.filter((_, index) => entries[index]?.state === 'held')
}

async function quarantine(
  store: PendingMessageStore,
  broken: DeliveryName[],
  result: ScrubResult,
  wrong: Map<string, DeviceId>
): Promise<void> {
  const byMailbox = new Map<string, { mailbox: DeviceId; ids: DeliveryId[] }>()
  for (const { mailbox, id } of broken) {
    const group = byMailbox.get(byteKey(mailbox)) ?? { mailbox, ids: [] }
    group.ids.push(id)
    byMailbox.set(byteKey(mailbox), group)
  }
  for (const [key, { mailbox, ids }] of byMailbox) {
    await store.quarantine(mailbox, ids)
    wrong.set(key, mailbox)
  }
  result.broken += broken.length
}
