/** Finds a text in bytes, in the forms in which programs write texts down. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Every form of a text that is looked for. */
export function formsOf(text: string): { form: string; bytes: Buffer }[] {
  const utf8 = Buffer.from(text, 'utf8')
  const utf16 = Buffer.from(text, 'utf16le')
  const base64 = [0, 1, 2].flatMap(before => {
    // Characters that hold bits of what stands before or behind the text are cut off.
    const encoded = Buffer.concat([Buffer.alloc(before), utf8])
      .toString('base64')
      .replace(/=+$/, '')
    const cut = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + utf8.length) * 8) / 6))
    return [cut, cut.replaceAll('+', '-').replaceAll('/', '_')].map(form => ['base64', Buffer.from(form)] as const)
  })
  const forms = [
    ['utf-8', utf8],
    ['utf-16le', utf16],
    ['utf-16be', Buffer.from(utf16).swap16()],
    ['hex', Buffer.from(utf8.toString('hex'))],
    ['HEX', Buffer.from(utf8.toString('hex').toUpperCase())],
    ['percent', Buffer.from(encodeURIComponent(text))],
    ['json', Buffer.from(JSON.stringify(text).slice(1, -1))],
    ...base64
  ] as const
  return forms.map(([form, bytes]) => ({ form, bytes }))
}

/** Which texts are in some bytes, and how: `text as form in where`. */
export function canariesIn(where: string, bytes: Buffer, texts: readonly string[]): string[] {
  return texts.flatMap(text =>
    formsOf(text).flatMap(form => (bytes.includes(form.bytes) ? [`${text} as ${form.form} in ${where}`] : []))
  )
}

/** The same for every file below a folder, and for their names. */
export function canariesBelow(folder: string, texts: readonly string[]): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap(name => {
    const path = join(folder, name)
    const content = statSync(path).isFile() ? readFileSync(path) : Buffer.alloc(0)
    return [...canariesIn(`the name ${name}`, Buffer.from(name), texts), ...canariesIn(name, content, texts)]
  })
}
