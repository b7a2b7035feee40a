import { describe, expect, test } from 'vitest'
import { foldedWords, hasWords } from '../../../../peer/search/folded-words.ts'

describe('folded words', () => {
  test.each([
    ['Straße', 'STRASSE'],
    ['Zoë', 'zoe'],
    ['ΟΔΥΣΣΕΥΣ', 'Οδυσσεύς'],
    ['ﬁne', 'fine'],
    ['Ｖｏｌｏ', 'volo'],
    ['İstanbul', 'istanbul'],
    ['مُحَمَّد', 'محمد'],
    ['مـــحمد', 'محمد'],
    ['שָׁלוֹם', 'שלום'],
    ['two\n\u2028 lines ', 'two lines'],
    ['in\u200bvisible\u2060', 'invisible']
  ])('%j and %j are the same', (one, other) => {
    expect(foldedWords(one)).toBe(foldedWords(other))
  })

  test('keep marks that make another letter', () => {
    expect(foldedWords('กิน')).not.toBe(foldedWords('กน'))
    expect(foldedWords('हिन्दी')).not.toBe(foldedWords('हन्द'))
    expect(foldedWords('が')).not.toBe(foldedWords('か'))
  })

  test('find half a syllable of Korean, and parts of words without spaces', () => {
    expect(foldedWords('한국어')).toContain(foldedWords('하'))
    expect(foldedWords('東京都に行く')).toContain(foldedWords('京都'))
  })

  test('nothing is left of a text that shows nothing', () => {
    expect(foldedWords(' \u200b\u0301\n')).toBe('')
  })

  test('have every word of a query, wherever each stands', () => {
    expect(hasWords('love ada', ['Ada', null, 'Lovelace', undefined])).toBe(true)
    expect(hasWords('love grace', ['Ada Lovelace'])).toBe(false)
  })
})
