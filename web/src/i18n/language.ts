import type { Catalogue } from './catalogue.ts'
import { Dates } from './dates.ts'

/** A language that Volo speaks, as the first part of a BCP 47 tag. */
export type LanguageTag = 'en' | 'de' | 'ar'

/** Words and dates of one language. */
export interface Language {
  words: Catalogue
  dates: Dates
}

/** The language of the page. */
export interface SpokenLanguage extends Language {
  tag: LanguageTag
  /** How its text runs; for the `dir` of the document. */
  direction: 'ltr' | 'rtl'
}

/** What is known about a language before its words are fetched. */
export interface LanguageFacts {
  /** Its name in itself, so that its speakers find it in any list. */
  name: string
  direction: SpokenLanguage['direction']
  load: () => Promise<Catalogue>
}

/** Every language, in the order in which they are offered. The words of each are a file of their own, fetched when needed. */
export const LANGUAGES: Record<LanguageTag, LanguageFacts> = {
  en: { name: 'English', direction: 'ltr', load: async () => (await import('./en/en.ts')).en },
  de: { name: 'Deutsch', direction: 'ltr', load: async () => (await import('./de/de.ts')).de },
  ar: { name: 'العربية', direction: 'rtl', load: async () => (await import('./ar/ar.ts')).ar }
}

const FALLBACK: LanguageTag = 'en'

/**
 * Finds the first language of the person that Volo speaks, English otherwise.
 *
 * @param preferred - BCP 47 tags, most wanted first.
 * @returns the language, and the tag whose regional form its dates follow.
 */
export function chooseLanguage(preferred: readonly string[]): { tag: LanguageTag; region: string } {
  for (const region of preferred) {
    const tag = languageOf(region)
    if (tag) return { tag, region }
  }
  return { tag: FALLBACK, region: FALLBACK }
}

/** Fetches the words of {@link chooseLanguage}; the fallback's if those cannot be fetched. */
export async function loadLanguage(preferred: readonly string[]): Promise<SpokenLanguage> {
  const { tag, region } = chooseLanguage(preferred)
  try {
    return { tag, direction: LANGUAGES[tag].direction, words: await LANGUAGES[tag].load(), dates: new Dates(region) }
  } catch (error) {
    if (tag === FALLBACK) throw error
    return loadLanguage([FALLBACK])
  }
}

/** The language of a tag such as `de-AT`, null if Volo does not speak it. */
export function languageOf(tag: string): LanguageTag | null {
  const first = tag.toLowerCase().split('-')[0] ?? ''
  return Object.hasOwn(LANGUAGES, first) ? (first as LanguageTag) : null
}
