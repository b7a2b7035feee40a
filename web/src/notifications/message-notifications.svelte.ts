import type { ChatMessage, ConversationSummary } from '../../../peer/peer-api.ts'
import { cutText } from '../../../protocol/graphemes.ts'
import type { SpokenLanguage } from '../i18n/language.ts'
import { isLoud } from '../state/chat-list.svelte.ts'
import { chatTitle } from '../state/person-name.ts'
import { links } from '../state/routes.ts'

const STORAGE_KEY = 'volo-notifications'
/** A message that is read so soon, in another tab or on another device, needs no notification. */
const GRACE_MS = 1_000
/** So much of a message is shown, in UTF-16 units; systems cut earlier. */
const PREVIEW = 200

/** `hidden`: that a message came, and neither from whom nor what it says. */
export type NotificationSetting = 'off' | 'on' | 'hidden'

/** What the browser shows. */
export interface Notice {
  title: string
  body: string
  /** Notices with the same tag replace each other. */
  tag: string
  /** Where a click leads, as the fragment of an address. */
  link: string
  language: SpokenLanguage
}

/** The part of the browser that shows notices. */
export interface NoticePlatform {
  /** Null where there is none, as on an iPhone outside of the Home Screen. */
  permission(): NotificationPermission | null
  /** Asks the person. To be called on a click only. */
  ask(): Promise<NotificationPermission>
  show(notice: Notice): Promise<void>
}

/** What notifications depend on. */
export interface NotificationsParts {
  platform: NoticePlatform
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null
  conversation: (id: string) => ConversationSummary | undefined
  language: () => SpokenLanguage
  /** Whether a conversation is before the person's eyes. */
  isSeen: (conversationId: string) => boolean
}

/** Tells of new messages while the app is open but not looked at. Chosen on each device for itself. */
export class MessageNotifications {
  setting = $state<NotificationSetting>('off')
  permission = $state<NotificationPermission | null>(null)
  readonly #parts: NotificationsParts

  constructor(parts: NotificationsParts) {
    this.#parts = parts
    const kept = parts.storage?.getItem(STORAGE_KEY)
    if (kept === 'on' || kept === 'hidden') this.setting = kept
    this.look()
  }

  /** Whether notices are shown: the person wants them and the browser lets them through. */
  get isOn(): boolean {
    return this.setting !== 'off' && this.permission === 'granted'
  }

  /** Looks at what the browser allows; people change it in the browser's own settings. */
  look(): void {
    this.permission = this.#parts.platform.permission()
  }

  /** Call it on a click: the browser may ask the person. */
  async choose(setting: NotificationSetting): Promise<void> {
    if (setting !== 'off' && this.permission === 'default') this.permission = await this.#parts.platform.ask()
    if (setting !== 'off' && this.permission !== 'granted') return
    this.setting = setting
    if (setting === 'off') this.#parts.storage?.removeItem(STORAGE_KEY)
    else this.#parts.storage?.setItem(STORAGE_KEY, setting)
  }

  /** Takes a new message of another person. */
  arrived(message: ChatMessage): void {
    if (this.isOn) setTimeout(() => void this.#tell(message).catch(error => console.warn(error)), GRACE_MS)
  }

  async #tell(message: ChatMessage): Promise<void> {
    const { platform, conversation, isSeen } = this.#parts
    const chat = conversation(message.conversationId)
    if (!this.isOn || !chat || chat.unread === 0 || !isLoud(chat) || isSeen(chat.id)) return
    await platform.show(this.#notice(chat, message))
  }

  #notice(chat: ConversationSummary, message: ChatMessage): Notice {
    const language = this.#parts.language()
    const { words } = language
    // One tag for all, so that the number of notices does not tell how many people write.
    if (this.setting === 'hidden') {
      const body = words.notifications.hiddenBody
      return { title: words.appName, body, tag: 'volo', link: links.chats, language }
    }
    const text = cutText(message.text || (message.file?.name ?? ''), PREVIEW)
    const body = chat.kind === 'group' ? words.announce.message(message.fromName, text) : text
    return { title: chatTitle(chat, words), body, tag: chat.id, link: links.thread(chat.id), language }
  }
}
