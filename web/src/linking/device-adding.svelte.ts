import { errorOf } from '../../../peer/errors.ts'
import type { LinkingState } from '../../../peer/peer-api.ts'
import type { LinkingSource } from './linking-source.ts'

/** What the screen of the old device shows. `idle`: another window ended the linking. */
export type AddingStep = 'making' | 'code' | 'asking' | 'adding' | 'done' | 'failed' | 'idle'

/** The device that is on the account already: it makes a code, and its person answers whether to add the device that used it. */
export class DeviceAdding {
  isMaking = $state(false)
  /** Why a call failed; how the linking itself failed is in its state. */
  #callFailure = $state.raw<unknown>(null)
  readonly #app: LinkingSource

  constructor(app: LinkingSource) {
    this.#app = app
  }

  /** Null while this device adds none. */
  get linking(): LinkingState | null {
    const linking = this.#app.snapshot?.linking
    return linking?.side === 'old' ? linking : null
  }

  get step(): AddingStep {
    const { linking } = this
    if (this.failure !== null) return 'failed'
    if (this.isMaking) return 'making'
    if (!linking) return 'idle'
    return linking.step === 'waiting' ? (linking.code ? 'code' : 'making') : linking.step
  }

  /** Why it failed; null while it did not. */
  get failure(): unknown {
    if (this.isMaking) return null
    const told = this.linking?.failure
    return this.#callFailure ?? (told ? errorOf(told) : null)
  }

  /** Makes a code; one that is under way stays as it is. */
  async makeCode(): Promise<void> {
    this.#callFailure = null
    this.isMaking = true
    try {
      await this.#app.api.linking.show()
      await this.#app.load()
    } catch (error) {
      this.#callFailure = error
    } finally {
      this.isMaking = false
    }
  }

  /** Hands in the person's answer. */
  async answer(isYes: boolean): Promise<void> {
    try {
      await this.#app.api.linking.answer(isYes)
    } catch (error) {
      this.#callFailure = error
    }
  }

  /** The person leaves the screen: a code that nobody looks at serves a thief only. A device that is being added is added. */
  leave(): void {
    if (this.linking?.step === 'adding') return
    this.#app.api.linking.cancel().catch((error: unknown) => console.warn(error))
  }
}
