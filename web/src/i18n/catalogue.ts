/**
 * How to add a word: put it into the file of its screen in `en/`, then into the file of the same name in `de/` and `ar/`.
 * The type below asks for all three. A sentence with facts is a function; one that counts uses `plural` with the forms of
 * the language (Arabic: `one`, `two`, `few`, `many`, `other`). Arabic wraps names, addresses and `@username` in
 * `isolated(…)`. `test/unit/web/catalogue.test.ts` looks for missing facts, words left in English, and expert words.
 */
import type { en } from './en/en.ts'

/** What a language has to provide: every key of the English one, with the same facts for each sentence. */
export type Catalogue = typeof en
