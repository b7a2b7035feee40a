import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, type Page } from '@playwright/test'
import { WORLD_CHANNEL } from '../support/fake-peer.ts'
import { FIXTURE_FOLDER, serveApp } from '../support/fixture-app.ts'
import { busyWorld } from '../support/fixture-world.ts'

let folder: string
let app: Awaited<ReturnType<typeof serveApp>>

test.beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'volo-app-'))
  await cp(FIXTURE_FOLDER, folder, { recursive: true })
  app = await serveApp(folder)
})

test.afterEach(async () => {
  await app.stop()
  await rm(folder, { recursive: true })
})

const welcome = (page: Page) => page.getByRole('button', { name: 'Continue with demo sign-in' })
const offlineReady = (page: Page) => page.evaluate(async () => void (await navigator.serviceWorker.ready))
const show = (page: Page) =>
  page.evaluate(([channel, world]) => new BroadcastChannel(channel).postMessage(world), [
    WORLD_CHANNEL,
    busyWorld()
  ] as const)

/** Puts another version of the app where this one is served from. */
async function release(mark: string): Promise<void> {
  const page = join(folder, 'index.html')
  await writeFile(
    page,
    (await readFile(page, 'utf8')).replace('<title>', `<meta name="mark" content="${mark}" /><title>`)
  )
  const worker = join(folder, 'service-worker.js')
  const script = await readFile(worker, 'utf8')
  const released = script.replace(/(index\.html.{1,16}revision.{1,3})[0-9a-f]{32}/, `$1${mark}`)
  expect(released).not.toBe(script)
  await writeFile(worker, released)
}

test('the app opens when the node that served it is gone', async ({ page }) => {
  await page.goto(app.origin)
  await offlineReady(page)
  await app.stop()
  await page.reload()
  await expect(welcome(page)).toBeVisible()
})

test('a new version is offered, and comes in every tab once one accepts it', async ({ page, context }) => {
  const mark = (tab: Page) =>
    tab.evaluate(() => document.querySelector('meta[name=mark]')?.getAttribute('content') ?? null)
  await page.goto(app.origin)
  await offlineReady(page)
  await page.reload()
  await release('second')
  const other = await context.newPage()
  await other.goto(app.origin)
  await page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()))
  for (const tab of [page, other]) await expect(tab.getByText('A new version of Volo is ready.')).toBeVisible()
  await other.reload()
  expect(await mark(other)).toBeNull()
  await page.getByRole('button', { name: 'Update now' }).click()
  for (const tab of [page, other]) {
    await expect(async () => expect(await mark(tab)).toBe('second')).toPass()
    await expect(welcome(tab)).toBeVisible()
  }
})

test('a new version that nobody accepted waits while a tab is open, and starts once every tab was closed', async ({
  page,
  context
}) => {
  const mark = (tab: Page) =>
    tab.evaluate(() => document.querySelector('meta[name=mark]')?.getAttribute('content') ?? null)
  await page.goto(app.origin)
  await offlineReady(page)
  await page.reload()
  await release('second')
  await page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()))
  await page.getByRole('button', { name: 'Later' }).click()
  await page.reload()
  await expect(welcome(page)).toBeVisible()
  expect(await mark(page)).toBeNull()
  const next = await context.newPage()
  await page.close()
  await expect(async () => {
    await next.goto('about:blank')
    await next.goto(app.origin)
    expect(await mark(next)).toBe('second')
  }).toPass()
})

test('a new version that one tab accepts reaches a tab that was open before the first one was kept', async ({
  page,
  context
}) => {
  await page.goto(app.origin)
  await offlineReady(page)
  const other = await context.newPage()
  await other.goto(app.origin)
  await expect(welcome(other)).toBeVisible()
  await release('second')
  await other.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()))
  await other.getByRole('button', { name: 'Update now' }).click()
  for (const tab of [other, page]) {
    await expect(tab.locator('meta[name=mark]')).toHaveAttribute('content', 'second')
    await expect(welcome(tab)).toBeVisible()
  }
})

test('a kept app may connect to nodes that were listed after it was kept', async ({ page }) => {
  const newcomer = 'https://newcomer.example'
  const policy = () =>
    page.evaluate(async () => (await caches.match('/index.html'))?.headers.get('content-security-policy') ?? '')
  await page.goto(app.origin)
  await offlineReady(page)
  expect(await policy()).not.toContain(newcomer)
  const { port } = new URL(app.origin)
  await app.stop()
  app = await serveApp(folder, { nodes: [newcomer], port: Number(port) })
  await page.reload()
  await expect.poll(policy).toContain(newcomer)
})

for (const shared of [true, false]) {
  test(`closing the first tab does not disturb the others ${shared ? 'with' : 'without'} shared workers`, async ({
    context
  }) => {
    if (!shared) await context.addInitScript(() => Reflect.deleteProperty(globalThis, 'SharedWorker'))
    const first = await context.newPage()
    await first.goto(app.origin)
    await expect(welcome(first)).toBeVisible()
    const second = await context.newPage()
    await second.goto(app.origin)
    await expect(welcome(second)).toBeVisible()
    await first.close()
    // Once the peer has an owner again, it shows the world that a page sends.
    await expect(async () => {
      await show(second)
      await expect(second.getByRole('heading', { name: 'Chats' })).toBeVisible({ timeout: 1_000 })
    }).toPass()
    await second.getByRole('link', { name: /Charles Babbage/ }).click()
    await second.getByRole('textbox', { name: 'Write to Charles Babbage' }).fill('Still here')
    await second.keyboard.press('Enter')
    await expect(second.getByRole('article', { name: /delivered$/ }).filter({ hasText: 'Still here' })).toBeVisible()
  })
}

test('when the tab that the shared worker lives in crashes, the others start another one', async ({ context }) => {
  const first = await context.newPage()
  await first.goto(app.origin)
  await expect(welcome(first)).toBeVisible()
  const second = await context.newPage()
  await second.goto(app.origin)
  await expect(welcome(second)).toBeVisible()
  await show(second)
  await second.getByRole('link', { name: /Charles Babbage/ }).click()
  const box = second.getByRole('textbox', { name: 'Write to Charles Babbage' })
  const crashed = first.waitForEvent('crash')
  // Never answered, since the page is gone.
  void (await context.newCDPSession(first)).send('Page.crash').catch(() => undefined)
  await crashed
  // Another peer has started; it shows the world that a page sends.
  await expect(welcome(second)).toBeVisible()
  await show(second)
  await box.fill('Still here')
  await second.keyboard.press('Enter')
  await expect(second.getByRole('article', { name: /delivered$/ }).filter({ hasText: 'Still here' })).toBeVisible()
})

test('the one-time code of a sign-in leaves the address bar and the history', async ({ page }) => {
  await page.goto(`${app.origin}/#/signed-in?code=0123456789`)
  await expect(page.getByLabel('Username')).toBeVisible()
  expect(page.url()).not.toContain('0123456789')
  expect(await page.evaluate(() => history.length)).toBeLessThanOrEqual(2)
})

test('the app can be installed: its manifest and icons are there', async ({ page, request }) => {
  await page.goto(app.origin)
  const address = await page.locator('link[rel=manifest]').getAttribute('href')
  const manifest = await (await request.get(new URL(address!, `${app.origin}/`).href)).json()
  expect(manifest).toMatchObject({ name: 'Volo', display: 'standalone', start_url: './' })
  for (const { src } of manifest.icons)
    expect((await request.get(new URL(src, `${app.origin}/`).href)).status()).toBe(200)
})
