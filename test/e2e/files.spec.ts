import { expect, test } from '@playwright/test'
import { FIXTURE_PICTURE } from '../support/fixture-picture.ts'
import { NodeProcess } from '../support/network/real-processes/node-process.ts'
import { BrowserPerson } from './support/person.ts'

test.describe('files in a chat', () => {
  let node: NodeProcess

  test.beforeAll(async () => {
    node = await NodeProcess.start()
  })

  test.afterAll(async () => {
    await node.dispose()
  })

  test('a picture and a document are sent, shown, and saved as they were', async ({ browser }) => {
    test.setTimeout(120_000)
    const ada = await BrowserPerson.create(browser, 'ada')
    const bob = await BrowserPerson.create(browser, 'bob')
    await Promise.all([ada.signUp(node.url), bob.signUp(node.url)])
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
    await expect(picture.locator('img:not(.blurred)')).toBeVisible({ timeout: 30_000 })
    await picture.click()
    await bob.page.getByRole('button', { name: 'Zoom in' }).click()
    await bob.page.keyboard.press('Escape')
    await expect(bob.page.getByRole('button', { name: 'Zoom in' })).toHaveCount(0)

    // A page of a sender is a file like any other: it is saved, and never drawn.
    await expect(bob.message('Two files')).toBeVisible()
    const [download] = await Promise.all([
      bob.page.waitForEvent('download'),
      bob.page.getByRole('button', { name: 'Save page.html' }).click()
    ])
    expect(download.suggestedFilename()).toBe('page.html')
    const stream = await download.createReadStream()
    const parts: Buffer[] = []
    for await (const part of stream) parts.push(part as Buffer)
    expect(Buffer.concat(parts).toString()).toBe(page)
    expect(await bob.page.title()).not.toBe('run')
  })
})
