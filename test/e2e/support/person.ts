import { expect, type Browser, type BrowserContext, type Locator, type Page } from '@playwright/test'

/** A person with a browser profile of their own. */
export class BrowserPerson {
  readonly name: string
  readonly context: BrowserContext
  page: Page

  private constructor(name: string, context: BrowserContext, page: Page) {
    this.name = name
    this.context = context
    this.page = page
  }

  /** @param options - viewport, colour scheme and the like. */
  static async create(
    browser: Browser,
    name: string,
    options: Parameters<Browser['newContext']>[0] = {}
  ): Promise<BrowserPerson> {
    const context = await browser.newContext(options)
    return new BrowserPerson(name, context, await context.newPage())
  }

  /** From the welcome screen to the chats, as a newcomer goes. */
  async signUp(url: string): Promise<void> {
    await this.page.goto(url)
    await this.signUpFromHere()
    await expect(this.page.getByRole('heading', { name: 'Chats' })).toBeVisible()
  }

  /** The same from the welcome screen that is open. */
  async signUpFromHere(): Promise<void> {
    const { page, name } = this
    await page.getByRole('button', { name: 'Continue with demo sign-in' }).click()
    await page.getByLabel('Demo user name').fill(name)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByLabel('Username').fill(name)
    await expect(page.getByText(`@${name} is free`)).toBeVisible()
    await page.getByLabel('Name shown to people you write to').fill(displayNameOf(name))
    await page.getByRole('button', { name: 'Start' }).click()
  }

  /** Finds a person by username and opens the conversation. */
  async startChatWith(username: string): Promise<void> {
    const { page } = this
    await page.getByRole('link', { name: 'New chat' }).first().click()
    const field = page.getByLabel('Find by username')
    await field.fill(`@${username}`)
    // A new name can be found once its claim is in a block.
    await expect(async () => {
      await page.getByRole('button', { name: 'Find', exact: true }).click()
      await expect(page.getByRole('button', { name: /^Message / }).first()).toBeVisible({ timeout: 2_000 })
    }).toPass({ timeout: 90_000 })
    await page
      .getByRole('button', { name: /^Message / })
      .first()
      .click()
    await expect(this.composer()).toBeVisible()
  }

  /** Opens a conversation from the list by its title; one that a stranger began is among the requests. */
  async openChat(title: string): Promise<void> {
    const chat = this.page.getByRole('link', { name: new RegExp(title) }).first()
    const requests = this.page.getByRole('button', { name: /message requests?$/ })
    await expect(chat.or(requests).first()).toBeVisible({ timeout: 90_000 })
    if (!(await chat.isVisible())) await requests.click()
    await chat.click()
    await expect(this.composer()).toBeVisible()
  }

  composer(): Locator {
    return this.page.getByRole('textbox', { name: /^Write / })
  }

  async write(text: string): Promise<void> {
    await this.composer().fill(text)
    await this.composer().press('Enter')
    await expect(this.message(text)).toBeVisible()
  }

  /** The note that shows this text. */
  message(text: string): Locator {
    return this.page.getByRole('article').filter({ hasText: text })
  }

  /** Waits until an own message has reached one of these states. */
  async expectTick(text: string, ...states: ('sent' | 'delivered' | 'read')[]): Promise<void> {
    await expect(this.message(text)).toHaveAccessibleName(new RegExp(`(${states.join('|')})$`), { timeout: 90_000 })
  }

  async close(): Promise<void> {
    await this.context.close()
  }
}

/** What others see: the username with a capital. */
export const displayNameOf = (username: string): string => username[0]!.toUpperCase() + username.slice(1)
