/** What a file is: by its first bytes, since names and claims can say anything. */

import { readUtf8 } from '../utf8.ts'

/** What nothing is known of. */
export const UNKNOWN_MEDIA_TYPE = 'application/octet-stream'
/** Bytes of the beginning of a file that {@link sniffMediaType} wants to see, if there are so many. */
export const SNIFFED_BYTES = 512
/** Pictures that every browser draws, and that hold no script. */
export const PICTURE_TYPES: readonly string[] = ['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/avif']

const MEDIA_TYPE = /^[a-z]+\/[a-z0-9][a-z0-9.+-]{0,80}$/

/** Signatures in Latin-1, and where they are; as in the WHATWG MIME sniffing standard, and RFC 9559 for Matroska. */
const SIGNATURES: readonly [type: string, ...[at: number, bytes: string][]][] = [
  ['image/png', [0, '\x89PNG\r\n\x1a\n']],
  ['image/jpeg', [0, '\xff\xd8\xff']],
  ['image/gif', [0, 'GIF87a']],
  ['image/gif', [0, 'GIF89a']],
  ['image/webp', [0, 'RIFF'], [8, 'WEBP']],
  ['audio/wav', [0, 'RIFF'], [8, 'WAVE']],
  ['image/avif', [4, 'ftypavif']],
  ['image/heic', [4, 'ftyphei']],
  ['audio/mp4', [4, 'ftypM4A']],
  ['video/quicktime', [4, 'ftypqt']],
  ['video/mp4', [4, 'ftyp']],
  ['video/webm', [0, '\x1a\x45\xdf\xa3']],
  ['audio/ogg', [0, 'OggS']],
  ['audio/flac', [0, 'fLaC']],
  ['audio/mpeg', [0, 'ID3']],
  ['audio/mpeg', [0, '\xff\xfb']],
  ['application/pdf', [0, '%PDF-']],
  ['application/zip', [0, 'PK\x03\x04']],
  ['application/gzip', [0, '\x1f\x8b\x08']],
  ['application/x-7z-compressed', [0, '7z\xbc\xaf\x27\x1c']]
]

/** Formats that are zip files or texts inside, by the ending of their name. */
const BY_ENDING: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'application/zip': {
    docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
    odt: 'application/vnd.oasis.opendocument.text',
    ods: 'application/vnd.oasis.opendocument.spreadsheet',
    epub: 'application/epub+zip'
  },
  'text/plain': { csv: 'text/csv', json: 'application/json', md: 'text/markdown', ics: 'text/calendar' }
}

/**
 * @param head - the first {@link SNIFFED_BYTES} bytes, or all if there are fewer.
 * @param name - decides only among formats whose first bytes look alike.
 * @returns a media type; {@link UNKNOWN_MEDIA_TYPE} for bytes that say nothing.
 */
export function sniffMediaType(head: Uint8Array, name = ''): string {
  const bytes = head.subarray(0, SNIFFED_BYTES)
  const found =
    SIGNATURES.find(([, ...parts]) => parts.every(([at, signature]) => hasAt(bytes, at, signature)))?.[0] ??
    textTypeOf(bytes)
  const ending = /\.([a-z0-9]{1,8})$/i.exec(name)?.[1]?.toLowerCase() ?? ''
  const endings = BY_ENDING[found] ?? {}
  return Object.hasOwn(endings, ending) ? endings[ending]! : found
}

/** What a stranger says a file is, as far as it has the form of a media type. */
export function mediaTypeOrUnknown(claimed: string): string {
  return MEDIA_TYPE.test(claimed) ? claimed : UNKNOWN_MEDIA_TYPE
}

function hasAt(bytes: Uint8Array, at: number, signature: string): boolean {
  return Array.from(signature).every((character, i) => bytes[at + i] === character.charCodeAt(0))
}

/** Markup is named, because it is what must never be drawn as a page. */
function textTypeOf(bytes: Uint8Array): string {
  // A character of up to four bytes may be cut at the end.
  const text = [0, 1, 2, 3].map(cut => readUtf8(bytes, 0, Math.max(0, bytes.length - cut))).find(read => read)
  if (text === undefined) return UNKNOWN_MEDIA_TYPE
  // eslint-disable-next-line no-control-regex -- texts have no control characters but these four
  if (/[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]/.test(text)) return UNKNOWN_MEDIA_TYPE
  if (/<svg[\s>]/i.test(text)) return 'image/svg+xml'
  if (/<(!doctype html|html|script|body|head|iframe)[\s>]/i.test(text)) return 'text/html'
  return /^\s*<\?xml/.test(text) ? 'text/xml' : 'text/plain'
}
