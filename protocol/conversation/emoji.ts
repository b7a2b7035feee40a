import { MAX_EMOJI_UNITS } from './message-kinds.ts'

/** Parts of one emoji: a picture, a flag or a keycap, with what varies or joins them. */
const EMOJI =
  /^(?:\p{Regional_Indicator}{2}|[0-9#*]\uFE0F?\u20E3|\p{Extended_Pictographic}[\p{Emoji_Modifier}\uFE0F\u{E0020}-\u{E007F}]*(?:\u200D\p{Extended_Pictographic}[\p{Emoji_Modifier}\uFE0F]*)*)$/u

/** Stands for a reaction that is no emoji here. */
export const UNKNOWN_EMOJI = '❔'

/** Whether a text is one emoji and nothing else. */
export function isEmoji(text: string): boolean {
  return text.length <= MAX_EMOJI_UNITS && EMOJI.test(text)
}

/**
 * What is shown of another person's reaction. It is kept as it came, since a later version of Unicode has more emoji; words and hidden
 * characters must not stand where the app's own signs are.
 */
export const shownEmoji = (received: string): string => (isEmoji(received) ? received : UNKNOWN_EMOJI)
