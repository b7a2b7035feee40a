import { randomBytes } from 'node:crypto'
import { expect, test } from '@playwright/test'
import { FIXTURE_PICTURE } from '../support/fixture-picture.ts'
import { LocalNetwork } from '../support/network/real-processes/local-network.ts'
import { BrowserPerson } from './support/person.ts'

const PASSPHRASE = 'correct horse battery'
const LARGE_BYTES = 6 * 1024 * 1024

/** Saves a file of a message as the browser does. */
async function saved(person: BrowserPerson, name: string): Promise<{ name: string; content: Buffer }> {
  const [download] = await Promise.all([
    person.page.waitForEvent('download', { timeout: 60_000 }),
    person.page.getByRole('button', { name: `Save ${name}` }).click()
  ])
  const parts: Buffer[] = []
  for await (const part of await download.createReadStream()) parts.push(part as Buffer)
  return { name: download.suggestedFilename(), content: Buffer.concat(parts) }
}

test.describe('R7 and R9: files in a chat, and their backup', () => {
  // One story: who sent the files backs them up, and loses the browser and a node.
  test.describe.configure({ mode: 'serial' })
  let network: LocalNetwork
  let ada: BrowserPerson
  let bob: BrowserPerson

  test.beforeAll(async () => {
    network = await LocalNetwork.start({ nodes: 2, devnet: ['--block-ms', '500'] })
  })

  test.afterAll(async () => network?.stop())

  test('a picture and a document are sent, shown, and saved as they were', async ({ browser }) => {
    test.setTimeout(600_000)
    const url = network.urls[0]!
    ada = await BrowserPerson.create(browser, 'ada')
    bob = await BrowserPerson.create(browser, 'bob')
    await Promise.all([ada.signUp(url), bob.signUp(url)])
    await ada.startChatWith('bob')
    const page = '<!doctype html><script>document.title = "run"</script>'
    await ada.page.locator('input[type=file]').setInputFiles([
      { name: 'hills.png', mimeType: 'image/png', buffer: Buffer.from(FIXTURE_PICTURE) },
      { name: 'page.html', mimeType: 'text/html', buffer: Buffer.from(page) }
    ])
    await ada.page.getByRole('list', { name: 'Files to send' }).locator('img').waitFor()
    await ada.write('Two files')
    await bob.openChat('Ada')

    const picture = bob.page.getByRole('button', { name: 'Open the picture hills.png' })
    await expect(picture.locator('img:not(.blurred)')).toBeVisible({ timeout: 90_000 })
    await picture.click()
    await bob.page.getByRole('button', { name: 'Zoom in' }).click()
    await bob.page.keyboard.press('Escape')
    await expect(bob.page.getByRole('button', { name: 'Zoom in' })).toHaveCount(0)

    // A page of a sender is a file like any other: it is saved, and never drawn.
    await expect(bob.message('Two files')).toBeVisible()
    const file = await saved(bob, 'page.html')
    expect(file).toEqual({ name: 'page.html', content: Buffer.from(page) })
    expect(await bob.page.title()).not.toBe('run')
  })

  test('a large file is stopped, sent after all, goes on after a reload, and arrives', async () => {
    test.setTimeout(600_000)
    const large = randomBytes(LARGE_BYTES)
    // No node takes it meanwhile, so it is stopped on its way for sure.
    network.pause(0)
    network.pause(1)
    await ada.page
      .locator('input[type=file]')
      .setInputFiles({ name: 'film.bin', mimeType: 'application/octet-stream', buffer: large })
    await ada.composer().fill('A film')
    await ada.composer().press('Enter')
    const note = ada.message('A film')
    await note.getByRole('button', { name: 'Stop film.bin' }).click({ timeout: 90_000 })
    const retry = note.getByRole('button', { name: 'Retry' })
    await retry.waitFor()
    network.resume(0)
    network.resume(1)
    await retry.click()
    await expect(retry).toHaveCount(0)
    await ada.page.reload()
    await expect(ada.message('A film')).toHaveAccessibleName(/(sent|delivered|read)$/, { timeout: 60_000 })
    await expect(bob.message('A film')).toBeVisible({ timeout: 90_000 })
    expect((await saved(bob, 'film.bin')).content.equals(large)).toBe(true)
  })

  test('a backup brings the chats into an empty browser while one of the nodes that kept it is gone', async ({
    browser
  }) => {
    test.setTimeout(600_000)
    await ada.page.goto(`${network.urls[0]}/#/you/backup`)
    await expect(ada.page.getByLabel('Back up by itself', { exact: false })).toBeChecked()
    await ada.page.getByLabel('Passphrase').fill(PASSPHRASE)
    await ada.page.getByRole('button', { name: 'Back up now' }).click()
    await expect(ada.page.getByText('It is in 2 places.')).toBeVisible({ timeout: 60_000 })
    await ada.close()
    await network.kill(0)

    const fresh = await BrowserPerson.create(browser, 'ada')
    const { page } = fresh
    await page.goto(`${network.urls[1]}/#/restore`)
    await page.getByLabel('Your username').fill('ada')
    await page.getByLabel('Passphrase').fill('not that of the backup')
    await page.getByRole('button', { name: 'Restore', exact: true }).click()
    await expect(page.getByText('This passphrase does not open the backup.')).toBeVisible({ timeout: 90_000 })
    await page.getByLabel('Passphrase').fill(PASSPHRASE)
    await page.getByRole('button', { name: 'Restore', exact: true }).click()
    await expect(page.getByRole('heading', { name: 'Chats' })).toBeVisible({ timeout: 90_000 })
    await page.getByRole('link', { name: /bob/i }).first().click()
    await expect(fresh.message('Two files')).toBeVisible()
    // The other node has the files, too.
    const picture = page.getByRole('button', { name: 'Open the picture hills.png' })
    await expect(picture.locator('img:not(.blurred)')).toBeVisible({ timeout: 90_000 })
    await fresh.close()
    await bob.close()
  })
})
