/** The words of the commands about people: contacts, requests, invitations and web sites. */
import { Option } from 'commander'
import { INVITE_LIFE_MS, MAX_INVITE_LIFE_MS, MAX_INVITE_USES } from '../../protocol/invite/invite-limits.ts'
import type { AddCommandsOf, CommonOptions } from './command-options.ts'
import { nonEmpty, positiveInteger } from './option-values.ts'
import { UsageError } from './usage-error.ts'

const HOUR_MS = 60 * 60 * 1000

export type PeopleCommand =
  | ({ kind: 'person'; person: string; picture: string | undefined } & CommonOptions)
  | ({ kind: 'safety'; chat: string } & CommonOptions)
  | ({ kind: 'safetyCheck'; chat: string; code: string } & CommonOptions)
  | ({ kind: 'contacts' } & CommonOptions)
  | ({ kind: 'contactsAdd'; person: string; nickname: string | undefined; muted: boolean | undefined } & CommonOptions)
  | ({ kind: 'contactsRemove'; person: string } & CommonOptions)
  | ({ kind: 'block'; person: string } & CommonOptions)
  | ({ kind: 'unblock'; person: string } & CommonOptions)
  | ({ kind: 'report'; person: string; text: string; messages: string[] } & CommonOptions)
  | ({ kind: 'inviteLink'; uses: number; lifeMs: number } & CommonOptions)
  | ({ kind: 'inviteMail'; address: string } & CommonOptions)
  | ({ kind: 'inviteAccept'; url: string } & CommonOptions)
  | ({ kind: 'inviteList' } & CommonOptions)
  | ({ kind: 'inviteRevoke'; id: string } & CommonOptions)
  | ({
      kind: 'socialLink'
      /** A host name, or the name of a provider. */
      to: string
      /** The address that a sign-in ended at, or the code in it. */
      code: string | undefined
      demoUser: string | undefined
      isShown: boolean
    } & CommonOptions)
  | ({ kind: 'socialUnlink'; to: string } & CommonOptions)
  | ({ kind: 'socialShow'; provider: string; isShown: boolean } & CommonOptions)
  | ({ kind: 'socialList' } & CommonOptions)
  | ({
      kind: 'privacy'
      tellsRead: boolean | undefined
      tellsTyping: boolean | undefined
      tellsPresence: boolean | undefined
    } & CommonOptions)
  | ({ kind: 'requests'; all: boolean } & CommonOptions)
  | ({ kind: 'requestsWord'; word: string | null | undefined } & CommonOptions)
  | ({ kind: 'requestsAccept'; person: string } & CommonOptions)
  | ({ kind: 'requestsIgnore'; person: string } & CommonOptions)

type AddCommands = AddCommandsOf<PeopleCommand>

/** Adds the commands. */
export const addPeopleCommands: AddCommands = (program, common, take) => {
  addPersonCommands(program, common, take)
  addSafetyCommands(program, common, take)
  addReportCommand(program, common, take)
  addRequestCommands(program, common, take)
  addInviteCommands(program, common, take)
  addPrivacyCommand(program, common, take)
  addSocialCommands(program, common, take)
}

const addSafetyCommands: AddCommands = (program, common, take) => {
  program
    .command('safety')
    .argument('<CHAT>')
    .description(
      'the numbers of a conversation and the code that the other person compares; with --check, compare their code'
    )
    .option(
      '--check <CODE>',
      'the text of the code that the other person shows; exit code 1 if you do not see the same'
    )
    .action((chat: string, { check: code }: { check?: string }) =>
      take(
        code === undefined ? { kind: 'safety', chat, ...common() } : { kind: 'safetyCheck', chat, code, ...common() }
      )
    )
}

const addPersonCommands: AddCommands = (program, common, take) => {
  program
    .command('person')
    .argument('<PERSON>')
    .description('what is known of a person: names, record, your own marks, whether they are here')
    .option('--picture <FILE>', "save the person's picture; a file that is there already is never written over")
    .action((person: string, { picture }: { picture?: string }) =>
      take({ kind: 'person', person, picture, ...common() })
    )
  const contacts = program
    .command('contacts')
    .description('your contacts, by name')
    .action(() => take({ kind: 'contacts', ...common() }))
  contacts
    .command('add')
    .argument('<PERSON>')
    .description('make a person a contact, or change the nickname of one')
    .option('--nickname <TEXT>', 'how you call the person; an empty text for their own name')
    .option('--mute', 'no notification of messages')
    .option('--no-mute', 'notification of messages')
    .action((person: string, { nickname, mute: muted }: { nickname?: string; mute?: boolean }) => {
      take({ kind: 'contactsAdd', person, nickname, muted, ...common() })
    })
  contacts
    .command('remove')
    .argument('<PERSON>')
    .description('a contact no longer; the conversation stays')
    .action((person: string) => take({ kind: 'contactsRemove', person, ...common() }))
  program
    .command('block')
    .argument('<PERSON>')
    .description('drop what a person sends, and tell them nothing')
    .action((person: string) => take({ kind: 'block', person, ...common() }))
  program
    .command('unblock')
    .argument('<PERSON>')
    .description('take a block back; what came meanwhile is gone')
    .action((person: string) => take({ kind: 'unblock', person, ...common() }))
}

const addReportCommand: AddCommands = (program, common, take) => {
  program
    .command('report')
    .argument('<PERSON>')
    .description('tell the operator of the node in use about a person, who is not told')
    .option('--text <TEXT>', 'what it is about', '')
    .option('--message <ID...>', 'messages that the operator then can read, by their ids or beginnings')
    .action((person: string, { text, message: messages = [] }: { text: string; message?: string[] }) => {
      const wrong = messages.find(id => !/^[0-9a-f]{8,64}$/.test(id))
      if (wrong !== undefined)
        throw new UsageError(`a message is named by 8 to 64 hex digits of its id, got "${wrong}"`)
      if (text.trim() === '' && messages.length === 0) throw new UsageError('--text or --message is missing')
      take({ kind: 'report', person, text: text.trim(), messages, ...common() })
    })
}

/** Without one of the two words it shows what is set. */
const addWordCommands: AddCommands = (requests, common, take) => {
  const word = requests
    .command('word')
    .description('a word that strangers must know before what they write is shown; nobody is told that they lack it')
    .action(() => take({ kind: 'requestsWord', word: undefined, ...common() }))
  word
    .command('set')
    .argument('<WORD>', 'what you tell people who may write to you', nonEmpty('word'))
    .description('ask it of strangers from now on')
    .action((chosen: string) => take({ kind: 'requestsWord', word: chosen, ...common() }))
  word
    .command('clear')
    .description('everybody may write again')
    .action(() => take({ kind: 'requestsWord', word: null, ...common() }))
}

const addRequestCommands: AddCommands = (program, common, take) => {
  const requests = program
    .command('requests')
    .description('people who wrote to you and wait for an answer')
    .option('--all', 'also those who do not know the word that you set', false)
    .action(({ all }: { all: boolean }) => take({ kind: 'requests', all, ...common() }))
  addWordCommands(requests, common, take)
  requests
    .command('accept')
    .argument('<PERSON>')
    .description('talk with a person; writing to them accepts them, too')
    .action((person: string) => take({ kind: 'requestsAccept', person, ...common() }))
  requests
    .command('ignore')
    .argument('<PERSON>')
    .description('take a person off the list; they are not told')
    .action((person: string) => take({ kind: 'requestsIgnore', person, ...common() }))
  requests
    .command('block')
    .argument('<PERSON>')
    .description('the same as: block PERSON')
    .action((person: string) => take({ kind: 'block', person, ...common() }))
}

const addInviteCommands: AddCommands = (program, common, take) => {
  const invite = program.command('invite').description('bring people in by a link')
  invite
    .command('link')
    .description('make a link that makes a contact of whoever opens it')
    .option('--uses <N>', 'how many people may use it, 1 to 100', positiveInteger('uses'), 1)
    .option('--expires <TIME>', 'how long it is good: hours or days such as 12h, 30d at most (default: 7d)', duration)
    .action(({ uses, expires }: { uses: number; expires?: number }) => {
      if (uses > MAX_INVITE_USES) throw new UsageError(`--uses must be at most ${MAX_INVITE_USES}, got "${uses}"`)
      take({ kind: 'inviteLink', uses, lifeMs: expires ?? INVITE_LIFE_MS, ...common() })
    })
  invite
    .command('mail')
    .argument('<ADDRESS>')
    .description('make a link for one person, and have the node mail it')
    .action((address: string) => take({ kind: 'inviteMail', address, ...common() }))
  invite
    .command('accept')
    .argument('<URL>')
    .description('use a link: you and its maker are contacts of each other')
    .action((url: string) => take({ kind: 'inviteAccept', url, ...common() }))
  invite
    .command('list')
    .description('your links, and who has used them')
    .action(() => take({ kind: 'inviteList', ...common() }))
  invite
    .command('revoke')
    .argument('<ID>', 'as invite list prints it, or its beginning (8 hex digits or more)')
    .description('take a link back')
    .action((id: string) => {
      if (!/^[0-9a-f]{8,64}$/.test(id)) throw new UsageError(`an invitation is named by its id, got "${id}"`)
      take({ kind: 'inviteRevoke', id, ...common() })
    })
}

const addPrivacyCommand: AddCommands = (program, common, take) => {
  const onOff = (flag: string, what: string) => new Option(`--${flag} <WHEN>`, what).choices(['on', 'off'])
  program
    .command('privacy')
    .description('what others learn of what you do; without options it is printed')
    .addOption(onOff('read', 'tell people that you have read their messages'))
    .addOption(onOff('typing', 'show accepted people that you type, and see it of them'))
    .addOption(onOff('presence', 'show accepted people that you are here, and see it of them'))
    .action(({ read, typing, presence }: { read?: string; typing?: string; presence?: string }) =>
      take({
        kind: 'privacy',
        tellsRead: isOn(read),
        tellsTyping: isOn(typing),
        tellsPresence: isOn(presence),
        ...common()
      })
    )
}

const isOn = (given: string | undefined): boolean | undefined => (given === undefined ? undefined : given === 'on')

const addSocialCommands: AddCommands = (program, common, take) => {
  const social = program.command('social').description('web sites and accounts elsewhere that belong to you')
  social
    .command('link')
    .argument(
      '<SITE|PROVIDER>',
      'a host name such as ada.example, whose /.well-known/volo.json names your account id; or a provider of the node, such as x or github'
    )
    .option(
      '--code <CODE>',
      'for a provider: the address that the sign-in ended at, or the code in it',
      nonEmpty('code')
    )
    .option('--demo-user <NAME>', 'whom to be at the demo sign-in', nonEmpty('demo-user'))
    .option('--hidden', 'for a provider: only your own devices see it', false)
    .description('link a site, or an account elsewhere: prints the address to sign in at; again with --code ends it')
    .action((to: string, { code, demoUser, hidden }: { code?: string; demoUser?: string; hidden: boolean }) =>
      take({ kind: 'socialLink', to, code, demoUser, isShown: !hidden, ...common() })
    )
  social
    .command('unlink')
    .argument('<SITE|PROVIDER>')
    .description('take a link back')
    .action((to: string) => take({ kind: 'socialUnlink', to, ...common() }))
  for (const isShown of [true, false]) {
    social
      .command(isShown ? 'show' : 'hide')
      .argument('<PROVIDER>')
      .description(isShown ? 'show an account elsewhere to those who have your profile' : 'show it no longer')
      .action((provider: string) => take({ kind: 'socialShow', provider, isShown, ...common() }))
  }
  social
    .command('list')
    .description('your links, and what their sites say now')
    .action(() => take({ kind: 'socialList', ...common() }))
}

/** @returns milliseconds. */
function duration(value: string): number {
  const [, number, unit] = /^(\d{1,4})([hd])$/.exec(value) ?? []
  const ms = Number(number) * (unit === 'h' ? HOUR_MS : 24 * HOUR_MS)
  if (ms > 0 && ms <= MAX_INVITE_LIFE_MS) return ms
  throw new UsageError(`--expires must be hours or days such as 12h or 7d, at most 30d, got "${value}"`)
}
