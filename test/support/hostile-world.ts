import type { ChatMessage, ConversationSummary, Person } from '../../peer/peer-api.ts'
import { busyWorld, conversationId, fixtureId, me, message, person, summary, type World } from './fixture-world.ts'
import { HOSTILE_TEXTS } from './hostile-texts.ts'

/** Answers that a poll can have. */
const POLL_OPTIONS = 12
/** So many texts stand in one message: all of them are then near enough to the screen to be drawn. */
const TEXTS_A_MESSAGE = 40

/** A person all of whose fields say something hostile. No honest peer would show such names; the page must not depend on that. */
function hostilePerson(text: string, index: number): Person {
  const honest = person(`hostile ${index}`)
  const marks = { ...honest.marks, contact: true, nickname: index % 2 === 0 ? null : text }
  return { ...honest, displayName: text, about: text, username: index % 3 === 0 ? text : honest.username, marks }
}

/** A world in which every field that people fill holds hostile texts. The chat with Bob is the last one. */
export function hostileWorld(): World {
  const world = busyWorld()
  const bob = person('Bob')
  const messages = bobsMessages(bob)
  const strangers = HOSTILE_TEXTS.map((text, index) => chatWith(hostilePerson(text, index), text))
  const conversations = [
    summary(bob, messages, { updatedAt: Date.now() + 1_000 }),
    groupOf(bob, HOSTILE_TEXTS[0]!),
    ...strangers
  ]
  return {
    ...world,
    messages: {
      [conversationId(bob)]: messages,
      ...Object.fromEntries(strangers.map(chat => [chat.id, [chat.lastMessage!]]))
    },
    snapshot: { ...world.snapshot, me: me({ deviceName: HOSTILE_TEXTS[2]! }), conversations }
  }
}

function chatWith(other: Person, text: string): ConversationSummary {
  return summary(other, [message(other, 60, text)], { title: text, draft: text.length % 2 === 0 ? text : '' })
}

function groupOf(bob: Person, text: string): ConversationSummary {
  const id = fixtureId('hostile group')
  const rights = { add: 'members', edit: 'members' } as const
  const group = {
    id,
    name: text,
    description: text,
    picture: null,
    rights,
    members: 2,
    role: 'admin',
    isRequest: false,
    isMuted: false
  } as const
  return { ...summary(bob, [message(bob, 50, text)]), id, kind: 'group', title: text, group }
}

function bobsMessages(bob: Person): ChatMessage[] {
  const pages = Array.from({ length: Math.ceil(HOSTILE_TEXTS.length / TEXTS_A_MESSAGE) }, (_, page) =>
    HOSTILE_TEXTS.slice(page * TEXTS_A_MESSAGE, (page + 1) * TEXTS_A_MESSAGE)
  )
  const options = HOSTILE_TEXTS.slice(0, POLL_OPTIONS).map(text => ({ text, votes: [], isMine: false }))
  const file = { name: HOSTILE_TEXTS[2]!, bytes: 900, type: 'image/svg+xml', width: null, height: null }
  return [
    ...pages.map((texts, page) => message(bob, 40 - page, texts.join('\n'))),
    message(bob, 8, HOSTILE_TEXTS[1]!, { kind: 'poll', poll: { options, isMultiple: false, voters: 0 } }),
    message(bob, 6, HOSTILE_TEXTS[4]!, { kind: 'file', file: { ...file, thumbnail: null, voice: null } })
  ]
}
