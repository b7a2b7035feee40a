import { languageOf, loadLanguage, type LanguageTag, type SpokenLanguage } from '../i18n/language.ts'

/** What a person chose; `system` follows the browser. */
export type LanguageSetting = 'system' | LanguageTag

const STORAGE_KEY = 'volo-language'

type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

/** What the choice works on. */
export interface LanguagePlaces {
  /** The element that says which language the page has, and how its text runs. */
  root: { lang: string; dir: string }
  /** Null where the browser keeps nothing. */
  storage: Store | null
  /** The browser's languages as BCP 47 tags, most wanted first. */
  preferred: readonly string[]
}

/** The language of the app: the browser's, or one that was chosen on this device. */
export class LanguageChoice {
  setting = $state<LanguageSetting>('system')
  current = $state.raw() as SpokenLanguage
  readonly #places: LanguagePlaces
  /** Only the newest choice counts, whichever is fetched last. */
  #choices = 0

  private constructor(places: LanguagePlaces, setting: LanguageSetting) {
    this.#places = places
    this.setting = setting
  }

  /** Fetches the words of the language that was chosen here, or of the browser's. */
  static async open(places: LanguagePlaces): Promise<LanguageChoice> {
    const choice = new LanguageChoice(places, keptSetting(places.storage))
    await choice.#speak()
    return choice
  }

  /** Changes the language of the page at once, and keeps the choice on this device. */
  async choose(setting: LanguageSetting): Promise<void> {
    this.setting = setting
    if (setting === 'system') this.#places.storage?.removeItem(STORAGE_KEY)
    else this.#places.storage?.setItem(STORAGE_KEY, setting)
    await this.#speak()
  }

  /** Follows a choice that was made in another tab. @param event - of the window. */
  async follow({ key }: Pick<StorageEvent, 'key'>): Promise<void> {
    if (key !== STORAGE_KEY) return
    this.setting = keptSetting(this.#places.storage)
    await this.#speak()
  }

  async #speak(): Promise<void> {
    const mine = ++this.#choices
    const language = await loadLanguage(this.#wanted())
    if (mine !== this.#choices) return
    this.current = language
    this.#places.root.lang = language.tag
    this.#places.root.dir = language.direction
  }

  /** A chosen language keeps the regional form that the browser has for it, such as `de-AT`. */
  #wanted(): readonly string[] {
    const { preferred } = this.#places
    const { setting } = this
    if (setting === 'system') return preferred
    return [...preferred.filter(tag => languageOf(tag) === setting), setting]
  }
}

function keptSetting(storage: Store | null): LanguageSetting {
  return languageOf(storage?.getItem(STORAGE_KEY) ?? '') ?? 'system'
}
