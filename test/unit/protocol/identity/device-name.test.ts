import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decode, encode, text } from '../../../../protocol/codec.ts'
import { deviceNameCodec, deviceNameOf, MAX_DEVICE_NAME_LENGTH } from '../../../../protocol/identity/device-name.ts'

test.each(['Chrome on Linux', 'Ada’s 📱', 'Телефон', 'گوشی علی‌رضا', '山田 の 電話', '👨‍👩‍👧 Tablet'])(
  '%s stays as it is',
  name => expect(deviceNameOf(name)).toBe(name)
)

test.each([
  ['\u202Exunil no emorhC', 'xunil no emorhC'],
  ['Chrome\non\r\n Linux\u2028', 'Chrome on Linux'],
  ['Ada\u200B\u2066\u00AD\u3164 phone', 'Ada phone'],
  ['e\u200B\u0301', 'é'],
  [' \u0000\u001B[31m ', '[31m'],
  ['\uD800', '\uFFFD'],
  ['\u200B\uFEFF', ''],
  ['x'.repeat(10_000), 'x'.repeat(MAX_DEVICE_NAME_LENGTH)]
])('%j is shown without what is hidden in it', (typed, name) => expect(deviceNameOf(typed)).toBe(name))

test('the normal form of any text is one, and the only one that another device may send', () => {
  const odd = fc.constantFrom(
    '\u200B',
    '\u200D',
    '\u0301',
    '\u{1F469}',
    '\u{1F680}',
    '\u{1F1E9}',
    '\u202E',
    ' ',
    'a',
    'ع',
    '\n'
  )
  const typed = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(odd, { maxLength: 90 }).map(parts => parts.join(''))
  )
  const received = (name: string) =>
    decode(deviceNameCodec, encode(text(MAX_DEVICE_NAME_LENGTH), name), { maxBytes: 512, maxDepth: 1, maxItems: 1 })
  fc.assert(
    fc.property(typed, typed => {
      const name = deviceNameOf(typed)
      expect(name.length).toBeLessThanOrEqual(MAX_DEVICE_NAME_LENGTH)
      expect(name).not.toMatch(/[\p{Cc}\p{Bidi_Control}\n]/u)
      expect(deviceNameOf(name)).toBe(name)
      if (name !== '') expect(received(name)).toBe(name)
      if (name !== typed && typed.length <= MAX_DEVICE_NAME_LENGTH) expect(() => received(typed)).toThrow()
    })
  )
})
