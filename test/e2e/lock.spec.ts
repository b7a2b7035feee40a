import { expect, test, type Page } from '@playwright/test'
import { LocalNetwork } from '../support/network/real-processes/local-network.ts'
import { BrowserPerson } from './support/person.ts'
import { VirtualPasskeys } from './support/virtual-passkeys.ts'

const PASSPHRASE = 'correct horse battery'
const lockScreen = (page: Page) => page.getByRole('heading', { name: 'Volo is locked' })
const welcome = (page: Page) => page.getByRole('button', { name: 'Continue with demo sign-in' })

/** Closes the app, and waits until its worker has ended: the next visit opens the store again. */
async function leaveApp(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/icon.svg`)
  await page.waitForFunction(async () => (await navigator.locks.query()).held?.length === 0)
}

/** How many keys in the browser's table of keys any reader of the profile could use. Run where the app is closed. */
function usableKeys(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error!)
      })
    const db = await settled(indexedDB.open('volo-keys'))
    const values = (await settled(db.transaction('keys').objectStore('keys').getAll())) as object[]
    db.close()
    return values.filter(value => value instanceof CryptoKey || ('key' in value && value.key instanceof CryptoKey))
      .length
  })
}

/** How many files the browser keeps, after one more was put there. */
function filesKept(page: Page, more?: string): Promise<number> {
  return page.evaluate(async more => {
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error!)
      })
    const db = await settled(indexedDB.open('level-js-volo-files'))
    const files = db.transaction('volo-files', 'readwrite').objectStore('volo-files')
    if (more !== undefined) await settled(files.put(new Uint8Array(), more))
    const count = await settled(files.count())
    db.close()
    return count
  }, more)
}

test.describe('what a browser keeps', () => {
  let network: LocalNetwork
  let url: string

  test.beforeAll(async () => {
    network = await LocalNetwork.start({ nodes: 1 })
    // By name: browsers make no passkey for the address of a machine.
    url = network.urls[0]!.replace('127.0.0.1', 'localhost')
  })

  test.afterAll(async () => network?.stop())

  test('is locked with a passphrase, opened with it, and the chat goes on', async ({ browser }) => {
    const [ada, bob] = [await BrowserPerson.create(browser, 'ada'), await BrowserPerson.create(browser, 'bob')]
    await ada.signUp(url)
    await bob.signUp(url)
    await ada.startChatWith('bob')
    await ada.write('before the lock')
    await bob.openChat('Ada')
    await bob.write('an answer')
    await expect(ada.message('an answer')).toBeVisible()
    const { page } = ada

    await test.step('a lock is set', async () => {
      await page.goto(`${url}/#/you`)
      await page.getByRole('link', { name: 'Lock this browser' }).click()
      await page.getByLabel('New passphrase').fill(PASSPHRASE)
      await page.getByLabel('The same again').fill('another one entirely')
      await page.getByRole('button', { name: 'Set the lock' }).click()
      await expect(page.getByRole('alert')).toContainText('not the same')
      await page.getByLabel('The same again').fill(PASSPHRASE)
      await page.getByRole('button', { name: 'Set the lock' }).click()
      await expect(page.getByText('The lock is on.')).toBeVisible({ timeout: 60_000 })
    })

    await test.step('the next visit asks for it, and another passphrase opens nothing', async () => {
      await leaveApp(page, url)
      expect(await usableKeys(page)).toBe(0)
      await page.goto(url)
      await expect(lockScreen(page)).toBeVisible()
      await expect(page.getByText('before the lock')).toHaveCount(0)
      await page.getByLabel('Passphrase', { exact: true }).fill('not the passphrase')
      await page.getByRole('button', { name: 'Unlock' }).click()
      await expect(page.getByRole('alert')).toContainText('not the passphrase')
      await bob.write('written while Ada is away')
      await page.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE)
      await page.getByRole('button', { name: 'Unlock' }).click()
      await ada.openChat('Bob')
      await expect(ada.message('written while Ada is away')).toBeVisible()
      await ada.write('after the lock')
      await expect(bob.message('after the lock')).toBeVisible()
    })

    await test.step('locking now shuts every tab, and one passphrase opens them all', async () => {
      const second = await ada.context.newPage()
      await second.goto(`${url}/#/you/lock`)
      await second.getByRole('button', { name: 'Lock now' }).click()
      for (const each of [page, second]) await expect(lockScreen(each)).toBeVisible()
      await second.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE)
      await second.getByRole('button', { name: 'Unlock' }).click()
      for (const each of [page, second]) await expect(lockScreen(each)).toHaveCount(0)
      await expect(ada.message('after the lock')).toBeVisible()
      await second.close()
    })

    const form = (name: string) => page.getByRole('form', { name })
    const submit = (name: string) => form(name).getByRole('button', { name }).click()
    const passkeys = await VirtualPasskeys.attach(page, false)

    await test.step('a passkey that gives no key locks nothing, and says so', async () => {
      await page.goto(`${url}/#/you/lock`)
      await form('Add a passkey').getByLabel('Passphrase now').fill(PASSPHRASE)
      await submit('Add a passkey')
      await expect(form('Add a passkey').getByRole('alert')).toContainText('This passkey cannot lock Volo')
      await expect(page.getByText('This browser is locked with a passphrase.')).toBeVisible()
    })

    await test.step('one that does opens the browser beside the passphrase', async () => {
      await passkeys.replace(true)
      await submit('Add a passkey')
      await expect(page.getByText('The passkey opens this browser from now on.')).toBeVisible()
      expect(await passkeys.count()).toBe(1)
      await leaveApp(page, url)
      expect(await usableKeys(page)).toBe(0)
      await page.goto(url)
      await page.getByRole('button', { name: 'Unlock with the passkey' }).click()
      await ada.openChat('Bob')
      await expect(ada.message('after the lock')).toBeVisible()
    })

    await test.step('it is asked before the passphrase goes, and then locks alone', async () => {
      await page.goto(`${url}/#/you/lock`)
      await submit('Remove the passphrase')
      await expect(page.getByText('The passphrase was removed.')).toBeVisible({ timeout: 60_000 })
      await page.getByRole('button', { name: 'Lock now' }).click()
      await expect(lockScreen(page)).toBeVisible()
      await expect(page.getByLabel('Passphrase', { exact: true })).toHaveCount(0)
      await page.getByRole('button', { name: 'Unlock with the passkey' }).click()
      await expect(lockScreen(page)).toHaveCount(0)
    })

    await test.step('a passkey that is lost is removed with the passphrase', async () => {
      await page.goto(`${url}/#/you/lock`)
      await page.getByLabel('New passphrase').fill(PASSPHRASE)
      await page.getByLabel('The same again').fill(PASSPHRASE)
      await submit('Add a passphrase')
      await expect(page.getByText('The passphrase opens this browser, too.')).toBeVisible()
      await page.getByRole('button', { name: 'Lock now' }).click()
      await passkeys.setUserVerified(false)
      await page.getByRole('button', { name: 'Unlock with the passkey' }).click()
      await expect(page.getByRole('alert')).toContainText('The passkey was not used')
      await page.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE)
      await page.getByRole('button', { name: 'Unlock', exact: true }).click()
      await expect(lockScreen(page)).toHaveCount(0)
      await form('Remove the passkey').getByLabel('Passphrase now').fill(PASSPHRASE)
      await submit('Remove the passkey')
      await expect(page.getByText('The passkey was removed.')).toBeVisible({ timeout: 60_000 })
    })

    await test.step('a forgotten passphrase is a new beginning', async () => {
      await leaveApp(page, url)
      expect(await filesKept(page, 'a file')).toBe(1)
      await page.goto(url)
      await page.getByText('Forgot the passphrase?').click()
      await page.getByRole('button', { name: 'Forget everything in this browser' }).click()
      await expect(page.getByRole('dialog')).toContainText('for good')
      await page.getByRole('button', { name: 'Forget everything', exact: true }).click()
      await expect(welcome(page)).toBeVisible()
      expect(await filesKept(page)).toBe(0)
      // It was this person's own wish: nothing to explain.
      await expect(page.getByRole('alert')).toHaveCount(0)
    })
    await ada.close()
    await bob.close()
  })

  test('and is half gone, or all of it, is told in own words with a way out', async ({ browser }) => {
    const carol = await BrowserPerson.create(browser, 'carol')
    const { page } = carol
    const forget = (...names: string[]) =>
      page.evaluate(async names => {
        for (const name of names) {
          await new Promise<void>((resolve, reject) => {
            const request = indexedDB.deleteDatabase(name)
            request.onsuccess = () => resolve()
            request.onerror = request.onblocked = () => reject(new Error(`${name} is in use`))
          })
        }
      }, names)

    await carol.signUp(url)
    await test.step('the databases are gone, and the looks are not', async () => {
      await leaveApp(page, url)
      await forget('volo-keys', 'level-js-volo-store')
      await page.goto(url)
      await expect(welcome(page)).toBeVisible()
      await expect(page.getByRole('alert')).toContainText('This browser deleted what Volo kept here')
    })

    await test.step('the looks are gone, and the databases are not', async () => {
      carol.page = page
      await page.getByRole('button', { name: 'Continue with demo sign-in' }).click()
      await page.getByLabel('Demo user name').fill('carol2')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('button', { name: 'Start' }).click()
      await expect(page.getByRole('heading', { name: 'Chats' })).toBeVisible()
      await page.evaluate(() => localStorage.clear())
      await page.reload()
      await expect(page.getByRole('heading', { name: 'Chats' })).toBeVisible()
    })

    await test.step('the keys are gone, and the store is not', async () => {
      await leaveApp(page, url)
      await forget('volo-keys')
      await page.goto(url)
      await expect(page.getByRole('alert')).toContainText('cannot be opened any more')
      await page.getByRole('button', { name: 'Forget everything in this browser' }).click()
      await page.getByRole('button', { name: 'Forget everything', exact: true }).click()
      await expect(welcome(page)).toBeVisible()
    })
    await carol.close()
  })
})
