import { Dates } from './dates.ts'
import type { Catalogue } from './catalogue.ts'
import { en } from './en/en.ts'

/** Words and dates of one language. */
export interface Language {
  words: Catalogue
  dates: Dates
}

const CATALOGUES: Record<string, Catalogue> = { en }

/**
 * The first language of the person that Volo speaks, English otherwise. Dates follow the regional form of that language.
 * @param preferred - BCP 47 tags, most wanted first.
 */
export function chooseLanguage(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    const words = CATALOGUES[tag.toLowerCase().split('-')[0] ?? '']
    if (words) return { words, dates: new Dates(tag) }
  }
  return { words: en, dates: new Dates(en.locale) }
}
