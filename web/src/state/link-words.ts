import type { PersonLink } from '../../../peer/peer-api.ts'
import type { Language } from '../i18n/language.ts'

/** `x: ada`, or the host name of a site. */
export function linkName(link: PersonLink, words: Language['words']): string {
  if (link.kind === 'site') return link.site
  return link.handle === null ? words.accounts.anAccount(link.provider) : `${link.provider}: ${link.handle}`
}

/** What can be checked by anybody, and what is the word of one place. */
export function linkProof(link: PersonLink, language: Language): string {
  const words = language.words.accounts
  if (link.kind === 'site') {
    return { linked: words.siteLinked, 'not-linked': words.siteNotLinked, unknown: words.siteUnknown }[link.state]
  }
  if (link.checkedBy === null) return words.accountUnlisted
  const when = language.dates.dateTime(link.checkedAt)
  const place = new URL(link.checkedBy).host
  return link.state === 'old' ? words.accountOld(place, when) : words.accountSaid(place, when)
}
