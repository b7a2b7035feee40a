import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../../../protocol/codec.ts'
import { text } from '../../../../protocol/codec.ts'
import {
  displayNameCodec,
  displayNameOrEmpty,
  parseDisplayName,
  skeletonOfDisplayName
} from '../../../../protocol/identity/display-name.ts'
import { MAX_DISPLAY_NAME_UNITS } from '../../../../protocol/limits.ts'

describe('names of people are kept', () => {
  test.each([
    'Ada',
    'Ada Lovelace',
    'Anne-Marie O’Neill',
    "D'Arcy",
    'J. R. R. Tolkien',
    'Zoë',
    'Đặng Thị Hạnh',
    'Иван Петров',
    'Сара',
    'Ελένη',
    'محمد',
    'علی‌رضا',
    'דוד',
    'नरेन्द्र',
    'क्‍ष',
    '山田 太郎',
    'ヤマダ Taro',
    '김민수',
    'สมชาย',
    'ที่นี่',
    'क्षि',
    'தமிழ்',
    'მარიამ',
    'Ada (work)',
    'Иван / Ivan',
    'Ada 👩🏽‍🚀',
    '👨‍👩‍👧',
    '🏴󠁧󠁢󠁳󠁣󠁴󠁿 Rory',
    '🇮🇹 Ugo',
    '❤️',
    '3',
    'Bob_cli',
    'Yu',
    'Mei',
    'Supporter',
    'Royou'
  ])('%s', name => {
    expect(parseDisplayName(name)).toEqual({ name: name.normalize('NFKC'), fault: null })
  })
})

describe('names are brought into one form', () => {
  test.each([
    ['   Bob    ', 'Bob'],
    ['Ada\u00a0\u3000 L', 'Ada L'],
    ['Ｂｏｂ', 'Bob'],
    ['𝐁𝐨𝐛', 'Bob'],
    ['Zoe\u0308', 'Zoë']
  ])('%j becomes %j', (typed, name) => {
    expect(parseDisplayName(typed)).toEqual({ name, fault: null })
  })
})

describe('names that pose are refused', () => {
  test.each([
    ['', 'empty'],
    ['\u00a0', 'empty'],
    ['...', 'empty'],
    ['\u200b\u200b\u200b', 'hidden'],
    ['\u3164\u3164', 'hidden'],
    ['\ufe0f\ufe0f', 'hidden'],
    ['Bob\u202Egnp.exe', 'hidden'],
    ['\u2066Bob', 'hidden'],
    ['Bob\u200f', 'hidden'],
    ['Bo\u200db', 'hidden'],
    ['محمد\u200c', 'hidden'],
    ['Bo\u034fb', 'hidden'],
    ['Bob\u{e0041}\u{e0042}', 'hidden'],
    ['Bob\nVerified: you compared the safety number', 'hidden'],
    ['Bob\tcli', 'hidden'],
    ['Bob\u2028x', 'hidden'],
    ['\u001b[31mBob', 'hidden'],
    ['\ue000', 'hidden'],
    ['@bob', 'sign'],
    ['＠bob', 'sign'],
    ['Bob ✓', 'sign'],
    ['Bob ✔️', 'sign'],
    ['Bob ✅', 'sign'],
    ['🔒 Bob', 'sign'],
    ['Bob <b>', 'sign'],
    ['\u2800', 'sign'],
    ['B' + '\u0301\u0316'.repeat(20) + 'ob', 'sign'],
    ['\u0301Bob', 'sign'],
    ['\u0430da', 'mixed'],
    ['Bоb', 'mixed'],
    ['Αda', 'mixed'],
    ['You', 'reserved'],
    ['yоu', 'mixed'],
    ['ＹＯＵ', 'reserved'],
    ['Y.o.u', 'reserved'],
    ['Notes to self', 'reserved'],
    ['Notes  to\u00a0Self', 'reserved'],
    ['Bob verified', 'reserved'],
    ['Bob (VERlFIED)', 'reserved'],
    ['Bob v\u00e9rified', 'reserved'],
    ['A'.repeat(65), 'too-long'],
    ['A'.repeat(100_000), 'too-long'],
    ['😀'.repeat(33), 'too-long']
  ])('%j: %s', (typed, fault) => {
    expect(parseDisplayName(typed)).toEqual({ name: null, fault })
  })
})

test('a received name comes out of the parser in its normal form, and not at all if it is refused', () => {
  const received = (name: string) => decode(displayNameCodec, encode(text(1_000), name), { maxBytes: 1_000 })
  expect(received(' Ada ')).toBe('Ada')
  expect(received('Bob\u202Egnp.exe')).toBe('')
})

test('whatever is typed, what is kept is short, well formed, free of hidden characters, and stays as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), typed => {
      const name = displayNameOrEmpty(typed)
      expect(name.length).toBeLessThanOrEqual(MAX_DISPLAY_NAME_UNITS)
      expect(name.isWellFormed()).toBe(true)
      expect(name).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069\u200b]/u)
      expect(displayNameOrEmpty(name)).toBe(name)
    }),
    { numRuns: 2_000 }
  )
})

test('names that look alike have one skeleton', () => {
  expect(skeletonOfDisplayName('Сара')).toBe(skeletonOfDisplayName('Capa'))
  expect(skeletonOfDisplayName('Bob')).toBe(skeletonOfDisplayName('b0b'))
  expect(skeletonOfDisplayName('Ada')).not.toBe(skeletonOfDisplayName('Eva'))
})
