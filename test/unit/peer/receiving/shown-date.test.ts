import { describe, expect, test } from 'vitest'
import { CLOCK_TOLERANCE_MS } from '../../../../protocol/limits.ts'
import { shownDate } from '../../../../peer/receiving/shown-date.ts'

const now = Date.UTC(2026, 5, 1)
const storedAt = now - 60_000
const bounds = { storedAt, now, previous: undefined }
const HOUR_MS = 3_600_000

describe('the date of a message', () => {
  test('is what its sender says, also for one that was written hours before it could be sent', () => {
    for (const claimed of [storedAt, storedAt - 5 * HOUR_MS, storedAt + CLOCK_TOLERANCE_MS])
      expect(shownDate(claimed, bounds)).toBe(claimed)
  })

  test('is the time of custody where the sender is in 1971 or 2033', () => {
    for (const claimed of [0, Date.UTC(1971, 0), Date.UTC(2033, 0), Number.MAX_SAFE_INTEGER])
      expect(shownDate(claimed, bounds)).toBe(storedAt)
  })

  test('is not in the future of the receiver, whatever sender and node agree on', () => {
    const future = Date.UTC(2033, 0)
    expect(shownDate(future, { ...bounds, storedAt: future })).toBe(now)
  })

  test('does not fall behind the message before it by more than the tolerance', () => {
    expect(shownDate(storedAt - 24 * HOUR_MS, { ...bounds, previous: storedAt })).toBe(storedAt - CLOCK_TOLERANCE_MS)
  })
})
