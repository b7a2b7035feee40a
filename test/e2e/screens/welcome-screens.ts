import { emptyWorld, linkingWorld } from '../../support/fixture-world.ts'
import { atStage } from './worlds.ts'
import type { Screen } from './screen.ts'

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
    act: async page => {
      await page.getByLabel('The words of the code').fill('legal winner')
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.getByText('That is no code').waitFor()
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
    act: async page => {
      await page.getByLabel('Your username').fill('ada')
      await page.getByLabel('Recovery code').fill('0123-4567')
      await page.getByRole('button', { name: 'Get my account back' }).click()
      await page.getByText('A character of the code is wrong').waitFor()
    }
  },
  {
    name: 'chats-offer',
    world: emptyWorld,
    hash: '#/regain',
    act: async page => {
      await page.getByLabel('Your username').fill('ada')
      await page.getByLabel('Recovery code').fill('0123-4567-89AB-CDEF-GHJK-MNPQ-RSTV-WXYZ')
      await page.getByRole('button', { name: 'Get my account back' }).click()
      await page.getByRole('region', { name: 'Recovery code' }).waitFor()
    }
  },
  { name: 'name', world: () => atStage(emptyWorld(), 'choose-name') },
  {
    name: 'name-free',
    world: () => atStage(emptyWorld(), 'choose-name'),
    act: async page => {
      await page.getByLabel('Username').fill('ada')
      await page.getByLabel('Name shown').fill('Ada Lovelace')
      await page.getByText('@ada is free').waitFor()
    }
  },
  {
    name: 'name-taken',
    world: () => atStage(emptyWorld(), 'choose-name'),
    act: async page => {
      await page.getByLabel('Username').fill('taken')
      await page.getByText('@taken is taken').waitFor()
    }
  },
  { name: 'restore', world: emptyWorld, hash: '#/restore' }
]
