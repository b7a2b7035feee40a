import type { PeerApi } from '../../../peer/peer-api.ts'
import { UsernameChoice } from './username-choice.svelte.ts'

/** The choices of the *Your name here* screen. */
export class NameChoice extends UsernameChoice {
  displayName = $state('')
  deviceName = $state('')

  constructor(api: PeerApi, suggested: { username: string; displayName: string; deviceName: string }) {
    super(api)
    this.displayName = suggested.displayName
    this.deviceName = suggested.deviceName
    if (suggested.username) this.typeUsername(suggested.username)
  }

  /** The first thing that is missing, null if one can start. */
  get missing(): 'username' | 'displayName' | 'deviceName' | null {
    if (!this.isUsable) return 'username'
    if (!this.displayName.trim()) return 'displayName'
    return this.deviceName.trim() ? null : 'deviceName'
  }

  /** Registers. @returns whether it worked; {@link failure} says why not. */
  async start(): Promise<boolean> {
    if (this.missing) return false
    return this.handIn(() =>
      this.api.register({
        username: this.username,
        displayName: this.displayName.trim(),
        deviceName: this.deviceName.trim()
      })
    )
  }
}
