/** How the menu of a message is asked for: with the right button, a finger that rests, or the keys. */

/** A finger that rests so long asks for the menu; where the browser does not say so itself. */
const LONG_PRESS_MS = 500

/** @param ask - asks for the menu at a place on the screen. */
export function menuGestures(ask: (x: number, y: number) => void) {
  let press: ReturnType<typeof setTimeout> | undefined
  const release = (): void => clearTimeout(press)
  return {
    release,
    oncontextmenu(event: MouseEvent): void {
      release()
      // A link has a menu of the browser's own, and so has a marked text.
      if (event.target instanceof Element && event.target.closest('a')) return
      if (event instanceof PointerEvent && event.pointerType === 'mouse' && !getSelection()?.isCollapsed) return
      event.preventDefault()
      ask(event.clientX, event.clientY)
    },
    onpointerdown({ pointerType, clientX, clientY, target }: PointerEvent): void {
      if (pointerType !== 'touch' || (target instanceof Element && target.closest('a, button'))) return
      press = setTimeout(() => ask(clientX, clientY), LONG_PRESS_MS)
    }
  }
}

/** The arrow keys go from the menu of one message to that of the next. */
export function stepBetweenMenus(event: KeyboardEvent): void {
  if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return
  const buttons = [...document.querySelectorAll<HTMLElement>('[data-message-menu]')]
  const next = buttons[buttons.indexOf(event.currentTarget as HTMLElement) + (event.key === 'ArrowUp' ? -1 : 1)]
  if (!next) return
  event.preventDefault()
  next.focus()
}
