import type { BrowserContext } from '@playwright/test'

/**
 * Counts what a person does in every page of a context: a click on something, a field that is filled, Enter in a text.
 * @returns how many there were so far.
 */
export async function countSteps(context: BrowserContext): Promise<() => number> {
  let steps = 0
  await context.exposeBinding('countStep', () => void steps++)
  await context.addInitScript(() => {
    const { countStep } = globalThis as unknown as { countStep: () => void }
    const filled = new WeakSet<EventTarget>()
    const listen = (type: string, isStep: (event: Event) => boolean): void =>
      addEventListener(type, event => event.isTrusted && isStep(event) && countStep(), true)
    listen('click', ({ target }) => (target as Element).closest('a, button, label, summary') !== null)
    listen('input', ({ target }) => {
      if (target === null || filled.has(target)) return false
      filled.add(target)
      return true
    })
    listen('keydown', event => (event as KeyboardEvent).key === 'Enter' && event.target instanceof HTMLTextAreaElement)
  })
  return () => steps
}
