/** Names of files, from any origin. A name is shown, and becomes the name of a file on a disk: it must lead nowhere else. */
import { utf8 } from '../bytes.ts'

/** Longest name in UTF-8: file systems take 255 bytes, and a number may be put behind it. */
export const MAX_FILE_NAME_BYTES = 200
/** What a file is called whose name has nothing that may stay. */
export const UNNAMED_FILE = 'file'
/** Longest ending that is kept when a name is cut. */
const MAX_ENDING_CHARACTERS = 16

/** Control, format and unassigned characters, and line ends: they forge lines, or turn `gpj.exe` around. */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/gu
/** What one of the usual file systems does not take. */
const REFUSED = /[:*?"<>|]/g
/** Devices of Windows, with any ending. */
const DEVICE_NAME = /^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i

/**
 * The name under which a file is sent, shown and saved: the last part of a path, without characters that hide or that lead out
 * of a folder, not hidden by a dot, at most {@link MAX_FILE_NAME_BYTES} bytes. The same name comes back if it is given one that
 * is safe already.
 */
export function safeFileName(name: string): string {
  const last = name.split(/[/\\]/).at(-1)!.toWellFormed().normalize('NFC')
  const visible = last.replace(HIDDEN, '').replace(REFUSED, '_')
  // Dots at the front hide a file or name a folder; dots and spaces at the end are dropped by some systems.
  const trimmed = visible.replace(/^[.\s]+/, '').replace(/[.\s]+$/, '')
  const cut = cutName(trimmed.replace(DEVICE_NAME, '_$1'))
  return cut === '' ? UNNAMED_FILE : cut
}

/** Cuts in front of the ending, so that the kind of a file stays visible. */
function cutName(name: string): string {
  if (utf8(name).length <= MAX_FILE_NAME_BYTES) return name
  const dot = name.lastIndexOf('.')
  const ending = dot > 0 && name.length - dot <= MAX_ENDING_CHARACTERS ? name.slice(dot) : ''
  const characters = Array.from(name.slice(0, name.length - ending.length))
  while (utf8(characters.join('') + ending).length > MAX_FILE_NAME_BYTES) characters.pop()
  return characters.join('').replace(/[.\s]+$/, '') + ending
}
