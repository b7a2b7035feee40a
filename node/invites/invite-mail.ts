import type { Invite } from '../../protocol/invite/invite-link.ts'
import type { Mail } from './mailer.ts'

/** One address, in the form that mail programs take (RFC 5321, dot-atoms only): no second one, no header. */
const ADDRESS = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[a-z0-9-]+(\.[a-z0-9-]+)+$/i

/** Whether a text is one e-mail address. */
export const isMailAddress = (text: string): boolean => ADDRESS.test(text)

/** The mail of an invitation, in plain text, without pictures or links that tell who reads it. */
export function inviteMail(to: string, { username, displayName }: Invite, link: string): Mail {
  const name = nameOf(username, displayName)
  const text = [
    `${name} invites you to chat on Volo: private messages, no company in the middle.`,
    '',
    link,
    '',
    'The link is for you. It works for a few days, in a browser, without an app to install.',
    'You do not know who this is? Then do nothing: your address was not kept.',
    ''
  ].join('\n')
  return { to, subject: `${name} invites you to Volo`, text }
}

/** Signs that give a name another meaning in a mail are left out: the person who invites wrote it. */
function nameOf(username: string | null, displayName: string): string {
  const shown = displayName.replace(/[<>@:/\\]/g, '').trim()
  if (username) return shown === '' || shown === username ? `@${username}` : `${shown} (@${username})`
  return shown === '' ? 'A person' : shown
}
