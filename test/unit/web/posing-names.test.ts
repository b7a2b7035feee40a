import { describe, expect, it } from 'vitest'
import { parseDisplayName } from '../../../protocol/identity/display-name.ts'
import { namesakesOf } from '../../../web/src/state/person-name.ts'
import { isWebAddress, textParts } from '../../../web/src/state/text-parts.ts'
import { person } from '../../support/fixture-world.ts'
import { HOSTILE_TEXTS, POSING_NAMES } from '../../support/hostile-texts.ts'

describe('a name that strangers choose', () => {
  it('is refused, or is told apart by the username, where it poses as another', () => {
    const bob = person('Bob')
    const posing = POSING_NAMES.filter(text => {
      const { name } = parseDisplayName(text)
      if (name === null) return false
      const other = person('Mallory', { displayName: name })
      return /bob/i.test(name) && !namesakesOf([bob, other]).has(other.accountId)
    })
    expect(posing).toEqual([])
  })

  it('never holds markup', () => {
    const markup = HOSTILE_TEXTS.filter(text => /[<>]/.test(text))
    expect(markup.length).toBeGreaterThan(150)
    expect(markup.filter(text => parseDisplayName(text).name !== null)).toEqual([])
  })
})

describe('a message of any text', () => {
  it('has links to web pages only, and loses no letter', () => {
    for (const text of HOSTILE_TEXTS) {
      const parts = textParts(text)
      expect(parts.map(part => part.text).join('')).toBe(text)
      expect(parts.every(({ href }) => href === null || isWebAddress(href))).toBe(true)
    }
  })
})
