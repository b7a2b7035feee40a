import { expect, test, type Page } from '@playwright/test'
import { LocalNetwork } from '../support/network/real-processes/local-network.ts'
import { accessibilityFaults } from './support/axe.ts'
import { browserWithCamera, filmOf } from './support/code-camera.ts'
import { watchForeignRequests } from './support/foreign-requests.ts'
import { BrowserPerson } from './support/person.ts'

test.describe('R3 and R6: one person with several browsers', () => {
  // A click that finds nothing says where the story stopped.
  test.use({ actionTimeout: 60_000 })

  let network: LocalNetwork

  test.beforeAll(async () => {
    network = await LocalNetwork.start({ nodes: 1 })
  })

  test.afterAll(async () => network?.stop())

  test('adds two, removes one, loses all and comes back', async ({ browser, playwright, launchOptions }) => {
    test.setTimeout(600_000)
    const [url] = network.urls as [string]
    const ada = await BrowserPerson.create(browser, 'ada')
    const bob = await BrowserPerson.create(browser, 'bob')
    const second = await BrowserPerson.create(browser, 'ada')
    const film = test.info().outputPath('camera.y4m')
    const seeing = await browserWithCamera({ playwright, launchOptions }, film)
    const third = await BrowserPerson.create(seeing, 'ada', { permissions: ['camera'] })
    const fourth = await BrowserPerson.create(browser, 'ada')
    const foreign = [ada, second, third, fourth].map(person => watchForeignRequests(person.context, network.urls))

    await test.step('Ada and Bob have written to each other', async () => {
      await Promise.all([ada.signUp(url), bob.signUp(url)])
      await ada.startChatWith('bob')
      for (let line = 1; line <= 5; line++) await ada.write(`Line ${line} from before`)
      await bob.openChat('Ada')
      await bob.write('Hello Ada')
      await expect(ada.message('Hello Ada')).toBeVisible()
    })

    await test.step('the old device shows a code as words, and the new one takes them', async () => {
      const words = await showCode(ada.page, url)
      expect(await accessibilityFaults(ada.page)).toEqual([])
      await openJoin(second.page, url)
      await second.page.getByLabel('Name of this device').fill('Second')
      await typeCode(second.page, words.slice(1))
      await expect(second.page.getByRole('alert')).toContainText('It has twelve words')
      await typeCode(second.page, words)
    })

    await test.step('both show the same two words, and Ada says yes', async () => {
      await expect(ada.page.getByRole('heading', { name: 'Add “Second”?' })).toBeFocused()
      const check = await ada.page.locator('.pane .mono').textContent()
      await expect(second.page.locator('main .mono')).toHaveText(check!)
      for (const page of [ada.page, second.page]) expect(await accessibilityFaults(page)).toEqual([])
      await ada.page.getByRole('button', { name: 'Add', exact: true }).click()
      await expect(ada.page.getByRole('heading', { name: '“Second” is one of your devices now' })).toBeVisible()
      await expect(second.page.getByRole('heading', { name: 'Chats' })).toBeVisible()
    })

    await test.step('both tabs are loaded again before the chats are over: they come all the same, each message once', async () => {
      await Promise.all([ada.page.goto(url), second.page.reload()])
      await second.openChat('Bob')
      await expect(second.message('Line 1 from before')).toBeVisible()
      for (let line = 1; line <= 5; line++) await expect(second.message(`Line ${line} from before`)).toHaveCount(1)
      await expect(second.message('Hello Ada')).toHaveCount(1)
    })

    await test.step('chats from before arrive while the second one reads and writes', async () => {
      await second.write('From the second')
      await expect(second.message('Line 1 from before')).toBeVisible()
      await second.expectTick('From the second', 'sent', 'delivered', 'read')
      await second.page.reload()
      await expect(second.message('Line 5 from before')).toHaveCount(1)
      await bob.write('To both of you')
      await expect(second.message('To both of you')).toBeVisible()
    })

    await test.step('a picture of a code is read; the answer is no', async () => {
      await showCode(second.page, url)
      await openJoin(third.page, url)
      await third.page.getByLabel('Name of this device').fill('Third')
      const picture = await second.page.getByAltText('QR code').screenshot()
      const nothing = await second.page.getByRole('heading', { name: 'Add a device' }).screenshot()
      await choosePicture(third.page, nothing)
      await expect(third.page.getByRole('alert')).toContainText('No code can be read')
      await choosePicture(third.page, picture)
      await second.page.getByRole('button', { name: 'Don’t add' }).click()
      await expect(third.page.getByRole('alert')).toContainText('The answer was no')
    })

    await test.step('a new code is seen by a camera', async () => {
      await second.page.getByRole('button', { name: 'Make a new code' }).click()
      await filmOf(second.page.getByAltText('QR code'), film)
      await third.page.getByRole('button', { name: 'Scan the code with the camera' }).click()
      await second.page.getByRole('button', { name: 'Add', exact: true }).click()
      await third.openChat('Bob')
      await expect(third.message('Line 1 from before')).toBeVisible()
      await third.write('From the third')
      await expect(bob.message('From the third')).toBeVisible()
    })

    const openCheck = async (person: BrowserPerson, with_: string): Promise<void> => {
      await person.page.getByTitle(`About ${with_}`).first().click()
      await person.page.getByRole('link', { name: 'Compare safety number' }).click()
      await expect(person.page.getByAltText('QR code to compare')).toBeVisible()
    }

    await test.step('the camera sees the code of Bob’s chat: both see the same', async () => {
      await openCheck(bob, 'Ada')
      await openCheck(third, 'Bob')
      await filmOf(bob.page.getByAltText('QR code to compare'), film)
      await third.page.getByRole('button', { name: 'Scan the code with the camera' }).click()
      const result = third.page.getByRole('dialog', { name: 'You and Bob see the same' })
      await expect(result).toContainText('Bob is verified.')
      expect(await accessibilityFaults(third.page)).toEqual([])
      await result.getByRole('button', { name: 'Done' }).click()
      await expect(third.page.getByText('You compared this number. Bob is verified.')).toBeVisible()
    })

    await test.step('the second one renames the third and removes the first', async () => {
      const { page } = second
      await page.goto(`${url}/#/you/devices`)
      await expect(page.getByText('Added by Second')).toBeVisible()
      await page.getByRole('button', { name: 'Rename Third' }).click()
      await page.getByLabel('Name of the device').fill('Kitchen')
      await page.getByRole('button', { name: 'Save' }).click()
      await expect(page.getByRole('button', { name: 'Rename Kitchen' })).toBeFocused()
      await page.getByRole('button', { name: 'Remove Chrome on Linux' }).click()
      await page.getByRole('button', { name: 'Remove for good' }).click()
      await expect(page.getByText('1 removed device')).toBeVisible()
      await expect(ada.page.getByText('This device was removed').first()).toBeVisible()
      await bob.write('After the removal')
      await expect(third.message('After the removal')).toBeVisible()
      await expect(third.message('Line 1 from before')).toBeVisible()
      // The code from before has the removed device, and says whose it is.
      await third.page.getByRole('button', { name: 'Scan the code with the camera' }).click()
      const result = third.page.getByRole('dialog', { name: 'You and Bob do not see the same' })
      await expect(result).toContainText('Only the other side sees a device of you:')
      await result.getByRole('button', { name: 'Done' }).click()
      await expect(ada.message('After the removal')).toHaveCount(0)
    })

    const code = await test.step('the second one makes a recovery code', async () => {
      const { page } = second
      await page.goto(`${url}/#/you/recovery`)
      await page.getByRole('button', { name: 'Make a recovery code' }).click()
      const download = page.waitForEvent('download')
      await page.getByRole('button', { name: 'Save as a file' }).click()
      const file = await (await download).path()
      await page.getByRole('button', { name: 'I have kept it' }).click()
      await expect(page.getByText('Your recovery code counts now.')).toBeVisible()
      return file
    })

    await test.step('a fresh browser gets the account back with it; the others end, and Bob is told', async () => {
      const { page } = fourth
      await page.goto(url)
      await page.getByRole('link', { name: 'I lost all my devices' }).click()
      await page.getByLabel('Your username').fill('ada')
      await page.getByLabel('Take it from a file').setInputFiles(code)
      await page.getByRole('button', { name: 'Get my account back' }).click()
      await expect(page.getByRole('heading', { name: 'Chats' })).toBeVisible()
      await expect(page.getByRole('link', { name: 'Make a recovery code' })).toBeVisible()
      for (const ended of [second, third]) {
        await expect(ended.page.getByText('This device was removed').first()).toBeVisible()
      }
      await fourth.startChatWith('bob')
      await fourth.write('I am back')
      await expect(bob.message('I am back')).toBeVisible()
      await expect(bob.page.getByRole('alert')).toContainText('replaced all devices with a recovery code')
    })

    expect(foreign.flat()).toEqual([])
    for (const person of [ada, bob, second, third, fourth]) await person.close()
    await seeing.close()
  })
})

/** Opens *Add a device*. @returns the words of the code. */
async function showCode(page: Page, url: string): Promise<string[]> {
  await page.goto(`${url}/#/you/devices`)
  await page.getByRole('link', { name: 'Add a device' }).click()
  const words = page.getByRole('region', { name: 'The code as words' }).getByRole('listitem')
  await expect(words).toHaveCount(12)
  return words.allTextContents()
}

/** From the welcome screen to the form for a code. */
async function openJoin(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await page.getByRole('link', { name: 'I already use Volo' }).click()
}

async function typeCode(page: Page, words: string[]): Promise<void> {
  await page.getByLabel('The words of the code').fill(words.join(' '))
  await page.getByRole('button', { name: 'Continue' }).click()
}

async function choosePicture(page: Page, buffer: Buffer): Promise<void> {
  const file = { name: 'code.png', mimeType: 'image/png', buffer }
  await page.getByLabel('Use a picture of the code').setInputFiles(file)
}
