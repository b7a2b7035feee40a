import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, type Page } from '@playwright/test'
import { LocalNetwork } from '../support/network/real-processes/local-network.ts'
import { CommandProcess, temporaryFolder } from '../support/network/real-processes/node-process.ts'
import { accessibilityFaults } from './support/axe.ts'
import { BrowserPerson } from './support/person.ts'

test.describe('R13: a group of two browsers and one volo-peer', () => {
  const folder = temporaryFolder()
  let network: LocalNetwork

  test.beforeAll(async () => {
    network = await LocalNetwork.start({ nodes: 1, devnet: ['--block-ms', '500'] })
  })

  test.afterAll(async () => {
    await network?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** A command of Cleo, who has no browser. @returns the lines that it printed. */
  async function cleo(...words: string[]): Promise<Record<string, unknown>[]> {
    const args = ['--data', join(folder, 'cleo'), '--node', network.urls[0]!, ...words, '--json']
    const { code, stdout, stderr } = await new CommandProcess('peer/cli/main.ts', args).ended
    expect(code, stderr).toBe(0)
    const lines = stdout.split('\n').filter(line => line !== '')
    return lines.map(line => JSON.parse(line) as Record<string, unknown>)
  }

  /** Chooses a person for a group by username. The app asks again until the new name is in a block. */
  async function choose(page: Page, username: string): Promise<void> {
    const field = page.getByLabel('Find by username')
    await field.fill(`@${username}`)
    await field.press('Enter')
    await expect(page.getByRole('list', { name: /chosen$/ }).getByText(username)).toBeVisible()
  }

  const line = (person: BrowserPerson, text: RegExp) => person.page.getByRole('log').getByText(text)
  const members = ({ page }: BrowserPerson) => page.getByRole('list', { name: 'Members' }).getByRole('listitem')
  const openPage = ({ page }: BrowserPerson, name: RegExp) => page.locator('header').getByRole('link', { name }).click()

  test('three people make a group, chat, and change it', async ({ browser }) => {
    test.setTimeout(600_000)
    const ada = await BrowserPerson.create(browser, 'ada')
    const phone = { viewport: { width: 375, height: 740 }, colorScheme: 'dark' } as const
    const bob = await BrowserPerson.create(browser, 'bob', phone)
    const url = network.urls[0]!
    await Promise.all([ada.signUp(url), bob.signUp(url), cleo('register', '--username', 'cleo')])

    await test.step('Ada makes it with Bob, whom she finds by name', async () => {
      await ada.page.getByRole('link', { name: 'New chat' }).first().click()
      await ada.page.getByRole('link', { name: 'New group' }).click()
      await ada.page.getByLabel('Name of the group').fill('Climbing club')
      await choose(ada.page, 'bob')
      await ada.page.getByRole('button', { name: 'Create the group' }).click()
      await expect(line(ada, /^You created the group “Climbing club” with @?bob\.$/i)).toBeVisible()
      await ada.write('hello bob')
    })

    await test.step('Bob does not know her and is asked first; he answers, and so takes part', async () => {
      await bob.openChat('Climbing club')
      await expect(bob.page.getByText('You were added to the group “Climbing club”.')).toBeVisible()
      await expect(bob.message('hello bob')).toBeVisible()
      await bob.write('hello ada')
      await expect(ada.message('hello ada')).toBeVisible()
      await expect(bob.page.getByRole('button', { name: 'Accept' })).toHaveCount(0)
    })

    await test.step('Ada adds Cleo, who reads what comes later and nothing of before', async () => {
      await openPage(ada, /Climbing club/)
      await ada.page.getByRole('button', { name: 'Add people' }).click()
      await choose(ada.page, 'cleo')
      await ada.page.getByRole('dialog').getByRole('button', { name: 'Add people' }).click()
      await expect(ada.page.getByRole('dialog')).toHaveCount(0)
      await expect(members(ada)).toHaveCount(3)
      await expect(line(bob, /^Ada added @?cleo\.$/i)).toBeVisible()
      await bob.write('hello cleo')
      const [heard] = await cleo('listen', '--count', '1', '--timeout', '120')
      expect(heard).toMatchObject({ text: 'hello cleo', from: 'bob' })
      expect(await accessibilityFaults(ada.page)).toEqual([])
    })

    await test.step('Ada gives it another name and removes Cleo', async () => {
      await ada.page.getByRole('button', { name: 'Edit', exact: true }).click()
      await ada.page.getByLabel('Name of the group').fill('Boulder club')
      await ada.page.getByRole('button', { name: 'Save' }).click()
      await expect(line(bob, /^Ada named the group “Boulder club”\.$/)).toBeVisible()
      await ada.page.getByRole('button', { name: /^What to do with @?cleo$/i }).click()
      await ada.page.getByRole('button', { name: 'Remove', exact: true }).click()
      await ada.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
      await expect(line(bob, /^Ada removed @?cleo\.$/i)).toBeVisible()
      await expect(members(ada)).toHaveCount(2)
    })

    await test.step('Bob sees the same people on his phone and leaves', async () => {
      await openPage(bob, /Boulder club/)
      await expect(members(bob)).toHaveCount(2)
      expect(await accessibilityFaults(bob.page)).toEqual([])
      await bob.page.getByRole('button', { name: 'Leave the group' }).click()
      await bob.page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click()
      await expect(bob.page.getByText('You are not in this group any more.').last()).toBeVisible()
      await expect(line(ada, /^Bob left the group\.$/)).toBeVisible()
      await expect(members(ada)).toHaveCount(1)
    })
    await Promise.all([ada.close(), bob.close()])
  })
})
