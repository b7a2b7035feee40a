/** The part of a keyboard event that tells whether an input method has it. */
export interface ComposingKey {
  isComposing: boolean
  keyCode: number
}

/** Sent in place of a key's own number while an input method has the key; see https://www.w3.org/TR/uievents/#determine-keydown-keyup-keyCode. */
const COMPOSING_KEY_CODE = 229

/**
 * Whether a key belongs to an input method: Enter then ends a word and does nothing else. Safari ends the composition before
 * it tells of the key, so that only the number says so.
 */
export const isComposing = (event: ComposingKey): boolean => event.isComposing || event.keyCode === COMPOSING_KEY_CODE
