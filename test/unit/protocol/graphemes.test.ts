import { expect, test } from 'vitest'
import { cutText, graphemesOf } from '../../../protocol/graphemes.ts'

test('a text that fits is not cut', () => {
  expect(cutText('Ada 👩🏽‍🚀', 11)).toBe('Ada 👩🏽‍🚀')
})

test('a cut falls between two graphemes, never inside an emoji, a flag or a marked letter', () => {
  expect(cutText('Ada 👩🏽‍🚀', 10)).toBe('Ada ')
  expect(cutText('🇮🇹🇮🇹', 6)).toBe('🇮🇹')
  expect(cutText('e\u0301e\u0301', 3)).toBe('e\u0301')
  expect(cutText('a'.repeat(19_999) + '😀 and more', 20_000)).toBe('a'.repeat(19_999))
})

test('of one endless grapheme a part is left, in whole code points', () => {
  expect(cutText('e' + '\u0301'.repeat(50), 10)).toHaveLength(10)
  expect(cutText('👩\u200d👩\u200d👩', 4)).toBe('👩\u200d')
})

test('graphemes are what people count as characters', () => {
  expect(graphemesOf('a👨‍👩‍👧क्षe\u0301')).toEqual(['a', '👨‍👩‍👧', 'क्ष', 'e\u0301'])
})
