import type { Page } from '@playwright/test'
import { busyWorld, fixtureId, linkingWorld, newcomerWorld } from '../../support/fixture-world.ts'
import { ASKING, lostName, oneOperator, removed } from './worlds.ts'
import type { Screen } from './screen.ts'

/** The user’s own account, its devices, and how these are kept safe. */
export const OWN_SCREENS: Screen[] = [
  { name: 'backup', world: busyWorld, hash: '#/you/backup' },
  { name: 'storage', world: busyWorld, hash: '#/you/storage' },
  {
    name: 'one-operator-network',
    world: () => oneOperator(busyWorld()),
    hash: '#/you',
    act: page => page.getByText('One operator runs').scrollIntoViewIfNeeded()
  },
  { name: 'you', world: busyWorld, hash: '#/you' },
  {
    name: 'you-name-taken',
    world: () => lostName(busyWorld()),
    hash: '#/you',
    act: async page => {
      await page.getByRole('button', { name: 'Choose another username' }).click()
      await page.getByLabel('Username').fill('ada_l')
      await page.getByText('@ada_l is free').waitFor()
    }
  },
  {
    name: 'you-edit-name',
    world: busyWorld,
    hash: '#/you',
    act: async page => {
      await page.getByRole('button', { name: 'Edit name' }).click()
      await page.getByLabel('Name that others see').fill('')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('Your name needs a letter').waitFor()
    }
  },
  { name: 'devices', world: busyWorld, hash: '#/you/devices' },
  {
    name: 'devices-remove',
    world: busyWorld,
    hash: '#/you/devices',
    act: async page => {
      await page.getByRole('button', { name: 'Remove Chrome on Linux' }).click()
      await page.getByRole('dialog').waitFor()
    }
  },
  { name: 'lock-none', world: busyWorld, hash: '#/you/lock' },
  { name: 'lock-set', world: busyWorld, hash: '#/you/lock', act: setLock },
  {
    name: 'locked',
    world: busyWorld,
    hash: '#/you/lock',
    act: async page => {
      await setLock(page)
      await page.getByRole('button', { name: 'Lock now' }).click()
      await page.getByLabel('Passphrase', { exact: true }).fill('wrong')
      await page.getByRole('button', { name: 'Unlock' }).click()
      await page.getByRole('alert').waitFor()
      await page.getByText('Forgot the passphrase?').click()
    }
  },
  {
    name: 'devices-rename',
    world: busyWorld,
    hash: '#/you/devices',
    act: async page => {
      await page.getByRole('button', { name: 'Rename Chrome on Linux' }).click()
      await page.getByText('1 removed device').click()
    }
  },
  { name: 'add-device', world: busyWorld, hash: '#/you/devices/add' },
  { name: 'add-device-asking', world: () => linkingWorld(busyWorld(), ASKING), hash: '#/you/devices/add' },
  {
    name: 'add-device-refused',
    world: () => linkingWorld(busyWorld(), ASKING),
    hash: '#/you/devices/add',
    act: page => page.getByRole('button', { name: 'Don’t add' }).click()
  },
  { name: 'recovery', world: busyWorld, hash: '#/you/recovery' },
  {
    name: 'recovery-code',
    world: busyWorld,
    hash: '#/you/recovery',
    act: page => page.getByRole('button', { name: 'Make a recovery code' }).click()
  },
  {
    name: 'recovery-waits',
    world: () => ({
      ...busyWorld(),
      recovery: {
        isSet: false,
        waiting: { byDevice: fixtureId('phone').slice(0, 32), isByThis: false, countsFrom: 4_000_000_000_000 }
      }
    }),
    hash: '#/you/recovery'
  },
  { name: 'devices-removed', world: () => removed(busyWorld()), hash: '#/you/devices' },
  { name: 'you-reserving', world: newcomerWorld, hash: '#/you' },
  {
    name: 'you-end',
    world: busyWorld,
    hash: '#/you',
    act: page => page.getByRole('heading', { name: 'About' }).scrollIntoViewIfNeeded()
  }
]

async function setLock(page: Page): Promise<void> {
  await page.getByLabel('New passphrase').fill('correct horse battery')
  await page.getByLabel('The same again').fill('correct horse battery')
  await page.getByRole('button', { name: 'Set the lock' }).click()
  await page.getByRole('button', { name: 'Lock now' }).waitFor()
}
