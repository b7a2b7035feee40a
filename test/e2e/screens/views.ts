import type { BrowserContextOptions } from '@playwright/test'
import type { LanguageTag } from '../../../web/src/i18n/language.ts'

/** A window, and the language that is spoken in it. */
export interface View {
  name: string
  viewport: { width: number; height: number }
  colorScheme: 'light' | 'dark'
  language: LanguageTag
  /** Size of the root's text, such as 200%. */
  textSize?: string
}

/** Views that one page goes through: opening a screen costs more than looking at it. */
export interface Walk {
  name: string
  options: BrowserContextOptions
  /** Every screen is opened and looked at in this view. */
  first: View
  /** The {@link TELLING} screens are looked at in these views as well, in the page that is open. */
  then: View[]
}

/** Screens that hold every kind of component between them. */
export const TELLING = new Set([
  'name-free',
  'chats',
  'thread-end',
  'thread-person',
  'thread-check',
  'thread-menu',
  'thread-said',
  'group-new',
  'group-page',
  'thread-files',
  'backup',
  'restore',
  'thread-alert',
  'person-details',
  'you',
  'devices-remove',
  'lock-set',
  'locked',
  'public-record-technical',
  'switcher',
  'join',
  'add-device',
  'recovery-code'
])

const desktop: BrowserContextOptions = { serviceWorkers: 'block' }
const phone: BrowserContextOptions = { serviceWorkers: 'block', hasTouch: true, isMobile: true }

/** The windows in which screens are looked at. */
export const WALKS: Walk[] = [
  {
    name: 'wide-light, wide-dark, tablet',
    options: desktop,
    first: { name: 'wide-light', viewport: { width: 1280, height: 800 }, colorScheme: 'light', language: 'en' },
    then: [
      { name: 'wide-dark', viewport: { width: 1280, height: 800 }, colorScheme: 'dark', language: 'en' },
      { name: 'tablet', viewport: { width: 900, height: 700 }, colorScheme: 'light', language: 'en' }
    ]
  },
  {
    name: 'narrow-dark-arabic, phone-light, large-text',
    options: phone,
    first: {
      name: 'narrow-dark-arabic',
      viewport: { width: 320, height: 640 },
      colorScheme: 'dark',
      language: 'ar'
    },
    then: [
      { name: 'phone-light', viewport: { width: 375, height: 740 }, colorScheme: 'light', language: 'en' },
      {
        name: 'large-text',
        viewport: { width: 375, height: 740 },
        colorScheme: 'light',
        language: 'en',
        textSize: '200%'
      }
    ]
  }
]
