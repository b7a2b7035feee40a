import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../../protocol/bytes.ts'
import { MAX_FILE_NAME_BYTES, safeFileName, UNNAMED_FILE } from '../../../../protocol/files/file-name.ts'

describe('the name of a file', () => {
  test.each([
    ['holiday.jpg', 'holiday.jpg'],
    ['Straße in Köln 2.pdf', 'Straße in Köln 2.pdf'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Windows\\evil.exe', 'evil.exe'],
    ['..', UNNAMED_FILE],
    ['', UNNAMED_FILE],
    ['a/', UNNAMED_FILE],
    ['.bashrc', 'bashrc'],
    ['photo\u202Egpj.exe', 'photogpj.exe'],
    ['two\nlines.txt', 'twolines.txt'],
    ['nul\0byte.txt', 'nulbyte.txt'],
    ['con.txt', '_con.txt'],
    ['what?.txt', 'what_.txt'],
    ['dots...', 'dots']
  ])('%j becomes %j', (name, safe) => {
    expect(safeFileName(name)).toBe(safe)
  })

  test('is cut in front of its ending', () => {
    const safe = safeFileName(`${'ü'.repeat(300)}.jpeg`)
    expect(utf8(safe).length).toBeLessThanOrEqual(MAX_FILE_NAME_BYTES)
    expect(safe).toMatch(/^ü+\.jpeg$/)
  })

  test('never leads out of a folder, hides or grows, and stays what it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string()), name => {
        const safe = safeFileName(name)
        expect(safe).not.toMatch(/[/\\\p{Cc}\p{Zl}\p{Zp}]|^\.|^$/u)
        expect(utf8(safe).length).toBeLessThanOrEqual(MAX_FILE_NAME_BYTES)
        expect(safeFileName(safe)).toBe(safe)
      })
    )
  })
})
