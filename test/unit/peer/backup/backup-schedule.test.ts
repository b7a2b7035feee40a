import { describe, expect, test } from 'vitest'
import {
  backupDueAt,
  BackupSchedule,
  LEAST_PAUSE_MS,
  LONGEST_PAUSE_MS,
  QUIET_MS
} from '../../../../peer/backup/backup-schedule.ts'
import { SILENT_LOG } from '../../../../peer/ports.ts'

const LAST = 1_800_000_000_000

describe('the next backup', () => {
  test('comes some quiet time after the newest message, at most once an hour', () => {
    const soon = { lastAt: LAST, newestAt: LAST + 1000, failedAt: 0 }
    expect(backupDueAt(soon)).toBe(LAST + LEAST_PAUSE_MS)
    const newestAt = LAST + 2 * LEAST_PAUSE_MS
    expect(backupDueAt({ ...soon, newestAt })).toBe(newestAt + QUIET_MS)
  })

  test('comes once a day, in a chat that never pauses and where nothing is new', () => {
    const daily = LAST + LONGEST_PAUSE_MS
    expect(backupDueAt({ lastAt: LAST, newestAt: daily, failedAt: 0 })).toBe(daily)
    expect(backupDueAt({ lastAt: LAST, newestAt: LAST - 1000, failedAt: 0 })).toBe(daily)
  })

  test('is put off after a failure', () => {
    const failedAt = LAST + 2 * LONGEST_PAUSE_MS
    expect(backupDueAt({ lastAt: LAST, newestAt: 0, failedAt })).toBeGreaterThan(failedAt)
  })
})

describe('the schedule', () => {
  /** A clock whose timers run when the test says so. */
  function scheduled() {
    const state = { now: LAST, lastAt: LAST, newestAt: LAST - 1, isPossible: true, runs: 0, fails: false }
    const waiting = new Set<() => void>()
    const timers = {
      now: () => state.now,
      monotonic: () => state.now,
      after: (_ms: number, run: () => void) => {
        waiting.add(run)
        return () => void waiting.delete(run)
      }
    }
    const schedule = new BackupSchedule({
      context: { timers, log: SILENT_LOG },
      isPossible: async () => state.isPossible,
      times: async () => state,
      run: async () => {
        state.runs++
        if (state.fails) throw new Error('no room')
        state.lastAt = state.now
      }
    })
    return { state, waiting, schedule }
  }

  test('runs what is due, once, and tries again later what failed', async () => {
    const { state, schedule } = scheduled()
    await schedule.look()
    expect(state.runs).toBe(0)
    state.now += LONGEST_PAUSE_MS
    state.fails = true
    await schedule.look()
    await schedule.look()
    expect(state.runs).toBe(1)
    state.fails = false
    state.now += LEAST_PAUSE_MS
    await schedule.look()
    await schedule.look()
    expect(state.runs).toBe(2)
    expect(await schedule.dueAt()).toBe(state.now + LONGEST_PAUSE_MS)
  })

  test('does nothing while it is not wanted or nobody is connected, and nothing after it was stopped', async () => {
    const { state, waiting, schedule } = scheduled()
    state.isPossible = false
    state.now += 2 * LONGEST_PAUSE_MS
    await schedule.look()
    expect(state.runs).toBe(0)
    schedule.start()
    expect(waiting.size).toBe(1)
    await schedule.stop()
    expect(waiting.size).toBe(0)
  })
})
