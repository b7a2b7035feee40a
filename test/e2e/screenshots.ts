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

interface View {
  name: string
  width: number
  height: number
  touch: boolean
  schemes: readonly ('light' | 'dark')[]
  /** Right to left, and text at double size, in one: both are about room. */
  rightToLeft?: boolean
  rootSize?: string
}

const VIEWS: View[] = [
  { name: 'wide', width: 1280, height: 800, touch: false, schemes: ['light', 'dark'] },
  { name: 'tablet', width: 900, height: 700, touch: false, schemes: ['light'] },
  { name: 'phone', width: 375, height: 740, touch: true, schemes: ['light', 'dark'] },
  { name: 'narrow-rtl', width: 320, height: 640, touch: true, schemes: ['dark'], rightToLeft: true },
  { name: 'large-text', width: 375, height: 740, touch: true, schemes: ['light'], rootSize: '200%' }
]
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

interface AxeWindow {
  axe: { run(root: Document, options: unknown): Promise<{ violations: AxeViolation[] }> }
}

interface AxeViolation {
  id: string
  nodes: { target: string[]; failureSummary: string }[]
}

const views = (process.env['VIEWS'] ?? '').split(',').filter(Boolean)
const [folder = 'test-results/screens', ...wanted] = process.argv.slice(2)
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

async function picture(
  browser: Browser,
  origin: string,
  screen: Screen,
  view: View,
  colorScheme: 'light' | 'dark'
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
  await page.addInitScript(
    ({ rightToLeft, rootSize }) => {
      document.addEventListener('DOMContentLoaded', () => {
        if (rightToLeft) document.documentElement.dir = 'rtl'
        if (rootSize) document.documentElement.style.fontSize = rootSize
      })
    },
    { rightToLeft: view.rightToLeft, rootSize: view.rootSize }
  )
  await openScreen(page, origin, screen)
  const file = join(folder, `${screen.name}-${view.name}-${colorScheme}.png`)
  await page.screenshot({ path: file, animations: 'disabled' })
  await page.evaluate(axe)
  const { violations } = await page.evaluate(
    options => (globalThis as unknown as AxeWindow).axe.run(document, options),
    { runOnly: TAGS }
  )
  // Nothing may need sideways scrolling.
  const overflow = await page.evaluate(() =>
    [...document.querySelectorAll('html, body *')].some(element => {
      const scrolls = element === document.documentElement || /auto|scroll/.test(getComputedStyle(element).overflowX)
      return scrolls && element.scrollWidth > element.clientWidth + 1
    })
  )
  if (overflow) errors.push('wider than the window')
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
    if (views.length > 0 && !views.includes(view.name)) continue
    for (const scheme of view.schemes) problems += await picture(browser, app.origin, screen, view, scheme)
  }
}
await browser.close()
await app.stop()
process.exitCode = problems > 0 ? 1 : 0
