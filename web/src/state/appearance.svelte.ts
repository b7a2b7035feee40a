/** What a person chose; `system` follows the device. */
export type AppearanceChoice = 'system' | 'light' | 'dark'

/** Read before the first paint by public/appearance.js. */
const STORAGE_KEY = 'volo-appearance'

/** Light or dark, kept on this device. */
export class Appearance {
  choice = $state<AppearanceChoice>('system')
  readonly #root: { dataset: DOMStringMap }
  readonly #storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null

  /** @param storage - null where the browser keeps nothing. */
  constructor(root: { dataset: DOMStringMap }, storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null) {
    this.#root = root
    this.#storage = storage
    const kept = storage?.getItem(STORAGE_KEY)
    if (kept === 'light' || kept === 'dark') this.choose(kept)
  }

  choose(choice: AppearanceChoice): void {
    this.choice = choice
    if (choice === 'system') {
      delete this.#root.dataset.theme
      this.#storage?.removeItem(STORAGE_KEY)
    } else {
      this.#root.dataset.theme = choice
      this.#storage?.setItem(STORAGE_KEY, choice)
    }
  }
}
