import { constants, mkdir, open, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../ports.ts'

/** How often free space is checked. */
const CHECK_INTERVAL_MS = 5_000
/** Space that is kept back: on a full disk LevelDB can neither delete nor open. */
export const BALLAST_BYTES = 64 * 1024 * 1024
const CHUNK_BYTES = 1024 * 1024
const OWNER_ONLY = 0o600

export interface DiskGuardInit {
  directory: string
  /** Free bytes below which nothing new is stored. */
  lowWaterBytes: number
  /** Size of the file that is given up when the disk fills. */
  ballastBytes?: number
}

/**
 * Watches the disk that the store is on. Below the low-water mark nothing new is taken, so that deleting what expires and
 * what is acknowledged still works; a ballast file gives back the last of the space.
 */
export class DiskGuard {
  readonly #init: DiskGuardInit
  readonly #log: Logger
  #low = false
  #timer: NodeJS.Timeout | undefined
  #checking: Promise<void> | undefined
  #filling: Promise<void> | undefined

  constructor(logger: Logger, init: DiskGuardInit) {
    this.#log = logger.forComponent('volo:disk-guard')
    this.#init = init
  }

  /** Whether there is room for more. */
  get hasRoom(): boolean {
    return !this.#low
  }

  async start(): Promise<void> {
    await mkdir(this.#init.directory, { recursive: true })
    await this.#check()
    this.#timer = setInterval(() => (this.#checking = this.#check()), CHECK_INTERVAL_MS)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#checking
    await this.#filling
  }

  /** Gives up the ballast, for a store that does not open because the disk is full. @returns whether there was one. */
  async dropBallast(): Promise<boolean> {
    const had = await stat(this.#ballast).then(
      () => true,
      () => false
    )
    await rm(this.#ballast, { force: true })
    return had
  }

  get #ballast(): string {
    return join(this.#init.directory, 'ballast')
  }

  async #check(): Promise<void> {
    try {
      const { bavail, bsize } = await statfs(this.#init.directory)
      const free = bavail * bsize
      const { lowWaterBytes, ballastBytes = BALLAST_BYTES } = this.#init
      const low = free < lowWaterBytes
      if (low !== this.#low)
        this.#log[low ? 'error' : 'info'](low ? 'the disk is nearly full' : 'the disk has room again', { free })
      this.#low = low
      if (low && free < lowWaterBytes / 2) await this.dropBallast()
      else if (free > lowWaterBytes + 2 * ballastBytes) this.#fill(ballastBytes)
    } catch (error) {
      this.#log.warn('free space is not known', { reason: (error as Error).message })
    }
  }

  /** Beside everything else: a start need not wait for it. */
  #fill(bytes: number): void {
    this.#filling ??= this.#makeBallast(bytes)
      .catch((error: Error) => this.#log.warn('no ballast could be made', { reason: error.message }))
      .finally(() => (this.#filling = undefined))
  }

  async #makeBallast(bytes: number): Promise<void> {
    const size = await stat(this.#ballast).then(
      found => found.size,
      () => 0
    )
    if (size >= bytes || bytes === 0) return
    // A link in its place must not lead the writing elsewhere.
    const { O_CREAT, O_NOFOLLOW, O_TRUNC, O_WRONLY } = constants
    await using file = await open(this.#ballast, O_CREAT | O_NOFOLLOW | O_TRUNC | O_WRONLY, OWNER_ONLY)
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, bytes))
    for (let written = 0; written < bytes; written += chunk.length) await file.write(chunk)
  }
}
