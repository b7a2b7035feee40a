/**
 * Pictures of every screen, to be looked at: `node test/e2e/screenshots.ts [FOLDER] [NAME…]`, where a name is that of a screen
 * or of a view. The same screens are checked by screens.spec.ts.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium } from '@playwright/test'
import { buildFixture, FIXTURE_FOLDER, serveApp } from '../support/fixture-app.ts'
import { SCREENS_BY_AREA } from './screens/all-screens.ts'
import { WALKS } from './screens/views.ts'
import { contextOptions, openScreen, prepareView } from './support/screen-page.ts'

const [folder = 'test-results/screens', ...names] = process.argv.slice(2)
const chosen = <T extends { name: string }>(all: T[]): T[] => {
  const some = all.filter(({ name }) => names.includes(name))
  return some.length > 0 ? some : all
}

await mkdir(folder, { recursive: true })
await buildFixture()
const app = await serveApp(FIXTURE_FOLDER)
const executablePath = process.env['VOLO_CHROMIUM'] ?? '/usr/bin/chromium'
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
const views = WALKS.flatMap(walk => [walk.first, ...walk.then].map(view => ({ ...view, walk })))
const phone = views.find(({ name }) => name === 'phone-light')
// Looked at by people only: that dark colours can be read is checked in a wide window.
if (phone) views.push({ ...phone, name: 'phone-dark', colorScheme: 'dark' })
for (const view of chosen(views)) {
  for (const screen of chosen(Object.values(SCREENS_BY_AREA).flat())) {
    const context = await browser.newContext(contextOptions(view.walk, view))
    const page = await context.newPage()
    await prepareView(page, view)
    await openScreen(page, app.byName, screen, view.language)
    const path = join(folder, `${screen.name}-${view.name}.png`)
    await page.screenshot({ path, animations: 'disabled' })
    await context.close()
    console.log(path)
  }
}
await browser.close()
await app.stop()
