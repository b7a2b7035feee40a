/** UTF-8 without the platform's TextEncoder, which is not in the pure library set; one algorithm in node and browser. */

const REPLACEMENT = 0xfffd
/** Code units turned into a string at once: a call takes only so many arguments. */
const UNITS_AT_ONCE = 4096

const isHighSurrogate = (unit: number): boolean => (unit & 0xfc00) === 0xd800
const isLowSurrogate = (unit: number): boolean => (unit & 0xfc00) === 0xdc00

/** Bytes that {@link writeUtf8} writes. */
export function utf8Length(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    // A pair takes four bytes for its two units, everything else up to three for one.
    if (unit < 0x800 || (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(i + 1)))) length += 1
    else if (isLowSurrogate(unit) && i > 0 && isHighSurrogate(text.charCodeAt(i - 1))) length += 1
    else length += 2
  }
  return length
}

/** Writes UTF-8 at `offset`. Lone surrogates become U+FFFD, as everywhere on the web platform. @returns where it ends. */
export function writeUtf8(text: string, target: Uint8Array, offset: number): number {
  let at = offset
  for (let i = 0; i < text.length; i++) {
    let point = text.charCodeAt(i)
    if (point < 0x80) {
      target[at++] = point
      continue
    }
    if (point >= 0xd800 && point <= 0xdfff) {
      const next = text.charCodeAt(i + 1)
      if (isHighSurrogate(point) && isLowSurrogate(next)) {
        point = 0x10000 + ((point & 0x3ff) << 10) + (next & 0x3ff)
        i++
      } else point = REPLACEMENT
    }
    if (point < 0x800) target[at++] = 0xc0 | (point >> 6)
    else {
      if (point < 0x10000) target[at++] = 0xe0 | (point >> 12)
      else {
        target[at++] = 0xf0 | (point >> 18)
        target[at++] = 0x80 | ((point >> 12) & 63)
      }
      target[at++] = 0x80 | ((point >> 6) & 63)
    }
    target[at++] = 0x80 | (point & 63)
  }
  return at
}

/**
 * Reads UTF-8 in its one spelling: nothing overlong, no surrogates, nothing past U+10FFFF. A byte order mark is text.
 * @returns undefined for anything else.
 */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = ''
  const units: number[] = []
  for (let at = start; at < end;) {
    const lead = bytes[at++]!
    if (lead < 0x80) units.push(lead)
    else {
      const more = lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1
      if (more < 0 || at + more > end) return undefined
      let point = lead & (0x3f >> more)
      for (let i = 0; i < more; i++) {
        const byte = bytes[at++]!
        if ((byte & 0xc0) !== 0x80) return undefined
        point = (point << 6) | (byte & 0x3f)
      }
      if (more === 2 && (point < 0x800 || (point >= 0xd800 && point <= 0xdfff))) return undefined
      if (more === 3 && (point < 0x10000 || point > 0x10ffff)) return undefined
      if (point < 0x10000) units.push(point)
      else units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + (point & 0x3ff))
    }
    if (units.length >= UNITS_AT_ONCE) text += String.fromCharCode(...units.splice(0))
  }
  return text + String.fromCharCode(...units)
}
