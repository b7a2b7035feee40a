import { expect, test, vi } from 'vitest'
import { isLately, isPausing } from '../../../peer/elapsed.ts'
import { platformTimers } from '../../../peer/ports.ts'

const HOUR_MS = 3_600_000

test('what happened a moment ago was lately; what will have happened in an hour, by a clock since put back, was not', () => {
  expect(isLately(1_000, 1_000, 10)).toBe(true)
  expect(isLately(1_000, 1_009, 10)).toBe(true)
  expect(isLately(1_000, 1_010, 10)).toBe(false)
  expect(isLately(HOUR_MS, 0, 10)).toBe(false)
  expect(isLately(-Infinity, 0, 10)).toBe(false)
})

test('a pause lasts until its end, but no longer than any pause may', () => {
  expect(isPausing(10, 0, 10)).toBe(true)
  expect(isPausing(10, 10, 10)).toBe(false)
  expect(isPausing(11, 0, 10)).toBe(false)
})

test('a timer further off than the platform can count does not fire at once', async () => {
  vi.useFakeTimers()
  try {
    let isFired = false
    const cancel = platformTimers.after(2 ** 31 + 1_000, () => (isFired = true))
    await vi.advanceTimersByTimeAsync(HOUR_MS)
    expect(isFired).toBe(false)
    cancel()
  } finally {
    vi.useRealTimers()
  }
})
