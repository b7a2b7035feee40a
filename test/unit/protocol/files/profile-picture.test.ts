import fc from 'fast-check'
import { expect, test } from 'vitest'
import { concatBytes, utf8 } from '../../../../protocol/bytes.ts'
import { ProtocolError } from '../../../../protocol/errors.ts'
import { cleanPicture, MAX_PICTURE_BYTES } from '../../../../protocol/files/profile-picture.ts'
import { FIXTURE_JPEG, FIXTURE_PICTURE, FIXTURE_WEBP } from '../../../support/fixture-picture.ts'

const SECRET = 'GPS 52.5200 N 13.4050 E'
const holds = (bytes: Uint8Array, text: string): boolean => Buffer.from(bytes).includes(text)
const be = (value: number, length: number): Uint8Array => {
  const bytes = Buffer.alloc(length)
  bytes.writeUIntBE(value, 0, length)
  return bytes
}
const le = (value: number, length: number): Uint8Array => be(value, length).toReversed()
const pngChunk = (name: string, data: Uint8Array): Uint8Array =>
  concatBytes(be(data.length, 4), utf8(name), data, new Uint8Array(4))
const jpegPart = (marker: number, data: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(0xff, marker), be(data.length + 2, 2), data)
const webpChunk = (name: string, data: Uint8Array): Uint8Array =>
  concatBytes(utf8(name), le(data.length, 4), data, new Uint8Array(data.length % 2))
/** After the signature and the header of a PNG. */
const PNG_BODY = 33

function withPng(...chunks: Uint8Array[]): Uint8Array {
  return concatBytes(FIXTURE_PICTURE.subarray(0, PNG_BODY), ...chunks, FIXTURE_PICTURE.subarray(PNG_BODY))
}
const withJpeg = (...parts: Uint8Array[]): Uint8Array =>
  concatBytes(FIXTURE_JPEG.subarray(0, 2), ...parts, FIXTURE_JPEG.subarray(2))
function webp(...chunks: Uint8Array[]): Uint8Array {
  const body = concatBytes(utf8('WEBP'), ...chunks)
  return concatBytes(utf8('RIFF'), le(body.length, 4), body)
}
const vp8x = (flags: number, width: number, height: number): Uint8Array =>
  webpChunk('VP8X', concatBytes(Uint8Array.of(flags, 0, 0, 0), le(width - 1, 3), le(height - 1, 3)))
const vp8 = FIXTURE_WEBP.subarray(Buffer.from(FIXTURE_WEBP).indexOf('VP8 '))

test.each([
  ['image/png', FIXTURE_PICTURE, 48, 36],
  ['image/jpeg', FIXTURE_JPEG, 24, 16],
  ['image/webp', FIXTURE_WEBP, 24, 16]
] as const)('%s stays a picture of its size, and is clean the second time', (type, bytes, width, height) => {
  const cleaned = cleanPicture(bytes)
  expect(cleaned).toMatchObject({ type, width, height })
  expect(cleanPicture(cleaned.content)).toEqual(cleaned)
})

test('the colour profile of the machine that made a picture is left out', () => {
  for (const bytes of [FIXTURE_JPEG, FIXTURE_WEBP]) {
    expect(holds(bytes, 'mluc')).toBe(true)
    expect(holds(cleanPicture(bytes).content, 'mluc')).toBe(false)
  }
})

test.each([
  ['EXIF in a JPEG', withJpeg(jpegPart(0xe1, utf8(`Exif\0\0${SECRET}`)))],
  ['XMP in a JPEG', withJpeg(jpegPart(0xe1, utf8(`http://ns.adobe.com/xap/1.0/\0${SECRET}`)))],
  ['a comment in a JPEG', withJpeg(jpegPart(0xfe, utf8(SECRET)))],
  ['notes of Photoshop in a JPEG', withJpeg(jpegPart(0xed, utf8(`Photoshop 3.0\0${SECRET}`)))],
  ['a second picture behind a JPEG', concatBytes(FIXTURE_JPEG, utf8(SECRET))],
  ['a text in a PNG', withPng(pngChunk('tEXt', utf8(`Comment\0${SECRET}`)))],
  ['EXIF in a PNG', withPng(pngChunk('eXIf', utf8(SECRET)))],
  ['something unknown in a PNG', withPng(pngChunk('prVt', utf8(SECRET)))],
  ['an animation in a PNG', withPng(pngChunk('acTL', utf8(SECRET)))],
  ['something behind a PNG', concatBytes(FIXTURE_PICTURE, utf8(SECRET))],
  ['EXIF in a WebP', webp(vp8x(0x08, 24, 16), vp8, webpChunk('EXIF', utf8(SECRET)))],
  ['XMP in a WebP', webp(vp8x(0x04, 24, 16), vp8, webpChunk('XMP ', utf8(SECRET)))],
  ['something behind a WebP', concatBytes(FIXTURE_WEBP, utf8(SECRET))]
])('%s is left out', (_what, bytes) => {
  expect(holds(bytes, SECRET)).toBe(true)
  const { content, ...size } = cleanPicture(bytes)
  expect(holds(content, SECRET)).toBe(false)
  expect(cleanPicture(content)).toMatchObject(size)
})

const ihdr = (width: number, height: number): Uint8Array =>
  pngChunk('IHDR', concatBytes(be(width, 4), be(height, 4), Uint8Array.of(8, 6, 0, 0, 0)))
const SIGNATURE = FIXTURE_PICTURE.subarray(0, 8)

test.each([
  ['too many bytes', concatBytes(FIXTURE_PICTURE, new Uint8Array(MAX_PICTURE_BYTES)), 'TOO_LARGE'],
  [
    'a PNG of 30,000 by 30,000',
    concatBytes(SIGNATURE, ihdr(30_000, 30_000), pngChunk('IEND', new Uint8Array())),
    'TOO_LARGE'
  ],
  [
    'a JPEG of 65,535 by 8',
    withJpeg(jpegPart(0xc0, concatBytes(Uint8Array.of(8), be(8, 2), be(65_535, 2), new Uint8Array(4)))),
    'MALFORMED'
  ],
  ['a WebP whose canvas is huge', webp(vp8x(0, 16_000, 16_000), vp8), 'TOO_LARGE'],
  ['a WebP that moves', webp(vp8x(0x02, 24, 16), vp8), 'MALFORMED'],
  ['frames in a WebP', webp(vp8x(0, 24, 16), webpChunk('ANMF', new Uint8Array(16))), 'MALFORMED'],
  ['a WebP without pixels', webp(), 'MALFORMED'],
  ['a PNG without pixels', concatBytes(SIGNATURE, ihdr(0, 0), pngChunk('IEND', new Uint8Array())), 'MALFORMED'],
  ['two headers in a PNG', withPng(ihdr(1, 1)), 'MALFORMED'],
  ['a drawing in SVG', utf8('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'), 'MALFORMED'],
  ['a page', utf8('<!doctype html><script>alert(1)</script>'), 'MALFORMED'],
  ['a GIF', utf8('GIF89a and so on'), 'MALFORMED'],
  ['nothing', new Uint8Array(), 'MALFORMED']
])('%s is refused', (_what, bytes, code) => {
  expect(() => cleanPicture(bytes)).toThrow(expect.objectContaining({ code }))
})

test('whatever is cut off or changed in a picture comes out as a picture or as a refusal', () => {
  const fixture = fc.constantFrom(FIXTURE_PICTURE, FIXTURE_JPEG, FIXTURE_WEBP)
  const changed = fc.tuple(fixture, fc.nat(), fc.nat(255), fc.nat()).map(([bytes, at, value, length]) => {
    const copy = Uint8Array.from(bytes)
    copy[at % copy.length] = value
    return copy.subarray(0, length % (copy.length + 1))
  })
  fc.assert(
    fc.property(changed, bytes => {
      try {
        expect(cleanPicture(bytes).content.length).toBeLessThanOrEqual(bytes.length)
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
      }
    })
  )
})
