import type { en } from './en/en.ts'

/** What a language has to provide: every key of the English one, with the same facts for each sentence. */
export type Catalogue = typeof en
