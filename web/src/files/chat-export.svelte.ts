import type { ChatMessage, PeerApi, PeerSnapshot } from '../../../peer/peer-api.ts'
import type { SpokenLanguage } from '../i18n/language.ts'
import { lineWords } from '../state/line-words.ts'
import { chatTitle } from '../state/person-name.ts'

/** Messages that are read at a time. */
const PAGE = 200

/**
 * Writes every chat of this device into one page that opens without Volo: no script in it, nothing loaded, dates and names as the app
 * shows them. Files are named, not included; `volo-peer export` writes them, too.
 */
export class ChatExport {
  /** Chats that are done, of all; null while nothing is written. */
  progress = $state.raw<{ done: number; all: number } | null>(null)
  failure = $state.raw<unknown>(null)
  readonly #api: PeerApi
  readonly #save: (page: Blob) => void

  /** @param save - hands the page to the browser's downloads. */
  constructor(api: PeerApi, save: (page: Blob) => void) {
    this.#api = api
    this.#save = save
  }

  async run({ conversations }: Pick<PeerSnapshot, 'conversations'>, language: SpokenLanguage): Promise<void> {
    if (this.progress !== null) return
    this.failure = null
    try {
      const parts: string[] = [headOf(language)]
      for (const [done, chat] of conversations.entries()) {
        this.progress = { done, all: conversations.length }
        parts.push(`<h2><bdi>${escaped(chatTitle(chat, language.words))}</bdi></h2>\n`)
        for (const message of await this.#messagesOf(chat.id)) parts.push(articleOf(message, language))
      }
      parts.push('</body></html>\n')
      this.#save(new Blob(parts, { type: 'application/octet-stream' }))
    } catch (error) {
      this.failure = error
    } finally {
      this.progress = null
    }
  }

  /** Oldest first. */
  async #messagesOf(chat: string): Promise<ChatMessage[]> {
    const pages: ChatMessage[][] = []
    for (let before: string | undefined; ; before = pages[0]![0]!.id) {
      const page = await this.#api.messages.page(chat, { limit: PAGE, ...(before !== undefined && { before }) })
      if (page.length === 0) return pages.flat()
      pages.unshift(page)
    }
  }
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)

function headOf({ words, direction }: SpokenLanguage): string {
  return `<!doctype html>
<html lang="${words.locale}" dir="${direction}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width"><title>${escaped(words.appName)}</title>
<style>body{font:16px/1.5 sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}p{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}
small{color:#555}article{margin:0 0 .75rem;padding:.5rem 1rem;border:1px solid #ccc;border-radius:.5rem}.mine{background:#eef5f4}</style>
</head><body><h1>${escaped(words.appName)}</h1>
`
}

function articleOf(message: ChatMessage, { words, dates }: SpokenLanguage): string {
  const { mine, fromName, sentAt, text, line, file, kind } = message
  const written = [text, file?.name ?? ''].filter(part => part !== '').join('\n')
  const said = line ? lineWords(line, words) : kind === 'deleted' ? words.thread.deletedMessage : written
  const when = `<time datetime="${new Date(sentAt).toISOString()}">${escaped(dates.dateTime(sentAt))}</time>`
  const who = escaped(mine ? words.common.you : fromName)
  return `<article${mine ? ' class="mine"' : ''}><small><bdi>${who}</bdi>, ${when}</small><p dir="auto">${escaped(said)}</p></article>\n`
}
