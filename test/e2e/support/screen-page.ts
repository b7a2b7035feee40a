/** Brings a page to a screen, and looks at what is wrong there. */
import type { BrowserContextOptions, Page } from '@playwright/test'
import { LANGUAGES, type LanguageTag } from '../../../web/src/i18n/language.ts'
import { WORLD_CHANNEL } from '../../support/fake-peer.ts'
import type { Screen } from '../screens/screen.ts'
import type { View, Walk } from '../screens/views.ts'

/** A page on which nothing has changed for so long shows what it is going to show. */
const QUIET_MS = 100

/**
 * Opens a screen in a page of its own, or in that of the screen before.
 * @param origin - where the fixture build is served. @param language - of the page's context.
 */
export async function openScreen(
  page: Page,
  origin: string,
  screen: Screen,
  language: LanguageTag = 'en'
): Promise<void> {
  const words = await LANGUAGES[language].load()
  if (page.url() !== 'about:blank') await leaveApp(page, origin)
  await page.goto(`${origin}/${screen.hash?.startsWith('#/signed-in') ? screen.hash : ''}`)
  await page.locator('#app > *').first().waitFor()
  await page.getByText(words.welcome.continueDemo).first().waitFor()
  await page.evaluate(([channel, world]) => new BroadcastChannel(channel).postMessage(world), [
    WORLD_CHANNEL,
    screen.world()
  ] as const)
  if (screen.world().snapshot.stage === 'ready') await page.getByRole('navigation').waitFor({ state: 'attached' })
  if (screen.world().snapshot.stage === 'choose-name') await page.getByLabel(words.name.username).waitFor()
  if (screen.hash && !screen.hash.startsWith('#/signed-in')) {
    await page.evaluate(hash => (location.hash = hash), screen.hash)
  }
  await page.evaluate(() => document.fonts.ready)
  await screen.act?.(page, words)
  await settled(page)
}

/**
 * Goes to a picture of the same origin, and stays until the app's worker has ended: a shared worker outlives its
 * page for a moment, and the next page would show what that worker still knows.
 */
async function leaveApp(page: Page, origin: string): Promise<void> {
  await page.goto(`${origin}/icon.svg`)
  await page.waitForFunction(async () => (await navigator.locks.query()).held?.length === 0)
}

/** Waits until nothing on the page changes, and fades have ended: a half faded text has half its contrast. */
async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector('[aria-busy=true]') === null)
  await page.evaluate(async quietMs => {
    await new Promise<void>(resolve => {
      let quiet = setTimeout(resolve, quietMs)
      new MutationObserver(() => {
        clearTimeout(quiet)
        quiet = setTimeout(resolve, quietMs)
      }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true })
    })
    const ending = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity)
    // An animation that is taken away is one that ended.
    await Promise.allSettled(ending.map(animation => animation.finished))
  }, QUIET_MS)
}

/** The options of a context whose pages begin in a view; {@link changeView} leads to others. */
export function contextOptions(walk: Walk, { viewport, colorScheme, language } = walk.first): BrowserContextOptions {
  return { ...walk.options, viewport, colorScheme, locale: language }
}

/** Changes size and colours of the window. */
export async function changeWindow(page: Page, { viewport, colorScheme }: View): Promise<void> {
  await page.emulateMedia({ colorScheme })
  await page.setViewportSize(viewport)
}

/** Shows the page that is open in another view; the next page begins as {@link prepareView} says. */
export async function changeView(page: Page, view: View): Promise<void> {
  await changeWindow(page, view)
  await page.evaluate(({ language, textSize }) => {
    document.documentElement.style.fontSize = textSize ?? ''
    // As another tab does in which the language is chosen.
    localStorage.setItem('volo-language', language)
    dispatchEvent(new StorageEvent('storage', { key: 'volo-language', newValue: language }))
  }, view)
  await page.waitForFunction(language => document.documentElement.lang === language, view.language)
  await settled(page)
}

/** Sets the text size of every page to come, and lets none of them find what another one kept. */
export async function prepareView(page: Page, { textSize }: View): Promise<void> {
  await page.addInitScript(size => {
    if (location.protocol !== 'about:') localStorage.clear()
    document.addEventListener('DOMContentLoaded', () => {
      if (size) document.documentElement.style.fontSize = size
    })
  }, textSize)
}

/**
 * Watches a page.
 * @returns what the page reported as errors since the last call, the policy's among them, and whether it needs sideways scrolling.
 */
export function pageFaults(page: Page): () => Promise<string[]> {
  const faults: string[] = []
  page.on('console', message => message.type() === 'error' && faults.push(message.text()))
  page.on('pageerror', error => faults.push(String(error)))
  return async () => {
    const isWider = await page.evaluate(() =>
      [...document.querySelectorAll('html, body *')].some(element => {
        const scrolls = element === document.documentElement || /auto|scroll/.test(getComputedStyle(element).overflowX)
        return scrolls && element.scrollWidth > element.clientWidth + 1
      })
    )
    return [...faults.splice(0), ...(isWider ? ['something is wider than the window'] : [])]
  }
}
