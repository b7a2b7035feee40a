import { expect, test } from '@playwright/test'
import { LocalNetwork } from '../support/network/real-processes/local-network.ts'
import { accessibilityFaults } from './support/axe.ts'
import { BrowserPerson } from './support/person.ts'

test.describe('R10 to R12: contacts, search and invitations', () => {
  let network: LocalNetwork

  test.beforeAll(async () => {
    network = await LocalNetwork.start({ nodes: 1 })
  })

  test.afterAll(async () => network?.stop())

  test('a link brings Bob in: both are contacts, the chat is open, and its messages are found', async ({ browser }) => {
    test.setTimeout(600_000)
    const ada = await BrowserPerson.create(browser, 'ada')
    const bob = await BrowserPerson.create(browser, 'bob')
    await ada.signUp(network.urls[0]!)
    const address = await test.step('Ada makes a link', async () => {
      await ada.page.getByRole('navigation').getByRole('link', { name: 'People' }).click()
      await ada.page.getByRole('button', { name: 'Invite someone' }).click()
      const link = ada.page.getByLabel('A link for one person')
      await expect(link).toHaveValue(/\/#\/i\/[\w-]+$/)
      expect(await accessibilityFaults(ada.page)).toEqual([])
      const value = await link.inputValue()
      await ada.page.keyboard.press('Escape')
      return value
    })

    await test.step('Bob sees who invites before he signs up, and is in the chat once he has', async () => {
      await bob.page.goto(address)
      await expect(bob.page.getByText('invites you to chat on Volo.')).toBeVisible()
      expect(bob.page.url()).not.toContain('/i/')
      await bob.signUpFromHere()
      await expect(bob.composer()).toBeVisible({ timeout: 90_000 })
    })

    await test.step('Ada has Bob among her contacts, and he is no request', async () => {
      const contacts = ada.page.getByRole('list', { name: 'Contacts' })
      await expect(contacts.getByText('Bob')).toBeVisible({ timeout: 90_000 })
      await bob.write('The Analytical Engine weaves patterns')
      await ada.page.getByRole('navigation').getByRole('link', { name: 'Chats' }).click()
      await ada.openChat('Bob')
      await expect(ada.message('The Analytical Engine')).toBeVisible()
      await expect(ada.page.getByText('message request')).toHaveCount(0)
    })

    await test.step('a part of a word leads to the message', async () => {
      await ada.page.getByLabel('Search chats and messages').fill('lytical')
      await ada.page.getByRole('list', { name: 'Messages' }).getByRole('link').click()
      await expect(ada.page).toHaveURL(/message=/)
      await expect(ada.message('The Analytical Engine')).toBeVisible()
    })

    await test.step('the link is used up', async () => {
      const carol = await BrowserPerson.create(browser, 'carol')
      await carol.page.goto(address)
      await expect(carol.page.getByText('This invitation was used, taken back, or is too old.')).toBeVisible()
      await carol.close()
    })
    await ada.close()
    await bob.close()
  })
})
