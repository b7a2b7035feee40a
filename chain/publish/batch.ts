import type { OutgoingRecord } from './publisher-store.ts'
import { isRecent } from '../recent.ts'

/** When a batch leaves, and how much it takes. */
export interface BatchPolicy {
  records: number
  waitMs: number
  /** Bytes of all its records. */
  maxBytes: number
}

/** Records that go into one transaction, in order of arrival. */
export interface Batch {
  records: OutgoingRecord[]
  isUrgent: boolean
}

/**
 * The batch that should leave now, if any.
 *
 * An urgent record takes along the waiting records that it follows (`prev`), or the directory would not know them; then
 * the rest fills up in order of arrival. Records that were refused before travel alone, and those that follow them wait.
 * A record from the future, taken while the clock ran ahead, has waited long enough.
 *
 * @param waiting - in order of arrival.
 */
export function nextBatch(waiting: OutgoingRecord[], policy: BatchPolicy, now: number): Batch | undefined {
  const byId = indexOf(waiting)
  const sound = soundOf(waiting, byId)
  const urgent = sound.filter(record => record.isUrgent)
  const isDue =
    urgent.length > 0 ||
    sound.length >= policy.records ||
    sound.some(record => !isRecent(record.enqueuedAt, policy.waitMs, now)) ||
    totalBytes(sound) >= policy.maxBytes
  if (!isDue) return undefined
  const picked = new Set<OutgoingRecord>()
  let bytes = 0
  for (const record of [...urgent, ...sound]) {
    const group = ancestry(record, byId).filter(item => !picked.has(item))
    const size = totalBytes(group)
    // A line of ancestors longer than a whole batch goes out from its beginning, over several batches.
    const fits = picked.size + group.length <= policy.records && bytes + size <= policy.maxBytes
    for (const item of fits ? group : picked.size === 0 ? fitting(group, policy) : []) {
      picked.add(item)
      bytes += item.bytes.length
    }
  }
  const records = [...picked].sort((a, b) => a.sequence - b.sequence)
  return { records, isUrgent: urgent.length > 0 }
}

/** The oldest record that was refused before and follows no other such, to be tried alone. */
export function nextSuspect(waiting: OutgoingRecord[]): Batch | undefined {
  const byId = indexOf(waiting)
  const suspect = waiting.find(record => record.failures > 0 && ancestry(record, byId).length === 1)
  return suspect && { records: [suspect], isUrgent: suspect.isUrgent }
}

/** @returns milliseconds since 1970, as `now`, at which {@link nextBatch} will have one even if nothing arrives; else `Infinity`. */
export function nextDueTime(waiting: OutgoingRecord[], policy: BatchPolicy, now: number): number {
  const sound = soundOf(waiting, indexOf(waiting))
  const dueTimeOf = ({ isUrgent, enqueuedAt }: OutgoingRecord): number =>
    isUrgent || enqueuedAt > now ? 0 : enqueuedAt + policy.waitMs
  return sound.reduce((due, record) => Math.min(due, dueTimeOf(record)), Infinity)
}

function indexOf(waiting: OutgoingRecord[]): Map<string, OutgoingRecord> {
  return new Map(waiting.map(record => [record.id, record]))
}

/** Those that neither were refused before nor follow one that was. */
function soundOf(waiting: OutgoingRecord[], byId: Map<string, OutgoingRecord>): OutgoingRecord[] {
  return waiting.filter(record => ancestry(record, byId).every(({ failures }) => failures === 0))
}

/** A record and the waiting records it follows, oldest first. */
function ancestry(record: OutgoingRecord, byId: Map<string, OutgoingRecord>): OutgoingRecord[] {
  const line: OutgoingRecord[] = []
  // A hash names its ancestor, so the line cannot run in a circle.
  for (let item: OutgoingRecord | undefined = record; item; item = item.prev ? byId.get(item.prev) : undefined) {
    line.push(item)
  }
  return line.reverse()
}

function fitting(records: OutgoingRecord[], policy: BatchPolicy): OutgoingRecord[] {
  const taken: OutgoingRecord[] = []
  for (const record of records) {
    if (taken.length >= policy.records || totalBytes(taken) + record.bytes.length > policy.maxBytes) break
    taken.push(record)
  }
  return taken
}

function totalBytes(records: OutgoingRecord[]): number {
  return records.reduce((sum, { bytes }) => sum + bytes.length, 0)
}
