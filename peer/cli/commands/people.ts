/** `person`, `contacts`, `block` and `unblock`. */
import type { NodePeer } from '../../node-peer.ts'
import type { Person, PersonMarks } from '../../peer-api.ts'
import { nameOf, personJson, personLine, printable } from '../output.ts'
import { personNamed } from './find-person.ts'
import { savePicture } from './picture.ts'
import { EXIT, requireRegistered, type CommandOf, type Run, type Runnable } from './runnable.ts'

/** A command that names one person. */
type AboutPerson = Extract<Runnable, { person: string }>

export const person: Run<'person'> = async (peer, command, output) => {
  await requireRegistered(peer)
  const found = await personNamed(peer, command.person, command.timeoutMs)
  if (command.picture !== undefined) await savePicture(peer, found, command.picture)
  const links = await peer.social.links(found.accountId)
  const linked = links.map(({ site, state }) => `\n    ${printable(site)} (${state})`).join('')
  await output.print({ ...personJson(found), links }, personLine(found) + linked)
  return EXIT.done
}

export const contacts: Run<'contacts'> = async (peer, _command, output) => {
  await requireRegistered(peer)
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
