/**
 * Names of devices. Their owner alone sees them, and one of them is in a question before there is any trust: "Add this device?" So a
 * name hides nothing, and does not turn the question around.
 */
import { refine, text, type Codec } from '../codec.ts'
import { ProtocolError } from '../errors.ts'
import { EMOJI, JOINERS } from '../character-classes.ts'
import { cutText, graphemesOf } from '../graphemes.ts'

/** Longest name of a device, in UTF-16 code units. */
export const MAX_DEVICE_NAME_LENGTH = 64
/** What a device is called that was given nothing to show. */
export const UNNAMED_DEVICE = 'Device'

/** Control, format, private and unassigned characters, line ends, and what Unicode calls ignorable; joiners between letters are spelling. */
const HIDDEN = new RegExp(
  `(?!${JOINERS.source}(?=\\p{L}))[\\p{C}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}]`,
  'gu'
)

/**
 * The name of a device in its normal form: NFC, in one line, without hidden characters, cut between graphemes. The normal form of a
 * normal form is itself.
 *
 * @param typed - of any length and content.
 * @returns empty if there is nothing to show.
 */
export function deviceNameOf(typed: string): string {
  // Bounds the work: what is cut away later is not looked at.
  let name = typed.slice(0, 8 * MAX_DEVICE_NAME_LENGTH)
  // What was apart may belong together once the hidden character in between is gone.
  for (let before = ''; before !== name;) [before, name] = [name, shown(name)]
  return name
}

function shown(text: string): string {
  const oneLine = text.toWellFormed().normalize('NFC').replace(/\s+/gu, ' ')
  const emoji = emojiUnits(oneLine)
  const visible = oneLine.replace(HIDDEN, (character, at: number) => (emoji.has(at) ? character : ''))
  return cutText(visible.trim(), MAX_DEVICE_NAME_LENGTH)
}

/** Places of the UTF-16 code units that are parts of emoji. */
function emojiUnits(text: string): Set<number> {
  const units = new Set<number>()
  let at = 0
  for (const part of graphemesOf(text)) {
    if (EMOJI.test(part)) for (let i = 0; i < part.length; i++) units.add(at + i)
    at += part.length
  }
  return units
}

/** A name that another device gives itself. @throws ProtocolError `MALFORMED` if it is not in normal form, or empty. */
export const deviceNameCodec: Codec<string> = refine(text(MAX_DEVICE_NAME_LENGTH), (name, path) => {
  if (name === '' || deviceNameOf(name) !== name)
    throw new ProtocolError('MALFORMED', `"${path}" must be the name of a device, with nothing hidden in it`)
  return name
})
