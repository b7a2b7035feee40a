import type { Catalogue } from '../../../web/src/i18n/catalogue.ts'
import type { Page } from '@playwright/test'
import { busyWorld, fixtureId, linkingWorld, newcomerWorld } from '../../support/fixture-world.ts'
import { VirtualPasskeys } from '../support/virtual-passkeys.ts'
import { ASKING, lostName, oneOperator, removed } from './worlds.ts'
import { failureIn, type Screen } from './screen.ts'

/** The user’s own account, its devices, and how these are kept safe. */
export const OWN_SCREENS: Screen[] = [
  { name: 'backup', world: busyWorld, hash: '#/you/backup' },
  { name: 'storage', world: busyWorld, hash: '#/you/storage' },
  {
    name: 'one-operator-network',
    world: () => oneOperator(busyWorld()),
    hash: '#/you',
    act: (page, words) => page.getByText(words.you.oneOperator).scrollIntoViewIfNeeded()
  },
  { name: 'you', world: busyWorld, hash: '#/you' },
  {
    name: 'you-name-taken',
    world: () => lostName(busyWorld()),
    hash: '#/you',
    act: async (page, words) => {
      await page.getByRole('button', { name: words.you.anotherName }).click()
      await page.getByLabel(words.name.username, { exact: true }).fill('ada_l')
      await page.getByText(words.name.available('ada_l')).waitFor()
    }
  },
  {
    name: 'you-edit-name',
    world: busyWorld,
    hash: '#/you',
    act: async (page, words) => {
      await page.getByRole('button', { name: words.you.editProfile }).click()
      await page.getByLabel(words.you.displayName).fill('')
      await page.getByRole('button', { name: words.you.saveName }).click()
      await page.getByText(failureIn(words, { code: 'display-name', facts: { fault: 'empty' } })).waitFor()
    }
  },
  { name: 'devices', world: busyWorld, hash: '#/you/devices' },
  {
    name: 'devices-remove',
    world: busyWorld,
    hash: '#/you/devices',
    act: async (page, words) => {
      await page.getByRole('button', { name: words.devices.removeNamed('Chrome on Linux') }).click()
      await page.getByRole('dialog').waitFor()
    }
  },
  { name: 'lock-none', world: busyWorld, hash: '#/you/lock' },
  { name: 'lock-set', world: busyWorld, hash: '#/you/lock', act: setLock },
  {
    name: 'locked',
    world: busyWorld,
    hash: '#/you/lock',
    act: async (page, words) => {
      await setLock(page, words)
      await page.getByRole('button', { name: words.lock.lockNow }).click()
      await page.getByLabel(words.lock.passphrase, { exact: true }).fill('wrong')
      await page.getByRole('button', { name: words.lock.unlock }).click()
      await page.getByRole('alert').waitFor()
      await page.getByText(words.lock.forgot).click()
    }
  },
  { name: 'lock-passkey', world: busyWorld, hash: '#/you/lock', act: setPasskey },
  {
    name: 'locked-passkey',
    world: busyWorld,
    hash: '#/you/lock',
    act: async (page, words) => {
      await setPasskey(page, words)
      await page.getByRole('button', { name: words.lock.lockNow }).click()
      await page.getByText(words.lock.lostBoth).click()
    }
  },
  {
    name: 'devices-rename',
    world: busyWorld,
    hash: '#/you/devices',
    act: async (page, words) => {
      await page.getByRole('button', { name: words.devices.renameNamed('Chrome on Linux') }).click()
      await page.getByText(words.devices.removedDevices(1)).click()
    }
  },
  { name: 'add-device', world: busyWorld, hash: '#/you/devices/add' },
  { name: 'add-device-asking', world: () => linkingWorld(busyWorld(), ASKING), hash: '#/you/devices/add' },
  {
    name: 'add-device-refused',
    world: () => linkingWorld(busyWorld(), ASKING),
    hash: '#/you/devices/add',
    act: (page, words) => page.getByRole('button', { name: words.linking.no }).click()
  },
  { name: 'recovery', world: busyWorld, hash: '#/you/recovery' },
  {
    name: 'recovery-code',
    world: busyWorld,
    hash: '#/you/recovery',
    act: (page, words) => page.getByRole('button', { name: words.recovery.make }).click()
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
    act: (page, words) => page.getByRole('heading', { name: words.you.about }).scrollIntoViewIfNeeded()
  }
]

async function setLock(page: Page, words: Catalogue): Promise<void> {
  await page.getByLabel(words.lock.newPassphrase).fill('correct horse battery')
  await page.getByLabel(words.lock.repeat).fill('correct horse battery')
  await page.getByRole('button', { name: words.lock.setNow }).click()
  await page.getByRole('button', { name: words.lock.lockNow }).waitFor()
}

/** A passphrase, and a passkey beside it. */
async function setPasskey(page: Page, words: Catalogue): Promise<void> {
  await setLock(page, words)
  const passkeys = await VirtualPasskeys.attach(page, true)
  const form = page.getByRole('form', { name: words.lock.addPasskey })
  await form.getByLabel(words.lock.current).fill('correct horse battery')
  await form.getByRole('button', { name: words.lock.addPasskey }).click()
  await page.getByText(words.lock.passkeyAdded).waitFor()
  await passkeys.detach()
}
