/** Replaces the key that secrets are sealed under, so that those which were erased are gone for good. */
import type { SerialQueue } from '../../protocol/serial-queue.ts'
import type { KeyValueStore } from '../ports.ts'
import { resealSome } from './resealing.ts'
import type { RotatingCipher } from './rotating-cipher.ts'

/**
 * Kinds of entries with secrets that must be gone once they are erased: message keys, private keys, and what was written, where
 * it lies beside the messages that are shown. `message` itself is sealed under the key of the store; of a message that is deleted the
 * database drops what it has (`Erasure`).
 */
const SECRET_SPACES = [
  'accepted-pairing',
  'awaited-amendments',
  'device',
  'inbound',
  'open-delivery',
  'opened-pairing',
  'outbound',
  'own-keys',
  'parked',
  'sent',
  'text-version',
  'unsent'
] as const
/** The key is replaced when it is so old … */
export const SECRET_KEY_AGE_MS = 24 * 60 * 60_000
/** … or when so many secrets, and at least as many as there are, were erased or replaced under it by this process. */
export const MAX_ERASURES = 2_000

/** Whether the value under a key on disk is a secret. */
export const isSecret = (key: string): boolean =>
  (SECRET_SPACES as readonly string[]).includes(key.slice(0, key.indexOf('/')))

export interface SecretRenewalComponents {
  store: KeyValueStore
  cipher: RotatingCipher
  /** Every write to the store takes its turn here. */
  writes: SerialQueue
}

export class SecretRenewal {
  readonly #components: SecretRenewalComponents
  /** Whether there may be secrets that the newest key does not seal. */
  #isIncomplete: boolean
  #erasures = 0
  #live = 0
  #stopped = false
  #running: Promise<void> | undefined

  /** @param isOld - whether the store has secrets from before there were generations. */
  constructor(components: SecretRenewalComponents, isOld: boolean) {
    this.#components = components
    this.#isIncomplete = isOld || components.cipher.hasOlder
  }

  /** Secrets were erased or replaced. */
  noteErasures(count: number): void {
    this.#erasures += count
  }

  /** Runs a renewal if one is due, and resolves when it is done; a second call waits for the one that runs. */
  async runIfDue(now: number): Promise<void> {
    if (this.#stopped) return
    if (!this.#running && !this.#isDue(now)) return
    this.#running ??= this.#run(now).finally(() => (this.#running = undefined))
    await this.#running
  }

  /**
   * Makes another key, whatever the time, and resolves when it seals everything and no other is left. After {@link stop} it
   * resolves earlier.
   */
  async runNow(now: number): Promise<void> {
    // The pass that runs, or that an earlier process left, ends with a key that was made before this call.
    await this.#running
    if (this.#isIncomplete) await this.runIfDue(now)
    this.#isIncomplete = true
    await this.runIfDue(now)
  }

  get isStopped(): boolean {
    return this.#stopped
  }

  /** Ends a renewal after the batch in hand, if entries are left; the next start goes on with it. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running?.catch(() => undefined)
  }

  #isDue(now: number): boolean {
    // A clock that was put back counts as well: it must not keep a key for years.
    const isAged = Math.abs(now - this.#components.cipher.since) >= SECRET_KEY_AGE_MS
    return isAged || this.#isIncomplete || this.#erasures >= Math.max(MAX_ERASURES, this.#live)
  }

  /** Each step is on disk before the next. Until the last, both keys are there: a crash in between loses nothing. */
  async #run(now: number): Promise<void> {
    const { store, cipher, writes } = this.#components
    this.#isIncomplete = true
    // In a turn: no batch is sealed under the old key and written after the pass. A pass that was cut short goes on with its key.
    await writes.run(async () => {
      if (!cipher.hasOlder) await cipher.advance(now)
    })
    const erasures = this.#erasures
    this.#live = 0
    for (const space of SECRET_SPACES) {
      for (let from: string | undefined = `${space}/`; from !== undefined;) {
        if (this.#stopped) return
        const start: string = from
        from = await writes.run(() => this.#reseal(space, start))
      }
    }
    await writes.run(() => store.flush())
    // Before the key is destroyed: LevelDB may lose the end of a log in a power cut, but not what is in its tables.
    for (const space of SECRET_SPACES) await store.compact?.(`${space}/`, `${space}/~`)
    await cipher.destroyOlder()
    this.#isIncomplete = false
    this.#erasures -= erasures
  }

  /** Seals a few entries again. @returns where to go on, undefined at the end. */
  async #reseal(space: string, from: string): Promise<string | undefined> {
    const { seen, next } = await resealSome(this.#components, { gte: from, lt: `${space}/~` })
    this.#live += seen
    return next
  }
}
