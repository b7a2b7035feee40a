import { MAX_EMOJI_UNITS } from './message-kinds.ts'

/** Parts of one emoji: a picture, a flag or a keycap, with what varies or joins them. */
const EMOJI =
  /^(?:\p{Regional_Indicator}{2}|[0-9#*]\uFE0F?\u20E3|\p{Extended_Pictographic}[\p{Emoji_Modifier}\uFE0F\u{E0020}-\u{E007F}]*(?:\u200D\p{Extended_Pictographic}[\p{Emoji_Modifier}\uFE0F]*)*)$/u

/**
 * Whether a text is one emoji and nothing else. Who receives a reaction keeps it in any case, since a later version of Unicode
 * has more of them, and shows a sign for what this does not know.
 */
export function isEmoji(text: string): boolean {
  return text.length <= MAX_EMOJI_UNITS && EMOJI.test(text)
}
