import type { Page } from '@playwright/test'
import type { World } from '../../support/fixture-world.ts'

/** One picture: the world to show, where to go in it, and what to do there. */
export interface Screen {
  name: string
  world: () => World
  hash?: string
  /** Reaches the state on the page, once the world is there. */
  act?: (page: Page) => Promise<void>
}
