import { expect, test, vi } from 'vitest'
import { platformTimers } from '../../../peer/ports.ts'

const HOUR_MS = 3_600_000

test('the monotonic clock counts on when the clock of the machine is put back', async () => {
  vi.useFakeTimers()
  try {
    const [shown, counted] = [platformTimers.now(), platformTimers.monotonic()]
    vi.setSystemTime(Date.now() - HOUR_MS)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(platformTimers.now()).toBe(shown - HOUR_MS + 1_000)
    expect(platformTimers.monotonic()).toBe(counted + 1_000)
  } finally {
    vi.useRealTimers()
  }
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
