import { expect, test, type Page } from '@playwright/test'
import { LocalNetwork } from '../support/network/real-processes/local-network.ts'
import { accessibilityFaults } from './support/axe.ts'
import { BrowserPerson } from './support/person.ts'

test.describe('what one says in a chat', () => {
  let network: LocalNetwork

  test.beforeAll(async () => {
    network = await LocalNetwork.start({ nodes: 1 })
  })

  test.afterAll(async () => network.stop())

  /** Opens the menu of the note with this text, and chooses from it. */
  async function choose(page: Page, text: string, item: string): Promise<void> {
    await page.locator('.note', { hasText: text }).last().click({ button: 'right' })
    await page.getByRole('menu').getByRole('menuitem', { name: item, exact: true }).click()
  }

  test('Ada and Bob answer, mark and change messages, pin them, and vote', async ({ browser }) => {
    test.setTimeout(600_000)
    const ada = await BrowserPerson.create(browser, 'ada')
    const bob = await BrowserPerson.create(browser, 'bob')
    await Promise.all([ada.signUp(network.urls[0]!), bob.signUp(network.urls[0]!)])
    await ada.startChatWith('bob')
    await ada.write('tea at sven?')
    await bob.openChat('Ada')

    await test.step('Bob reacts by keyboard and answers; Ada sees both, and the quote', async () => {
      await expect(bob.message('tea at sven?')).toBeVisible()
      await bob.page
        .getByRole('button', { name: /^Message from .*: menu$/ })
        .last()
        .focus()
      await bob.page.keyboard.press('Enter')
      await bob.page.keyboard.press('Enter')
      await expect(bob.message('tea at sven?').getByRole('button', { name: '👍: You' })).toBeVisible()
      await choose(bob.page, 'tea at sven?', 'Reply')
      await bob.write('gladly')
      await expect(ada.message('gladly').getByText('tea at sven?')).toBeVisible()
      await expect(ada.message('tea at sven?').getByRole('button', { name: '👍: Bob' })).toBeVisible()
    })

    await test.step('Ada changes her message with the arrow key; the quote changes with it', async () => {
      await ada.composer().press('ArrowUp')
      await expect(ada.composer()).toHaveValue('tea at sven?')
      await ada.composer().fill('tea at seven?')
      await ada.composer().press('Enter')
      await expect(bob.message('gladly').getByText('tea at seven?')).toBeVisible()
      await expect(bob.message('tea at seven?').getByText('edited').first()).toBeVisible()
    })

    await test.step('a pin stands at the top for both, until it is taken away', async () => {
      await choose(ada.page, 'gladly', 'Pin for all')
      const unpin = (page: Page) => page.getByRole('button', { name: 'Unpin' })
      await expect(unpin(bob.page)).toBeVisible()
      await unpin(bob.page).click()
      await expect(unpin(ada.page)).toHaveCount(0)
    })

    await test.step('a question is asked and answered', async () => {
      await ada.page.getByRole('button', { name: 'Ask a question' }).click()
      await ada.page.getByRole('textbox', { name: 'Question' }).fill('Where?')
      await ada.page.getByLabel('Answer 1').fill('here')
      await ada.page.getByLabel('Answer 2').fill('there')
      await ada.page.getByRole('button', { name: 'Ask', exact: true }).click()
      await bob.page.getByRole('radio', { name: /there/ }).click()
      await expect(ada.page.getByRole('radio', { name: /there/ })).toContainText('1 vote')
      expect(await accessibilityFaults(ada.page)).toEqual([])
    })
    await Promise.all([ada.close(), bob.close()])
  })
})
