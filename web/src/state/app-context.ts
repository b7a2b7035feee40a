import { getContext, setContext } from 'svelte'
import type { MessageNotifications } from '../notifications/message-notifications.svelte.ts'
import type { Appearance } from './appearance.svelte.ts'
import type { AppUpdate } from './app-update.svelte.ts'
import type { KeptStorage } from './kept-storage.svelte.ts'
import type { LanguageChoice } from './language-choice.svelte.ts'
import type { RecoveryOffer } from './recovery-offer.svelte.ts'
import type { PaneWidth } from './pane-width.svelte.ts'
import type { VoloApp } from './volo-app.svelte.ts'

/** What App.svelte shares with every component below it. */
export interface AppContext {
  app: VoloApp
  languages: LanguageChoice
  appearance: Appearance
  update: AppUpdate
  paneWidth: PaneWidth
  keptStorage: KeptStorage
  recoveryOffer: RecoveryOffer
  notifications: MessageNotifications
}

const KEY = Symbol('volo')

/** Called once, by App.svelte. */
export function provideAppContext(context: AppContext): void {
  setContext(KEY, context)
}

/** What App.svelte shares. Call it while a component is being made. */
export function appContext(): AppContext {
  return getContext<AppContext>(KEY)
}
