/** `social link`, `social unlink`, `social show`, `social hide` and `social list`: web sites and accounts elsewhere of the own account. */
import type { NodePeer } from '../../node-peer.ts'
import type { AccountLink, PersonLink, SiteLink } from '../../peer-api.ts'
import { demoSignIn } from '../demo-sign-in.ts'
import { printable, type Output } from '../output.ts'
import { EXIT, LOOK_UP_TIMEOUT_MS, me, requireLive, requireRegistered, type CommandOf, type Run } from './runnable.ts'

/** Where a sign-in ends. Nothing listens there: the person copies the address out of the browser. */
const RETURN_TO = 'http://127.0.0.1:9/'

export const socialLink: Run<'socialLink'> = async (peer, command, output) => {
  await requireLive(peer)
  const { to, code, isShown } = command
  if (isSite(to)) return print(output, await peer.social.link(to))
  if (code !== undefined) return print(output, await peer.social.finishAccount(codeIn(code), isShown))
  const url = await peer.social.startAccount(to, RETURN_TO)
  if (command.demoUser !== undefined) return linkDemo(peer, command, command.demoUser, url, output)
  await output.print(
    { url, returnTo: RETURN_TO },
    `Sign in at ${url}\nThe browser then ends at an address that does not open: run the same command with --code and that address.`
  )
  return EXIT.done
}

async function linkDemo(
  peer: NodePeer,
  { isShown, timeoutMs }: CommandOf<'socialLink'>,
  user: string,
  url: string,
  output: Output
): Promise<number> {
  const signal = AbortSignal.timeout(timeoutMs ?? LOOK_UP_TIMEOUT_MS)
  const code = await demoSignIn(fetch, url, RETURN_TO, user, signal)
  return print(output, await peer.social.finishAccount(code, isShown))
}

export const socialUnlink: Run<'socialUnlink'> = async (peer, { to }, output) => {
  await requireLive(peer)
  const links = await (isSite(to) ? peer.social.unlink(to) : peer.social.unlinkAccount(to))
  await soonOnline(peer)
  return print(output, links)
}

export const socialShow: Run<'socialShow'> = async (peer, { provider, isShown }, output) => {
  await requireLive(peer)
  const links = await peer.social.showAccount(provider, isShown)
  await soonOnline(peer)
  return print(output, links)
}

/** Others and nodes hear of it when the command ends, if there is a connection by then; else by the next command. */
const soonOnline = (peer: NodePeer): Promise<boolean> => peer.online(LOOK_UP_TIMEOUT_MS)

export const socialList: Run<'socialList'> = async (peer, _command, output) => {
  await requireRegistered(peer)
  return print(output, await peer.social.links((await me(peer)).accountId))
}

/** Providers have no dots in their names; host names have, and addresses, too. */
const isSite = (to: string): boolean => !/^[a-z0-9-]{1,32}$/.test(to)

/** The code in an address such as `http://127.0.0.1:9/#/signed-in?code=…`, or what was typed. */
const codeIn = (typed: string): string => /[?&]code=([\w-]+)/.exec(typed)?.[1] ?? typed

const SITE_STATES: Record<SiteLink['state'], string> = {
  linked: 'names this account',
  'not-linked': 'does not name this account',
  unknown: 'could not be asked'
}

const ACCOUNT_STATES: Record<AccountLink['state'], (node: string) => string> = {
  said: node => `says ${node}, and nobody else`,
  old: node => `says ${node}, more than a year ago`,
  unlisted: () => 'says a node that is not of this network'
}

/** `ada.example  names this account`, `x: ada  says https://node.example, and nobody else`. */
export function linkLine(link: PersonLink): string {
  if (link.kind === 'site') return `${printable(link.site)}  ${SITE_STATES[link.state]}`
  const { provider, handle, state, checkedBy, isShown } = link
  const hidden = isShown === false ? ' (only your devices see it)' : ''
  return `${provider}: ${handle ?? 'an account'}  ${ACCOUNT_STATES[state](printable(checkedBy ?? ''))}${hidden}`
}

async function print(output: Output, links: PersonLink[]): Promise<number> {
  for (const link of links) await output.print(link, linkLine(link))
  return EXIT.done
}
