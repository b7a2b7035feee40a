/**
 * An attachment that puts the focus on an element when it appears: on the heading of a step that took the place of another,
 * so that a screen reader reads it and the keyboard goes on from there.
 */
export const takeFocus = (element: HTMLElement): void => element.focus()
