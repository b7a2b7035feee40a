/**
 * Pictures of every screen, and an accessibility check of each: `vite build web --mode fixture`, then
 * `node test/e2e/screenshots.ts FOLDER [NAME…]`. Prints one JSON line for each picture with the violations found, and ends
 * with 1 if there were any.
 */
import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium, type Browser } from '@playwright/test'
import { FIXTURE_FOLDER, serveApp } from '../support/fixture-app.ts'
import { openScreen, SCREENS, type Screen } from './screens.ts'

const VIEWS = [
  { name: 'wide', width: 1280, height: 800, touch: false },
  { name: 'phone', width: 375, height: 740, touch: true }
]
const SCHEMES = ['light', 'dark'] as const
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

interface AxeWindow {
  axe: { run(root: Document, options: unknown): Promise<{ violations: AxeViolation[] }> }
}

interface AxeViolation {
  id: string
  nodes: { target: string[]; failureSummary: string }[]
}

const [folder = 'test-results/screens', ...wanted] = process.argv.slice(2)
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

async function picture(
  browser: Browser,
  origin: string,
  screen: Screen,
  view: (typeof VIEWS)[number],
  colorScheme: (typeof SCHEMES)[number]
): Promise<number> {
  const context = await browser.newContext({
    viewport: { width: view.width, height: view.height },
    hasTouch: view.touch,
    isMobile: view.touch,
    colorScheme,
    serviceWorkers: 'block'
  })
  const page = await context.newPage()
  const errors: string[] = []
  page.on('console', message => message.type() === 'error' && errors.push(message.text()))
  page.on('pageerror', error => errors.push(String(error)))
  await openScreen(page, origin, screen)
  const file = join(folder, `${screen.name}-${view.name}-${colorScheme}.png`)
  await page.screenshot({ path: file, animations: 'disabled' })
  await page.evaluate(axe)
  const { violations } = await page.evaluate(
    options => (globalThis as unknown as AxeWindow).axe.run(document, options),
    { runOnly: TAGS }
  )
  await context.close()
  const found = violations.map(({ id, nodes }) => ({ id, at: nodes.map(node => node.target.join(' ')) }))
  console.log(JSON.stringify({ picture: file, violations: found, errors }))
  return found.length + errors.length
}

await mkdir(folder, { recursive: true })
const app = await serveApp(FIXTURE_FOLDER)
const executablePath = process.env['VOLO_CHROMIUM'] ?? '/usr/bin/chromium'
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking']
})
let problems = 0
for (const screen of SCREENS) {
  if (wanted.length > 0 && !wanted.includes(screen.name)) continue
  for (const view of VIEWS) {
    for (const scheme of SCHEMES) problems += await picture(browser, app.origin, screen, view, scheme)
  }
}
await browser.close()
await app.stop()
process.exitCode = problems > 0 ? 1 : 0
