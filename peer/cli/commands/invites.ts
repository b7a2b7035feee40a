/** `invite link`, `invite mail`, `invite accept`, `invite list` and `invite revoke`. */
import type { NodePeer } from '../../node-peer.ts'
import { PeerError } from '../../errors.ts'
import type { OwnInvite } from '../../peer-api.ts'
import { commandError } from '../errors.ts'
import { nameOf, personJson } from '../output.ts'
import { EXIT, orTimeout, requireLive, requireRegistered, soonCaughtUp, SEND_TIMEOUT_MS, type Run } from './runnable.ts'

/** How much of an id people are shown. */
const SHORT_ID = 12

export const inviteLink: Run<'inviteLink'> = async (peer, { uses, lifeMs }, output) => {
  await requireLive(peer)
  const made = await peer.invites.create({ uses, lifeMs })
  await output.print(made, `${made.url}\nGood for ${made.uses} person(s), until ${dayOf(made.expiresAt)}.`)
  return EXIT.done
}

export const inviteMail: Run<'inviteMail'> = async (peer, { address }, output) => {
  await requireLive(peer)
  const made = await peer.invites.mail(address)
  await output.print(made, `The invitation is on its way. It is good until ${dayOf(made.expiresAt)}.`)
  return EXIT.done
}

export const inviteAccept: Run<'inviteAccept'> = async (peer, { url, timeoutMs }, output) => {
  await requireLive(peer)
  const signal = AbortSignal.timeout(timeoutMs ?? SEND_TIMEOUT_MS)
  const { id, person } = await orTimeout(signal, 'accept-invite', () => peer.invites.accept(url))
  // The inviter hears of it when the command ends, if there is a connection by then; else by the next command.
  await output.print({ ...personJson(person), conversation: id }, `${nameOf(person)} is a contact now.`)
  return EXIT.done
}

export const inviteList: Run<'inviteList'> = async (peer, _command, output) => {
  await requireRegistered(peer)
  // Who has accepted says so in a message.
  await soonCaughtUp(peer)
  for (const invite of await peer.invites.list()) await output.print(invite, inviteLine(invite))
  return EXIT.done
}

export const inviteRevoke: Run<'inviteRevoke'> = async (peer, { id }, output) => {
  await requireLive(peer)
  const invite = await inviteNamed(peer, id)
  await peer.invites.revoke(invite.id)
  await output.print({ id: invite.id, revoked: true }, 'The link is taken back.')
  return EXIT.done
}

/** @throws CommandError `invite-ambiguous`; PeerError `invite-unknown`. */
async function inviteNamed(peer: NodePeer, start: string): Promise<OwnInvite> {
  const matches = (await peer.invites.list()).filter(({ id }) => id.startsWith(start))
  if (matches.length > 1) throw commandError('invite-ambiguous', { id: start, matches: matches.length })
  if (matches.length === 0) throw new PeerError('invite-unknown')
  return matches[0]!
}

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 16).replace('T', ' ')

const inviteLine = ({ id, url, expiresAt, uses, accepted }: OwnInvite): string =>
  `${id.slice(0, SHORT_ID)}  used ${accepted.length} of ${uses}, until ${dayOf(expiresAt)}\n    ${url}`
