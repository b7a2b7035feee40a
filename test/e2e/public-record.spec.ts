import { expect, test, type Page } from '@playwright/test'
import { LocalNetwork } from '../support/network/real-processes/local-network.ts'
import { accessibilityFaults } from './support/axe.ts'
import { BrowserPerson } from './support/person.ts'

/** Blocks come so fast that an entry settles (15 of them) within seconds. */
const BLOCK_MS = 400
/** Within reach of a rollback, and far enough for any record of the story. */
const MANY_BLOCKS = 500

/** One's own page of the public record. */
async function openOwnRecord(page: Page): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name: 'You' }).click()
  await page.getByRole('link', { name: 'Open the public record' }).click()
  await expect(page.getByRole('heading', { name: 'Public record', level: 1 })).toBeVisible()
}

test.describe('R16: safety number and public record on a network of three nodes', () => {
  let network: LocalNetwork

  const devnet = async (control: string, body: object): Promise<void> => {
    const answer = await fetch(new URL(`/devnet/${control}`, network.chainUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
    expect(answer.ok, await answer.text()).toBe(true)
  }

  test.beforeAll(async () => {
    test.setTimeout(600_000)
    network = await LocalNetwork.start({ nodes: 3, devnet: ['--block-ms', String(BLOCK_MS)] })
  })

  test.afterAll(async () => network.stop())

  test('Ada registers, is recorded and settles; a rollback shows; Bob sees her remove her device', async ({
    browser
  }) => {
    test.setTimeout(600_000)
    const ada = await BrowserPerson.create(browser, 'ada')
    const bob = await BrowserPerson.create(browser, 'bob')
    const record = ada.page.getByRole('region', { name: 'Who' })

    await test.step('Ada registers, and watches her entry come, while Bob signs up', async () => {
      await devnet('faults', { pauseBlocks: true })
      await ada.signUp(network.urls[0]!)
      await openOwnRecord(ada.page)
      await expect(record).toContainText('Being added to the public record')
      await devnet('faults', { pauseBlocks: false })
      const bobIsIn = bob.signUp(network.urls[2]!)
      await expect(record).toContainText('It is still settling', { timeout: 90_000 })
      await expect(record).toContainText('On the public record since', { timeout: 90_000 })
      await expect(record).not.toContainText('It is still settling', { timeout: 90_000 })
      await expect(ada.page.getByText('Two operators gave the same entries.')).toBeVisible({ timeout: 90_000 })
      expect(await accessibilityFaults(ada.page)).toEqual([])
      await bobIsIn
    })

    await test.step('Bob meets her and compares the safety number', async () => {
      await bob.startChatWith('ada')
      await bob.write('Hello Ada')
      await bob.expectTick('Hello Ada', 'sent', 'delivered')
      await bob.page.getByTitle('About ').first().click()
      await bob.page.getByRole('link', { name: 'Compare safety number' }).click()
      const digits = await bob.page.getByLabel('Sixty digits').innerText()
      expect(digits.replaceAll(/\D/g, '')).toHaveLength(60)
      await bob.page.getByRole('button', { name: 'They are the same' }).click()
      await expect(bob.page.getByText('is verified.')).toBeVisible()
      expect(await accessibilityFaults(bob.page)).toEqual([])
    })

    await test.step('a rollback takes the blocks away while Ada watches: back to being recorded, and recorded again', async () => {
      await devnet('faults', { pauseBlocks: true })
      await devnet('rollback', { depth: MANY_BLOCKS })
      await expect(record).toContainText('its newest entries were undone', { timeout: 90_000 })
      await expect(record).toContainText('Being added to the public record')
      await devnet('faults', { pauseBlocks: false })
      await expect(record).toContainText('On the public record since', { timeout: 90_000 })
      await expect(ada.page.getByRole('alert')).toHaveCount(0)
    })

    await test.step('Ada removes her device in her browser; Bob sees it in his, and nothing more is sent', async () => {
      await bob.page.getByRole('navigation').getByRole('link', { name: 'Chats' }).click()
      await bob.openChat('ada|Ada')
      await bob.page.getByTitle('About ').first().click()
      await ada.page.getByRole('link', { name: 'Devices of your account' }).click()
      await ada.page.getByRole('button', { name: /^Remove / }).click()
      await expect(ada.page.getByRole('dialog')).toContainText('It is your only device')
      await ada.page.getByRole('button', { name: 'Remove for good' }).click()
      await expect(ada.page.getByText('This device was removed from your account.').first()).toBeVisible()
      await expect(ada.page.getByText(/^Removed on/)).toBeVisible({ timeout: 90_000 })
      expect(await accessibilityFaults(ada.page)).toEqual([])

      await expect(bob.page.getByText('Device removed').first()).toBeVisible({ timeout: 90_000 })
      await expect(bob.page.getByText('removed every device, so nobody could read a message')).toBeVisible()
      await expect(bob.page.getByRole('button', { name: 'Send', exact: true })).toBeDisabled()
    })

    await ada.close()
    await bob.close()
  })
})
