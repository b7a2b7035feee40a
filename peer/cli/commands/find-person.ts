import { isSameName } from '../../../protocol/identity/username.ts'
import type { NodePeer } from '../../node-peer.ts'
import { PeerError } from '../../errors.ts'
import type { Person } from '../../peer-api.ts'
import { commandError } from '../errors.ts'
import { orTimeout, SEND_TIMEOUT_MS } from './runnable.ts'

/** Pause between two questions while no node can be reached. */
const ASK_AGAIN_MS = 300

/** A contact, or a person with whom there is a conversation on this device. No node is asked. */
export async function knownPerson(peer: NodePeer, query: string): Promise<Person | undefined> {
  const name = query.replace(/^@/, '').toLowerCase()
  const partners = (await peer.snapshot()).conversations.map(({ person }) => person)
  return [...partners, ...(await peer.people.contacts())].find(
    ({ accountId, username }) => accountId === query || (username !== null && isSameName(username, name))
  )
}

/** Looks a person up. Tries again while no node can be reached. @throws CommandError if nobody is found, or in no time. */
export async function findPerson(peer: NodePeer, query: string, signal: AbortSignal): Promise<Person> {
  const isWhole = /^[0-9a-f]{64}$/.test(query) || query.startsWith('@') || query.includes(':')
  const name = isWhole ? query : `@${query}`
  for (;;) {
    try {
      const person = await peer.people.find(name)
      if (person) return person
      throw commandError('nobody-found', { person: name })
    } catch (error) {
      if (!(error instanceof PeerError) || error.code !== 'offline') throw error
    }
    await new Promise(resolve => setTimeout(resolve, ASK_AGAIN_MS))
    if (signal.aborted) throw commandError('person-not-asked-in-time', { person: name })
  }
}

/** A person that this device knows at once; any other is looked up. */
export async function personNamed(peer: NodePeer, query: string, timeoutMs = SEND_TIMEOUT_MS): Promise<Person> {
  const known = await knownPerson(peer, query)
  if (known) return known
  const signal = AbortSignal.timeout(timeoutMs)
  return orTimeout(signal, 'find', () => findPerson(peer, query, signal))
}
