/** What a key press asks the app for. */
export type Shortcut = 'switch-chat' | 'previous-chat' | 'next-chat' | 'help' | 'close'

/** The part of a keyboard event that decides. */
export interface KeyPress {
  key: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  /** Whether the focus is in a text field; single letters then belong to the text. */
  inField: boolean
}

/** The shortcut of a key press, null for every other key. */
export function shortcutOf({ key, ctrlKey, metaKey, altKey, inField }: KeyPress): Shortcut | null {
  if ((ctrlKey || metaKey) && !altKey && key.toLowerCase() === 'k') return 'switch-chat'
  if (ctrlKey || metaKey) return null
  if (altKey) return key === 'ArrowUp' ? 'previous-chat' : key === 'ArrowDown' ? 'next-chat' : null
  if (key === 'Escape') return 'close'
  return key === '?' && !inField ? 'help' : null
}
