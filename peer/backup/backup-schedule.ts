/**
 * Backs up by itself, on a device that has made or restored a backup: some quiet time after something new, and once a day in any
 * case, for what makes no chat newer, such as a reaction. What fails is tried again later; the next look begins where it ended.
 */
import type { EngineContext } from '../engine-context.ts'

/** Time without a new message after which the backup runs. */
export const QUIET_MS = 10 * 60_000
/** Least time between two backups that nobody asked for. */
export const LEAST_PAUSE_MS = 60 * 60_000
/** A chat that never pauses is backed up once a day all the same. */
export const LONGEST_PAUSE_MS = 24 * 60 * 60_000
const RETRY_MS = 30 * 60_000
/** A poll, and no single timer: machines sleep, and clocks are set. */
const LOOK_MS = 5 * 60_000
/** After a start there is other work. */
const FIRST_LOOK_MS = 2 * 60_000

/** What decides when the next backup is due; times are milliseconds since 1970. */
export interface BackupTimes {
  /** Of the last backup of this device; 0 before the first. */
  lastAt: number
  /** When a chat had something new last; 0 without chats. */
  newestAt: number
  /** When an attempt failed since the last backup; 0 if none did. */
  failedAt: number
}

/** When a backup is due. */
export function backupDueAt({ lastAt, newestAt, failedAt }: BackupTimes): number {
  const daily = lastAt + LONGEST_PAUSE_MS
  const quiet = newestAt > lastAt ? Math.max(newestAt + QUIET_MS, lastAt + LEAST_PAUSE_MS) : daily
  const due = Math.min(quiet, daily)
  return failedAt > 0 ? Math.max(due, failedAt + RETRY_MS) : due
}

export interface BackupScheduleComponents {
  context: Pick<EngineContext, 'timers' | 'log'>
  /** Whether a backup may run now: it is wanted, its passphrase is set, a node is connected. */
  isPossible: () => Promise<boolean>
  times: () => Promise<Omit<BackupTimes, 'failedAt'>>
  run: () => Promise<void>
}

export class BackupSchedule {
  readonly #components: BackupScheduleComponents
  #cancelTimer: (() => void) | undefined
  #failedAt = 0
  #looking: Promise<void> | undefined

  constructor(components: BackupScheduleComponents) {
    this.#components = components
  }

  start(): void {
    this.#lookAfter(FIRST_LOOK_MS)
  }

  /** Waits for a look under way; the backup that it runs is ended by its owner. */
  async stop(): Promise<void> {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    await this.#looking
  }

  /** When the next backup is due, if it is possible then. */
  async dueAt(): Promise<number> {
    return backupDueAt({ ...(await this.#components.times()), failedAt: this.#failedAt })
  }

  /** Runs a backup if one is due. Never rejects. */
  look(): Promise<void> {
    return (this.#looking ??= this.#look().finally(() => (this.#looking = undefined)))
  }

  #lookAfter(ms: number): void {
    this.#cancelTimer = this.#components.context.timers.after(ms, () => {
      const isStopped = (): boolean => this.#cancelTimer === undefined
      void this.look().then(() => {
        if (!isStopped()) this.#lookAfter(LOOK_MS)
      })
    })
  }

  async #look(): Promise<void> {
    const { context, isPossible, run } = this.#components
    const { timers, log } = context
    try {
      if (!(await isPossible()) || (await this.dueAt()) > timers.now()) return
      await run()
      this.#failedAt = 0
    } catch (error) {
      this.#failedAt = timers.now()
      log.warn('the backup did not run', { reason: String(error) })
    }
  }
}
