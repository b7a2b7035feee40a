import { emptyWorld, linkingWorld } from '../../support/fixture-world.ts'
import { atStage } from './worlds.ts'
import { failureIn, type Screen } from './screen.ts'

/** Screens of a device without an account, and of one that is about to get one. */
export const WELCOME_SCREENS: Screen[] = [
  { name: 'welcome', world: emptyWorld },
  {
    name: 'welcome-failed',
    world: emptyWorld,
    hash: '#/signed-in?error=server_error'
  },
  {
    name: 'join',
    world: emptyWorld,
    hash: '#/link',
    act: async (page, words) => {
      await page.getByLabel(words.linking.code).fill('legal winner')
      await page.getByRole('button', { name: words.linking.join }).click()
      await page.getByRole('alert').waitFor()
    }
  },
  {
    name: 'join-asking',
    world: () =>
      linkingWorld(emptyWorld(), {
        side: 'new',
        step: 'asking',
        deviceName: 'Phone',
        checkWords: ['tissue', 'marble']
      }),
    hash: '#/link'
  },
  {
    name: 'regain',
    world: emptyWorld,
    hash: '#/regain',
    act: async (page, words) => {
      await page.getByLabel(words.recovery.username).fill('ada')
      await page.getByLabel(words.recovery.codeField, { exact: true }).fill('0123-4567')
      await page.getByRole('button', { name: words.recovery.regain, exact: true }).click()
      await page.getByText(failureIn(words, { code: 'recovery-code', facts: { fault: 'mistyped' } })).waitFor()
    }
  },
  {
    name: 'chats-offer',
    world: emptyWorld,
    hash: '#/regain',
    act: async (page, words) => {
      await page.getByLabel(words.recovery.username).fill('ada')
      await page.getByLabel(words.recovery.codeField, { exact: true }).fill('0123-4567-89AB-CDEF-GHJK-MNPQ-RSTV-WXYZ')
      await page.getByRole('button', { name: words.recovery.regain, exact: true }).click()
      await page.getByRole('region', { name: words.recovery.title }).waitFor()
    }
  },
  { name: 'name', world: () => atStage(emptyWorld(), 'choose-name') },
  {
    name: 'name-free',
    world: () => atStage(emptyWorld(), 'choose-name'),
    act: async (page, words) => {
      await page.getByLabel(words.name.username).fill('ada')
      await page.getByLabel(words.name.displayName).fill('Ada Lovelace')
      await page.getByText(words.name.available('ada')).waitFor()
    }
  },
  {
    name: 'name-taken',
    world: () => atStage(emptyWorld(), 'choose-name'),
    act: async (page, words) => {
      await page.getByLabel(words.name.username).fill('taken')
      await page.getByText(words.name.taken('taken')).waitFor()
    }
  },
  { name: 'restore', world: emptyWorld, hash: '#/restore' }
]
