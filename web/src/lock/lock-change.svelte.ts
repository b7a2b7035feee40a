import type { LockState } from '../../../peer/store/browser/browser-lock.ts'
import type { Opener } from '../../../peer/store/browser/key-slots.ts'
import type { Catalogue } from '../i18n/catalogue.ts'
import { failureWords } from '../state/failure-words.ts'
import type { LockApi } from '../worker/lock-api.ts'
import { lockFailureWords } from './lock-words.ts'
import { askPasskey, forgetPasskey, makePasskey, offersPasskeys, type PasskeyPlatform } from './passkeys.ts'

/** One form of the page each; a failure is shown in its own. */
export type LockForm =
  | 'set'
  | 'set-passkey'
  | 'change'
  | 'add-passkey'
  | 'add-passphrase'
  | 'remove-passkey'
  | 'remove-passphrase'
  | 'remove'

export const passphraseOpener = (passphrase: string): Opener => ({ way: 'passphrase', passphrase })

export interface LockChangeComponents {
  api: LockApi
  platform: PasskeyPlatform
  words: () => Catalogue
  /** The name of this person, as password managers list the passkey. */
  owner: () => string
}

/** Sets, changes and takes off the lock of this browser: one change at a time. */
export class LockChange {
  lock = $state<LockState | null>(null)
  /** Why it cannot be read. */
  loadFailure = $state('')
  offersPasskeys = $state(false)
  busy = $state<LockForm | null>(null)
  /** Whether it waits for a person to touch the passkey. */
  isAsking = $state(false)
  failure = $state<{ form: LockForm; text: string } | null>(null)
  done = $state('')
  readonly #components: LockChangeComponents

  constructor(components: LockChangeComponents) {
    this.#components = components
  }

  async load(): Promise<void> {
    const { api, platform, words } = this.#components
    try {
      this.offersPasskeys = await offersPasskeys(platform)
      this.lock = await api.state()
    } catch (error) {
      this.loadFailure = failureWords(error, words())
    }
  }

  set(chosen: string, repeated: string): Promise<boolean> {
    const opener = passphraseOpener(chosen)
    return this.#run('set', 'wasSet', () => this.#replace([opener], null), [chosen, repeated])
  }

  setPasskey(): Promise<boolean> {
    return this.#run('set-passkey', 'wasSet', async () => this.#replaceOrForget(await this.#made()))
  }

  /** @param current - null where a passkey is there: it is asked instead, and stays. */
  change(current: string | null, chosen: string, repeated: string): Promise<boolean> {
    const next = passphraseOpener(chosen)
    const change = async (): Promise<void> => {
      if (current !== null) return this.#replace([next], passphraseOpener(current))
      const passkey = await this.#asked()
      await this.#replace([next, passkey], passkey)
    }
    return this.#run('change', 'changed', change, [chosen, repeated])
  }

  addPasskey(current: string): Promise<boolean> {
    const add = async (): Promise<void> => {
      const made = await this.#made()
      await this.#components.api.add(made, passphraseOpener(current)).catch((error: unknown) => {
        forgetPasskey(this.#components.platform, made.passkey)
        throw error
      })
    }
    return this.#run('add-passkey', 'passkeyAdded', add)
  }

  addPassphrase(chosen: string, repeated: string): Promise<boolean> {
    const add = async (): Promise<void> => this.#components.api.add(passphraseOpener(chosen), await this.#asked())
    return this.#run('add-passphrase', 'passphraseAdded', add, [chosen, repeated])
  }

  removePasskey(current: string): Promise<boolean> {
    const opener = passphraseOpener(current)
    return this.#run('remove-passkey', 'passkeyRemoved', () => this.#replace([opener], opener))
  }

  removePassphrase(): Promise<boolean> {
    const remove = async (): Promise<void> => {
      const passkey = await this.#asked()
      await this.#replace([passkey], passkey)
    }
    return this.#run('remove-passphrase', 'passphraseRemoved', remove)
  }

  /** Takes the lock off. @param current - null where a passkey is there: it is asked instead. */
  remove(current: string | null): Promise<boolean> {
    const remove = async (): Promise<void> =>
      this.#replace([], current === null ? await this.#asked() : passphraseOpener(current))
    return this.#run('remove', 'removed', remove)
  }

  /** @returns whether it was done; the page empties its fields then. */
  async #run(
    form: LockForm,
    success:
      'wasSet' | 'changed' | 'passkeyAdded' | 'passphraseAdded' | 'passkeyRemoved' | 'passphraseRemoved' | 'removed',
    change: () => Promise<void>,
    pair?: [string, string]
  ): Promise<boolean> {
    if (this.busy) return false
    const { words } = this.#components
    this.done = ''
    this.failure = pair && pair[0] !== pair[1] ? { form, text: words().lock.differ } : null
    if (this.failure) return false
    this.busy = form
    try {
      await change()
      this.done = words().lock[success]
      await this.load()
      return true
    } catch (error) {
      this.failure = { form, text: lockFailureWords(error, words()) }
      return false
    } finally {
      this.busy = null
    }
  }

  /** Another key opens the store: a passkey that is not among its ways is of no use any more. */
  async #replace(openers: Opener[], current: Opener | null): Promise<void> {
    const { api, platform } = this.#components
    const before = this.lock?.ways.passkey
    await api.replace(openers, current)
    if (before && !openers.some(({ way }) => way === 'passkey')) forgetPasskey(platform, before)
  }

  async #replaceOrForget(made: Opener & { way: 'passkey' }): Promise<void> {
    await this.#replace([made], null).catch((error: unknown) => {
      forgetPasskey(this.#components.platform, made.passkey)
      throw error
    })
  }

  #made(): Promise<Opener & { way: 'passkey' }> {
    const { platform, owner } = this.#components
    return this.#asking(() => makePasskey(platform, owner()))
  }

  #asked(): Promise<Opener & { way: 'passkey' }> {
    return this.#asking(() => askPasskey(this.#components.platform, this.lock!.ways.passkey!))
  }

  async #asking<T>(ask: () => Promise<T>): Promise<T> {
    this.isAsking = true
    try {
      return await ask()
    } finally {
      this.isAsking = false
    }
  }
}
