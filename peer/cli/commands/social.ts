/** `social link`, `social unlink` and `social list`: web sites of the own account. */
import type { PersonLink } from '../../peer-api.ts'
import { printable, type Output } from '../output.ts'
import { EXIT, me, requireLive, requireRegistered, type Run } from './runnable.ts'

export const socialLink: Run<'socialLink'> = async (peer, { site }, output) => {
  await requireLive(peer)
  return print(output, await peer.social.link(site))
}

export const socialUnlink: Run<'socialUnlink'> = async (peer, { site }, output) => {
  await requireLive(peer)
  return print(output, await peer.social.unlink(site))
}

export const socialList: Run<'socialList'> = async (peer, _command, output) => {
  await requireRegistered(peer)
  return print(output, await peer.social.links((await me(peer)).accountId))
}

const STATES: Record<PersonLink['state'], string> = {
  linked: 'names this account',
  'not-linked': 'does not name this account',
  unknown: 'could not be asked'
}

async function print(output: Output, links: PersonLink[]): Promise<number> {
  for (const link of links) await output.print(link, `${printable(link.site)}  ${STATES[link.state]}`)
  return EXIT.done
}
