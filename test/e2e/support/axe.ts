import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from '@playwright/test'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface AxeResult {
  violations: { id: string; help: string; nodes: { html: string }[] }[]
}

/** All rules, or only those whose verdict depends on colours, sizes and the window. */
export type AxeRules = 'all' | 'looks'

const RUN_ONLY: Record<AxeRules, object> = {
  all: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] },
  looks: {
    type: 'rule',
    values: ['aria-hidden-focus', 'color-contrast', 'link-in-text-block', 'scrollable-region-focusable', 'target-size']
  }
}

/** Accessibility faults of the page as it is now (WCAG 2.2 A and AA), one line each. */
export async function accessibilityFaults(page: Page, rules: AxeRules = 'all'): Promise<string[]> {
  // Evaluated, not added as a script: the page's content policy forbids the latter, as it should.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(source)
  const result = await page.evaluate(async runOnly => {
    const axe = (globalThis as unknown as { axe: { run(root: Document, options: object): Promise<AxeResult> } }).axe
    // Without this, axe also describes every element that passed.
    return axe.run(document, { runOnly, resultTypes: ['violations'] })
  }, RUN_ONLY[rules])
  return result.violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes[0]?.html.slice(0, 120)})`)
}
