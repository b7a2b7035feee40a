import { expect, test, type Page } from '@playwright/test'
import { LocalNetwork } from '../support/network/real-processes/local-network.ts'
import { BrowserPerson } from './support/person.ts'
import { countSteps } from './support/step-count.ts'

const welcome = (page: Page) => page.getByRole('button', { name: 'Continue with demo sign-in' })
const nameScreen = (page: Page) => page.getByRole('heading', { name: 'Your name here' })

test.describe('R1 and R2: signing in', () => {
  let network: LocalNetwork

  test.beforeAll(async () => {
    network = await LocalNetwork.start({ nodes: 1 })
  })

  test.afterAll(async () => network?.stop())

  test('a link with a made-up code locks nobody out', async ({ browser }) => {
    const ada = await BrowserPerson.create(browser, 'ada')
    await ada.page.goto(`${network.urls[0]}/#/signed-in?code=junk`)
    await expect(welcome(ada.page)).toBeVisible()
    await expect(ada.page.getByRole('alert')).toContainText('did not begin')
    expect(ada.page.url()).not.toContain('junk')
    await ada.page.reload()
    await expect(welcome(ada.page)).toBeVisible()
    await ada.signUp(network.urls[0]!)
    await ada.close()
  })

  test('after a sign-in was begun, a made-up code is refused, and the real one is taken', async ({ browser }) => {
    const bob = await BrowserPerson.create(browser, 'bob')
    const { page } = bob
    await page.goto(network.urls[0]!)
    await welcome(page).click()
    await page.getByLabel('Demo user name').waitFor()
    await page.goto(`${network.urls[0]}/#/signed-in?code=junk`)
    await expect(page.getByRole('alert')).toBeVisible()
    await expect(nameScreen(page)).toHaveCount(0)
    await bob.signUp(network.urls[0]!)
    await bob.close()
  })

  test('the name screen begins with the name at the provider, and leads back to another sign-in', async ({
    browser
  }) => {
    const grace = await BrowserPerson.create(browser, 'grace')
    const { page } = grace
    const signIn = async (name: string) => {
      await welcome(page).click()
      await page.getByLabel('Demo user name').fill(name)
      await page.getByRole('button', { name: 'Sign in' }).click()
    }
    await page.goto(network.urls[0]!)
    await signIn('Grace.Hopper')
    await expect(page.getByText('@grace_hopper is free')).toBeVisible()
    await page.reload()
    await expect(page.getByLabel('Username')).toHaveValue('grace_hopper')
    await page.getByRole('button', { name: 'Use another sign-in' }).click()
    await signIn('amazing_grace')
    await expect(page.getByLabel('Username')).toHaveValue('amazing_grace')
    await page.getByRole('button', { name: 'Start' }).click()
    await expect(page.getByRole('heading', { name: 'Chats' })).toBeVisible()
    await grace.close()
  })

  test('from Welcome to the first sent message there are at most twelve clicks and fields', async ({ browser }) => {
    const olga = await BrowserPerson.create(browser, 'olga')
    await olga.signUp(network.urls[0]!)
    const carol = await BrowserPerson.create(browser, 'carol')
    const { page } = carol
    const steps = await countSteps(carol.context)
    await carol.signUp(network.urls[0]!)
    await page.getByRole('link', { name: 'New chat' }).first().click()
    await page.getByLabel('Find by username').fill('@olga')
    await page.getByRole('button', { name: 'Find', exact: true }).click()
    // A new name is looked for again by itself.
    await page
      .getByRole('button', { name: /^Message / })
      .first()
      .click({ timeout: 30_000 })
    await carol.write('Hello')
    await carol.expectTick('Hello', 'sent')
    expect(steps()).toBeGreaterThan(9)
    expect(steps()).toBeLessThanOrEqual(12)
    await Promise.all([olga.close(), carol.close()])
  })

  test('R14 and R15: a profile is shown to everybody who knows the name, and an account elsewhere finds its owner', async ({
    browser
  }) => {
    const mila = await BrowserPerson.create(browser, 'mila')
    const { page } = mila
    await mila.signUp(network.urls[0]!)
    await page.getByRole('navigation').getByRole('link', { name: 'You' }).click()
    await page.getByRole('button', { name: 'Edit profile' }).click()
    await page.getByLabel('About me').fill('Mila of the mills')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('button', { name: 'Link Demo sign-in' }).click()
    await page.getByLabel('Demo user name').fill('mila_elsewhere')
    await page.getByRole('button', { name: 'Sign in' }).click()
    // A choice shows once it is kept.
    const choose = async (role: 'checkbox' | 'radio', name: RegExp) => {
      await page.getByRole(role, { name }).click()
      await expect(page.getByRole(role, { name })).toBeChecked()
    }
    await choose('checkbox', /^Others see/)
    await choose('radio', /^Everybody who knows/)
    await choose('checkbox', /^Let people find me/)
    const dora = await BrowserPerson.create(browser, 'dora')
    await dora.signUp(network.urls[0]!)
    await dora.page.getByRole('link', { name: 'New chat' }).first().click()
    await dora.page.getByLabel('Find by username').fill('demo:mila_elsewhere')
    await expect(async () => {
      await dora.page.getByRole('button', { name: 'Find', exact: true }).click()
      await expect(dora.page.getByText('@mila')).toBeVisible({ timeout: 5_000 })
    }).toPass({ timeout: 90_000 })
    await dora.page
      .getByRole('button', { name: /^Message / })
      .first()
      .click()
    await dora.page.getByRole('link', { name: 'Mila @mila' }).click()
    await expect(dora.page.getByText('Mila of the mills')).toBeVisible({ timeout: 30_000 })
    await Promise.all([mila.close(), dora.close()])
  })
})
