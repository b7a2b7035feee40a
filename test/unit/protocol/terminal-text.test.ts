import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { terminalJson, terminalLine, terminalText } from '../../../protocol/terminal-text.ts'

describe('well-formed writing is printed as it is', () => {
  test.each([
    '👨‍👩‍👧',
    'نمی‌خواهم',
    '🏴󠁧󠁢󠁳󠁣󠁴󠁿',
    'क्‍ष',
    'a\tb',
    'two\nlines',
    '🇮🇹',
    '❤️',
    '👩🏽‍🚀 ready',
    '1️⃣',
    'שלום\u200f!',
    'e\u0301',
    '한국어',
    '🏳️‍🌈',
    '✔️'
  ])('%j', text => {
    expect(terminalText(text)).toBe(text)
  })
})

describe('what drives a terminal or turns text around is shown', () => {
  test.each([
    ['\u001b[2J', '\\u{1b}[2J'],
    ['\u009b31m', '\\u{9b}31m'],
    ['over\rwritten', 'over\\u{d}written'],
    ['back\b', 'back\\u{8}'],
    ['\u202Etxt.exe', '\\u{202e}txt.exe'],
    ['\u2066a\u2069', '\\u{2066}a\\u{2069}'],
    ['zero\u200bwidth', 'zero\\u{200b}width'],
    ['jo\u200din', 'jo\\u{200d}in'],
    ['\u{e0041}hidden', '\\u{e0041}hidden'],
    ['line\u2028break', 'line\\u{2028}break'],
    ['half \ud83d', 'half \\u{d83d}']
  ])('%j becomes %s', (text, shown) => {
    expect(terminalText(text)).toBe(shown)
  })

  test('in a line, line breaks are shown, too', () => {
    expect(terminalLine('label\nvolo-peer: all is well')).toBe('label\\u{a}volo-peer: all is well')
  })
})

const DRIVING = /(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/u

test('nothing that drives a terminal passes, as text or as JSON, and JSON keeps its meaning', () => {
  const strange = fc.constantFrom(
    '\u001b',
    '\u009b',
    '\u202e',
    '\u2066',
    '\r',
    '\u200d',
    '👩',
    'ن',
    '\u{e0067}',
    '\n',
    'a'
  )
  fc.assert(
    fc.property(
      fc.string({ unit: fc.oneof(strange, fc.string({ unit: 'binary', maxLength: 1 })), maxLength: 40 }),
      text => {
        expect(terminalText(text)).not.toMatch(DRIVING)
        const json = terminalJson({ text })
        expect(json).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u)
        expect(JSON.parse(json)).toEqual({ text })
      }
    ),
    { numRuns: 1_000 }
  )
})
