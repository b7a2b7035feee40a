import { describe, expect, test } from 'vitest'
import { nextBatch, nextDueTime, nextSuspect, type BatchPolicy } from '../../../../chain/publish/batch.ts'
import { FeeBudget } from '../../../../chain/publish/fee-budget.ts'
import type { OutgoingRecord } from '../../../../chain/publish/publisher-store.ts'

const POLICY: BatchPolicy = { records: 4, waitMs: 1_000, maxBytes: 1_000 }
const NOW = 10_000

let sequence = 0
function waiting(overrides: Partial<OutgoingRecord> = {}): OutgoingRecord {
  const id = `record ${++sequence}`
  const bytes = new Uint8Array(100)
  return { id, bytes, prev: undefined, sequence, isUrgent: false, enqueuedAt: NOW, failures: 0, ...overrides }
}

describe('a batch', () => {
  test('waits until its oldest record has waited long enough', () => {
    const records = [waiting(), waiting()]
    expect(nextBatch(records, POLICY, NOW + 999)).toBeUndefined()
    expect(nextBatch(records, POLICY, NOW + 1_000)).toEqual({ records, isUrgent: false })
    expect(nextDueTime(records, POLICY, NOW)).toBe(NOW + 1_000)
    expect(nextDueTime([], POLICY, NOW)).toBe(Infinity)
  })

  test('leaves at once when a record was taken by a clock that ran ahead and has been put back', () => {
    const records = [waiting(), waiting({ enqueuedAt: NOW + 365 * 86_400_000 })]
    expect(nextBatch(records, POLICY, NOW)!.records).toEqual(records)
    expect(nextDueTime(records, POLICY, NOW)).toBeLessThanOrEqual(NOW)
  })

  test('leaves at once when it is full, in order of arrival', () => {
    const records = Array.from({ length: 6 }, () => waiting())
    expect(nextBatch(records, POLICY, NOW)!.records).toEqual(records.slice(0, 4))
  })

  test('is full of bytes as well as of records', () => {
    const large = { bytes: new Uint8Array(400) }
    const records = [waiting(large), waiting(large), waiting(large)]
    expect(nextBatch(records, POLICY, NOW)!.records).toEqual(records.slice(0, 2))
  })

  test('leaves at once with an urgent record, whose ancestors come first', () => {
    const others = Array.from({ length: 3 }, () => waiting())
    const parent = waiting()
    const child = waiting({ prev: parent.id })
    const urgent = waiting({ isUrgent: true, prev: child.id })
    const batch = nextBatch([...others, parent, child, urgent], POLICY, NOW)
    expect(batch).toEqual({ records: [others[0], parent, child, urgent], isUrgent: true })
  })

  test('begins with the oldest of a line of ancestors that is longer than a batch', () => {
    const line: OutgoingRecord[] = []
    for (let i = 0; i < 6; i++) line.push(waiting({ prev: line.at(-1)?.id }))
    line.push(waiting({ prev: line.at(-1)!.id, isUrgent: true }))
    expect(nextBatch(line, POLICY, NOW)!.records).toEqual(line.slice(0, 4))
    expect(nextBatch(line.slice(4), POLICY, NOW)!.records).toEqual(line.slice(4))
  })

  test('leaves out a record that was refused before, and what follows it', () => {
    const suspect = waiting({ failures: 1 })
    const follower = waiting({ prev: suspect.id })
    const other = waiting()
    const records = [suspect, follower, other]
    expect(nextBatch(records, POLICY, NOW + 1_000)!.records).toEqual([other])
    expect(nextSuspect(records)!.records).toEqual([suspect])
    expect(nextDueTime([suspect, follower], POLICY, NOW)).toBe(Infinity)
  })
})

describe('the fee budget', () => {
  test('counts one hour, and keeps a fifth for urgent records', () => {
    const budget = new FeeBudget(100n)
    expect(budget.allows(80n, NOW, false)).toBe(true)
    expect(budget.allows(81n, NOW, false)).toBe(false)
    budget.spend(80n, NOW)
    expect(budget.allows(1n, NOW, false)).toBe(false)
    expect(budget.allows(20n, NOW, true)).toBe(true)
    expect(budget.allows(21n, NOW, true)).toBe(false)
    expect(budget.spent(NOW + 3_600_000)).toBe(0n)
    expect(budget.allows(80n, NOW + 3_600_000, false)).toBe(true)
  })

  test('lets go within an hour of what a clock that ran ahead has booked', () => {
    const budget = new FeeBudget(100n, [{ at: NOW + 365 * 86_400_000, fee: 80n }])
    expect(budget.spent(NOW)).toBe(80n)
    expect(budget.spent(NOW + 3_599_999)).toBe(80n)
    expect(budget.spent(NOW + 3_600_000)).toBe(0n)
  })
})
