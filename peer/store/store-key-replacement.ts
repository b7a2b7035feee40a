/** Replaces the key that a whole store is sealed under, and destroys the old one. */
import { SerialQueue } from '../../protocol/serial-queue.ts'
import type { KeyValueStore, SecretKeys } from '../ports.ts'
import { FLUSH_KEY } from './level-store.ts'
import { resealSome } from './resealing.ts'
import type { RotatingCipher } from './rotating-cipher.ts'
import { isSecret, type SecretRenewal } from './secret-renewal.ts'

export interface StoreKeyReplacementComponents {
  store: KeyValueStore
  /** Seals everything but secrets. */
  cipher: RotatingCipher
  /** Its keys are sealed under the key of the store. */
  renewal: SecretRenewal
  /** Every write to the store takes its turn here. */
  writes: SerialQueue
}

export class StoreKeyReplacement {
  readonly #components: StoreKeyReplacementComponents
  readonly #runs = new SerialQueue()
  #stopped = false

  constructor(components: StoreKeyReplacementComponents) {
    this.#components = components
  }

  /**
   * Each step is on disk before the next. Until the last, both keys are there: a process that ends in between loses nothing, and
   * {@link finish} goes on at the next start.
   *
   * @param keys - makes the new key, and keeps the old one beside it.
   */
  replace(now: number, keys: Pick<SecretKeys, 'add'>): Promise<void> {
    return this.#runs.run(async () => {
      await this.#finish(now)
      const { cipher, writes } = this.#components
      // In a turn: no batch is sealed under the old key and written after the pass.
      await writes.run(() => cipher.advance(now, keys))
      await this.#finish(now)
    })
  }

  /** Goes on with a replacement that an earlier process, or a fault, left unfinished. */
  finish(now: number): Promise<void> {
    return this.#runs.run(() => this.#finish(now))
  }

  /** Ends a replacement after the batch in hand. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#runs.idle()
  }

  async #finish(now: number): Promise<void> {
    const { store, cipher, renewal, writes } = this.#components
    if (this.#stopped || !cipher.hasOlder) return
    // First: a key of secrets that the old key of the store opens must not be left.
    await renewal.runNow(now)
    for (let from: string | undefined = ''; from !== undefined;) {
      if (this.#stopped) return
      const start: string = from
      const range = { gte: start, lt: '~' }
      const { next } = await writes.run(() =>
        resealSome({ store, cipher }, range, key => key !== FLUSH_KEY && !isSecret(key))
      )
      from = next
    }
    if (renewal.isStopped) return
    await writes.run(() => store.flush())
    await store.compact?.('', '~')
    await cipher.destroyOlder()
  }
}
