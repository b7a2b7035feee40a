/** `person`, `contacts`, `block` and `unblock`. */
import type { NodePeer } from '../../node-peer.ts'
import type { Person, PersonMarks, PersonPresence } from '../../peer-api.ts'
import { nameOf, personJson, personLine, printable } from '../output.ts'
import { messageNamed } from './find-conversation.ts'
import { personNamed } from './find-person.ts'
import { linkLine } from './social.ts'
import { savePicture } from './picture.ts'
import { EXIT, requireRegistered, soonCaughtUp, type CommandOf, type Run, type Runnable } from './runnable.ts'

/** How long `person` waits for a connection. */
const REFRESH_WAIT_MS = 2_000
/** Hex digits of a whole id. */
const MESSAGE_ID_DIGITS = 64

/** Devices of a person have so long to say whether they are here. */
const PRESENCE_PATIENCE_MS = 1_000

/** A command that names one person. */
type AboutPerson = Extract<Runnable, { person: string }>

export const person: Run<'person'> = async (peer, command, output) => {
  await requireRegistered(peer)
  const known = await personNamed(peer, command.person, command.timeoutMs)
  const found = await asOfNow(peer, known)
  if (command.picture !== undefined) await savePicture(peer, found, command.picture)
  const [links, presence] = await Promise.all([peer.social.links(found.accountId), presenceOf(peer, found)])
  const about = found.about === '' ? '' : `\n    ${printable(found.about)}`
  const linked = links.map(link => `\n    ${linkLine(link)}`).join('')
  const here = presence.state === 'unknown' ? '' : `\n    ${presenceWords(presence)}`
  await output.print({ ...personJson(found), presence, links }, personLine(found) + about + here + linked)
  return EXIT.done
}

/** A person as nodes know them now; as this device knows them where none answers soon. */
async function asOfNow(peer: NodePeer, known: Person): Promise<Person> {
  if (known.isMe || !(await peer.online(REFRESH_WAIT_MS))) return known
  return peer.people.refresh(known.accountId).catch(() => known)
}

/** Where a person is: their devices are asked, and have a moment for the answer. */
async function presenceOf(peer: NodePeer, { accountId, isMe }: Person) {
  if (isMe) return { state: 'unknown', seenAt: null } as const
  const answered = Promise.withResolvers<void>()
  const stop = peer.on('presence', notice => notice.accountId === accountId && answered.resolve())
  const timer = setTimeout(() => answered.resolve(), PRESENCE_PATIENCE_MS)
  try {
    if ((await peer.people.presence(accountId)).isAsked) await answered.promise
    const { state, seenAt } = await peer.people.presence(accountId)
    return { state, seenAt }
  } finally {
    stop()
    clearTimeout(timer)
  }
}

function presenceWords({ state, seenAt }: Pick<PersonPresence, 'state' | 'seenAt'>): string {
  return state === 'here' ? 'is here now' : `was here last at ${new Date(seenAt ?? 0).toISOString()}`
}

export const contacts: Run<'contacts'> = async (peer, _command, output) => {
  await requireRegistered(peer)
  await soonCaughtUp(peer)
  for (const contact of await peer.people.contacts()) await output.print(personJson(contact), personLine(contact))
  return EXIT.done
}

/** Who is added as a contact may write from then on. */
export const contactsAdd: Run<'contactsAdd'> = async (peer, command, output) => {
  const { nickname, muted } = command
  const marks: Partial<PersonMarks> = {
    contact: true,
    answer: 'accepted',
    ...(nickname === undefined ? {} : { nickname }),
    ...(muted === undefined ? {} : { muted })
  }
  const marked = await mark(peer, command, marks)
  await output.print(personJson(marked), `${nameOf(marked)} is a contact.`)
  return EXIT.done
}

export const contactsRemove: Run<'contactsRemove'> = async (peer, command, output) => {
  const marked = await mark(peer, command, { contact: false, nickname: null })
  await output.print(personJson(marked), `${nameOf(marked)} is no contact any more.`)
  return EXIT.done
}

export const block: Run<'block'> = async (peer, command, output) => {
  const marked = await mark(peer, command, { blocked: true })
  await output.print(
    personJson(marked),
    `${nameOf(marked)} is blocked. What they send is dropped, and they are told nothing.`
  )
  return EXIT.done
}

export const unblock: Run<'unblock'> = async (peer, command, output) => {
  const marked = await mark(peer, command, { blocked: false })
  await output.print(personJson(marked), `${nameOf(marked)} is not blocked.`)
  return EXIT.done
}

async function mark(
  peer: NodePeer,
  { person, timeoutMs }: CommandOf<AboutPerson['kind']>,
  marks: Partial<PersonMarks>
): Promise<Person> {
  await requireRegistered(peer)
  const found = await personNamed(peer, person, timeoutMs)
  return peer.people.mark(found.accountId, marks)
}

export const report: Run<'report'> = async (peer, command, output) => {
  await requireRegistered(peer)
  const { text, timeoutMs } = command
  const found = await personNamed(peer, command.person, timeoutMs)
  const messages: string[] = []
  for (const id of command.messages) messages.push(await reportedMessage(peer, found, id, timeoutMs))
  const { origin } = await peer.people.report(found.accountId, { text, messages })
  await output.print(
    { accountId: found.accountId, username: found.username, reportedTo: origin, messages },
    `The operator of ${origin} has your report about ${nameOf(found)}. They are not told.`
  )
  return EXIT.done
}

/** A whole id may name a message of any chat; the beginning of one names a message of the chat with the person. */
async function reportedMessage(peer: NodePeer, person: Person, id: string, timeoutMs?: number): Promise<string> {
  if (id.length === MESSAGE_ID_DIGITS) return id
  const chat = await peer.conversations.open(person.accountId)
  return (await messageNamed(peer, chat, id, timeoutMs)).id
}
