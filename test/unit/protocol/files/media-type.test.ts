import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../../protocol/bytes.ts'
import { mediaTypeOrUnknown, sniffMediaType, UNKNOWN_MEDIA_TYPE } from '../../../../protocol/files/media-type.ts'

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, character => character.charCodeAt(0))

describe('what a file is', () => {
  test.each([
    ['image/png', latin1('\x89PNG\r\n\x1a\nrest')],
    ['image/jpeg', latin1('\xff\xd8\xff\xe0')],
    ['image/webp', latin1('RIFF1234WEBPVP8 ')],
    ['audio/wav', latin1('RIFF1234WAVEfmt ')],
    ['video/mp4', latin1('\0\0\0\x20ftypisom')],
    ['video/webm', latin1('\x1a\x45\xdf\xa3')],
    ['application/pdf', latin1('%PDF-1.7')],
    ['text/plain', utf8('Grüße')],
    ['text/html', utf8('<!DOCTYPE html><p>')],
    ['image/svg+xml', utf8('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg">')],
    [UNKNOWN_MEDIA_TYPE, Uint8Array.of(0, 1, 2, 3)],
    [UNKNOWN_MEDIA_TYPE, new Uint8Array()]
  ])('is %s by its first bytes', (type, head) => {
    expect(sniffMediaType(head, 'claim.jpg')).toBe(type)
  })

  test('a text that is cut inside a letter is a text', () => {
    expect(sniffMediaType(utf8('ü').subarray(0, 1))).toBe(UNKNOWN_MEDIA_TYPE)
    expect(sniffMediaType(utf8('a€').subarray(0, 3))).toBe('text/plain')
  })

  test('the ending decides among formats that begin alike, and no others', () => {
    const zip = latin1('PK\x03\x04')
    expect(sniffMediaType(zip, 'letter.docx')).toContain('wordprocessingml')
    expect(sniffMediaType(zip, 'letter.png')).toBe('application/zip')
    expect(sniffMediaType(utf8('{}'), 'data.json')).toBe('application/json')
    expect(sniffMediaType(zip, 'constructor')).toBe('application/zip')
  })

  test('a claim of another form is unknown', () => {
    expect(mediaTypeOrUnknown('image/png')).toBe('image/png')
    for (const claim of ['', 'png', 'image/png; charset=x', 'text/html\r\nx', 'IMAGE/PNG']) {
      expect(mediaTypeOrUnknown(claim)).toBe(UNKNOWN_MEDIA_TYPE)
    }
  })
})
