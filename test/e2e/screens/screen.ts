import type { Page } from '@playwright/test'
import { sentenceOf, type PeerFailure } from '../../../peer/errors.ts'
import type { Catalogue } from '../../../web/src/i18n/catalogue.ts'
import type { World } from '../../support/fixture-world.ts'

/** One picture: the world to show, where to go in it, and what to do there. */
export interface Screen {
  name: string
  world: () => World
  hash?: string
  /** Reaches the state on the page, once the world is there. It finds things by the words of the language that is spoken. */
  act?: (page: Page, words: Catalogue) => Promise<void>
}

/** What the app says about a failure. */
export function failureIn(words: Catalogue, failure: PeerFailure): string {
  return sentenceOf(words.failures, failure)
}
