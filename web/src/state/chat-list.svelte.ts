import type { ConversationSummary } from '../../../peer/peer-api.ts'
import { isMessageRequest, isUnanswered, isWithoutWord } from '../../../peer/people/message-request.ts'

/** What the list of chats is narrowed to. */
export type ChatFilter = 'all' | 'unread' | 'groups' | 'requests' | 'withoutWord' | 'archived'

const KEPT_OUT: readonly ChatFilter[] = ['requests', 'withoutWord', 'archived']

/** The chats that the list shows: those that are pinned first, each group otherwise as it comes. */
export class ChatList {
  /** What the user chose; {@link filter} counts. */
  chosen = $state<ChatFilter>('all')
  readonly #chats: () => ConversationSummary[]
  readonly requests = $derived.by(() => this.#chats().filter(isMessageRequest))
  /** Filters that lead somewhere. Requests and the archive are offered only while there is something in them. */
  readonly offered = $derived.by((): ChatFilter[] => [
    'all',
    'unread',
    'groups',
    ...KEPT_OUT.filter(filter => chatsOf(filter, this.#chats()).length > 0)
  ])
  /** The chosen filter; all chats once what was chosen has nothing in it any more. */
  readonly filter = $derived(this.offered.includes(this.chosen) ? this.chosen : 'all')
  readonly shown = $derived.by(() => chatsOf(this.filter, this.#chats()))

  /** @param chats - newest first. */
  constructor(chats: () => ConversationSummary[]) {
    this.#chats = chats
  }
}

/** Whether a chat is put away. That of the notes and of groups cannot be. */
export function isArchived({ kind, person }: ConversationSummary): boolean {
  return kind === 'direct' && person.marks.archived
}

/** Whether a chat stays at the top. */
export function isPinned({ kind, person }: ConversationSummary): boolean {
  return kind === 'direct' && person.marks.pinned
}

/** Whether messages of a chat come without a notification. */
export function isMuted({ kind, person, group }: ConversationSummary): boolean {
  return group?.isMuted ?? (kind === 'direct' && person.marks.muted)
}

/** Whether unread messages of a chat are told outside of the list: by a notification, and by the number on the app. */
export function isLoud(chat: ConversationSummary): boolean {
  return !isMuted(chat) && !isArchived(chat) && !isUnanswered(chat)
}

/** The chats of a filter, pinned ones first. Requests, strangers without the word and archived chats are in no other filter. */
export function chatsOf(filter: ChatFilter, chats: readonly ConversationSummary[]): ConversationSummary[] {
  return chats
    .filter(chat => {
      const isRequest = isMessageRequest(chat)
      if (filter === 'requests' || isRequest) return filter === 'requests' && isRequest
      const isAside = isWithoutWord(chat)
      if (filter === 'withoutWord' || isAside) return filter === 'withoutWord' && isAside
      if (filter === 'archived' || isArchived(chat)) return filter === 'archived' && isArchived(chat)
      if (filter === 'unread') return chat.unread > 0
      return filter === 'all' || chat.kind === 'group'
    })
    .toSorted((a, b) => Number(isPinned(b)) - Number(isPinned(a)))
}
