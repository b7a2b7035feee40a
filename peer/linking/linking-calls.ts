/** The calls of a linking, on either side; one at a time. How far it is is in {@link LinkingCalls.state}. */
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { EngineContext } from '../engine-context.ts'
import { failureOf, PeerError } from '../errors.ts'
import type { LinkingApi, LinkingState, Me } from '../peer-api.ts'
import type { HttpClient } from '../ports.ts'
import type { OwnAccount } from '../store/own-account.ts'
import type { AddingDevice } from './adding-device.ts'
import { handInJoin, loadApprovedJoin, type ApprovedJoin } from './approved-join.ts'
import { endReasonOf } from './end-reason.ts'
import type { LinkLine } from './link-line.ts'
import type { LinkingHooks } from './linking-hooks.ts'

export interface LinkingCallsComponents {
  context: EngineContext
  fetch: HttpClient
  directory: Pick<DirectoryClient, 'refresh'>
  hooks: LinkingHooks
  isRegistered: () => boolean
  account: () => OwnAccount
  /** Makes this device's keys, unless it has them; learns the network first. @throws PeerError `offline`. */
  makeDevice: () => Promise<void>
  /** Takes the account of a join into use. @returns who this device is from then on. */
  begin: (account: OwnAccount) => Promise<Me>
  /** Called when a screen has something else to show. */
  onChange: () => void
}

const NOTHING_YET = { code: null, deviceName: null, checkWords: null, failure: null }

/** One linking under way. */
interface Underway {
  abort: AbortController
  answer: PromiseWithResolvers<boolean>
  done: Promise<unknown>
}

export class LinkingCalls implements LinkingApi {
  readonly #components: LinkingCallsComponents
  #state: LinkingState | null = null
  #underway: Underway | undefined

  constructor(components: LinkingCallsComponents) {
    this.#components = components
  }

  /** How far a linking is; null without one. */
  get state(): LinkingState | null {
    return this.#state
  }

  /** Goes on with a join that was approved before an earlier process ended. Call it once the engine runs. */
  async resume(): Promise<void> {
    if (this.#components.isRegistered()) return
    const join = await loadApprovedJoin(this.#components.context)
    if (!join || this.#underway) return
    const underway = this.#start('new', 'adding')
    await this.#finishing(underway, this.#join(underway, join)).catch((error: unknown) => {
      this.#components.context.log.debug('an approved join waits', { reason: String(error) })
    })
  }

  async show(): Promise<LinkingState> {
    const { isRegistered } = this.#components
    if (!isRegistered()) throw new PeerError('not-registered')
    if (this.#underway && this.#state?.code) return this.#state
    await this.cancel()
    const underway = this.#start('old', 'waiting')
    let adding: AddingDevice | undefined
    try {
      adding = await this.#adding(underway)
      this.#change(underway, { code: await adding.offer() })
    } catch (error) {
      adding?.wipe()
      this.#forget(underway)
      throw error
    }
    this.#finishing(underway, this.#add(adding)).catch(() => undefined)
    return this.#state!
  }

  async answer(isYes: boolean): Promise<void> {
    if (this.#state?.step === 'asking') this.#underway?.answer.resolve(isYes)
  }

  async cancel(): Promise<void> {
    const underway = this.#underway
    underway?.abort.abort()
    await underway?.done.catch(() => undefined)
    if (this.#underway && this.#underway !== underway) return
    this.#state = null
    this.#components.onChange()
  }

  async join(code: string, deviceName: string): Promise<Me> {
    const { context, fetch, isRegistered, makeDevice } = this.#components
    if (isRegistered()) throw new PeerError('already-registered')
    await makeDevice()
    await this.cancel()
    const underway = this.#start('new', 'waiting')
    const { signal } = underway.abort
    const onStep = (change: Partial<LinkingState>): void => this.#change(underway, change)
    return this.#finishing(
      underway,
      (async () => {
        // An earlier join may have gone through without its answer.
        const earlier = await loadApprovedJoin(context)
        if (earlier) return this.#join(underway, earlier)
        const { JoiningAccount } = await import('./joining-account.ts')
        const joining = new JoiningAccount({ context, fetch, signal, onStep }, code, deviceName)
        return this.#told(joining, async () => {
          const me = await this.#join(underway, await joining.run())
          await joining.tellRegistered()
          return me
        })
      })()
    )
  }

  /** Ends what is under way; for the end of the process. */
  async stop(): Promise<void> {
    this.#underway?.abort.abort()
    await this.#underway?.done.catch(() => undefined)
  }

  async #adding(underway: Underway): Promise<AddingDevice> {
    // Both sides are loaded when a person links a device: few starts of the app need their code and its list of words.
    const { AddingDevice } = await import('./adding-device.ts')
    const { context, fetch, directory, account, hooks } = this.#components
    return new AddingDevice({
      context,
      fetch,
      directory,
      account,
      signal: underway.abort.signal,
      answer: underway.answer.promise,
      onStep: change => this.#change(underway, change),
      onApproving: device => hooks.onApproving(device)
    })
  }

  async #add(adding: AddingDevice): Promise<void> {
    const device = await this.#told(adding, () => adding.run())
    this.#follow(this.#components.hooks.onLinked(device))
  }

  async #join(underway: Underway, join: ApprovedJoin): Promise<Me> {
    const { context, fetch, begin, hooks } = this.#components
    const { signal } = underway.abort
    const account = await handInJoin({ context, fetch, signal, joined: hooks.joinedChanges(join) }, join)
    const me = await begin(account)
    this.#follow(hooks.onJoined())
    return me
  }

  #follow(following: Promise<void>): void {
    const { log } = this.#components.context
    following.catch((error: unknown) => log.warn('what follows a linking failed', { reason: String(error) }))
  }

  /** Tells the other side when this one fails, and erases the keys in any case. */
  async #told<T>(side: { line: LinkLine | undefined; wipe(): void }, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      // A device that came second leaves the first one to the person at the old device.
      if (!(error instanceof PeerError && error.code === 'link-used')) await side.line?.end(endReasonOf(error))
      throw error
    } finally {
      side.wipe()
    }
  }

  #start(side: LinkingState['side'], step: LinkingState['step']): Underway {
    const underway = {
      abort: new AbortController(),
      answer: Promise.withResolvers<boolean>(),
      done: Promise.resolve() as Promise<unknown>
    }
    this.#underway = underway
    this.#state = { side, step, ...NOTHING_YET }
    this.#components.onChange()
    return underway
  }

  /** Shows what a linking came to. */
  async #finishing<T>(underway: Underway, work: Promise<T>): Promise<T> {
    underway.done = work
    try {
      const result = await work
      this.#change(underway, { step: 'done', code: null })
      return result
    } catch (error) {
      this.#change(underway, { step: 'failed', code: null, failure: failureOf(error) })
      throw error
    } finally {
      if (this.#underway === underway) this.#underway = undefined
    }
  }

  #change(underway: Underway, change: Partial<LinkingState>): void {
    if (this.#underway !== underway || !this.#state) return
    this.#state = { ...this.#state, ...change }
    this.#components.onChange()
  }

  #forget(underway: Underway): void {
    if (this.#underway !== underway) return
    this.#underway = undefined
    this.#state = null
    this.#components.onChange()
  }
}
