/** Narrowest list, in CSS pixels. */
export const MIN_LIST_WIDTH = 260
/** Widest list, in CSS pixels. */
export const MAX_LIST_WIDTH = 420
const DEFAULT_LIST_WIDTH = 320
const KEY_STEP = 16
const STORAGE_KEY = 'volo-list-width'

/** Width of the list beside a thread, kept on this device. */
export class PaneWidth {
  width = $state(DEFAULT_LIST_WIDTH)
  readonly #storage: Pick<Storage, 'getItem' | 'setItem'> | null

  /** @param storage - null where the browser keeps nothing. */
  constructor(storage: Pick<Storage, 'getItem' | 'setItem'> | null) {
    this.#storage = storage
    const kept = Number(storage?.getItem(STORAGE_KEY))
    if (kept) this.width = bounded(kept)
  }

  resize(width: number): void {
    this.width = bounded(width)
    this.#storage?.setItem(STORAGE_KEY, String(this.width))
  }

  /** Resizes by keyboard. @returns whether the key was one of ours. @param rightToLeft - then the left arrow widens. */
  press(key: string, rightToLeft: boolean): boolean {
    const wider = rightToLeft ? 'ArrowLeft' : 'ArrowRight'
    const narrower = rightToLeft ? 'ArrowRight' : 'ArrowLeft'
    if (key === wider) this.resize(this.width + KEY_STEP)
    else if (key === narrower) this.resize(this.width - KEY_STEP)
    else if (key === 'Home') this.resize(MIN_LIST_WIDTH)
    else if (key === 'End') this.resize(MAX_LIST_WIDTH)
    else return false
    return true
  }
}

function bounded(width: number): number {
  return Math.round(Math.min(MAX_LIST_WIDTH, Math.max(MIN_LIST_WIDTH, width)))
}
