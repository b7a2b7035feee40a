/** The words and options of `volo-peer group`. */
import { Option, type Command as CommandWord } from 'commander'
import type { GroupRights } from '../peer-api.ts'
import { UsageError } from './usage-error.ts'

const PICTURE_FILE = 'a JPEG, PNG or WebP of at most 256 KiB; what is written beside the pixels stays here'

/** What `volo-peer group …` can be told. `group` is `group:ID`, or the id alone. */
export type GroupCommand =
  | { kind: 'groupCreate'; name: string; people: string[]; description: string; picture: string | undefined }
  | { kind: 'groupAdd'; group: string; people: string[] }
  | { kind: 'groupRemove'; group: string; people: string[] }
  | { kind: 'groupPromote'; group: string; person: string }
  | { kind: 'groupDemote'; group: string; person: string }
  | { kind: 'groupRename'; group: string; name: string }
  | { kind: 'groupDescribe'; group: string; text: string }
  | { kind: 'groupPicture'; group: string; file: string | null }
  | { kind: 'groupPictureSave'; group: string; file: string }
  | { kind: 'groupRights'; group: string; rights: Partial<GroupRights> }
  | { kind: 'groupLeave'; group: string }
  | { kind: 'groupMembers'; group: string }
  | { kind: 'groupLink'; group: string; needsApproval: boolean | undefined; isNew: boolean }
  | { kind: 'groupRequests'; group: string }
  | { kind: 'groupApprove'; group: string; person: string; isApproved: boolean }
  | { kind: 'groupMute'; group: string; isMuted: boolean }
  | { kind: 'groupAccept'; group: string }
  | { kind: 'groupIgnore'; group: string }
  | { kind: 'groupJoin'; link: string }
  | { kind: 'groupList' }

/** Adds the word `group` to a command line. @param take - receives the command, once it is understood. */
export function addGroupCommands(program: CommandWord, take: (command: GroupCommand) => void): void {
  const group = program.command('group').description('conversations of many; GROUP is group:ID')
  addPeople(group, take)
  addOwn(group, take)
  addEditing(group, take)
  group
    .command('list')
    .description('your groups')
    .action(() => take({ kind: 'groupList' }))
  group
    .command('members')
    .argument('<GROUP>')
    .description('who is in it, admins first')
    .action((id: string) => take({ kind: 'groupMembers', group: id }))
}

function addPeople(group: CommandWord, take: (command: GroupCommand) => void): void {
  group
    .command('create')
    .argument('<NAME>')
    .argument('[PERSON...]')
    .option('--description <TEXT>', 'what the group is about', '')
    .option('--picture <FILE>', PICTURE_FILE)
    .description('make a group; returns once the network keeps it')
    .action((name: string, people: string[], about: { description: string; picture?: string }) =>
      take({ kind: 'groupCreate', name, people, description: about.description, picture: about.picture })
    )
  const some = [
    ['add', 'groupAdd', 'add people; they read what is written from then on'],
    ['remove', 'groupRemove', 'take people out; they read nothing that is written later']
  ] as const
  for (const [word, kind, description] of some) {
    group
      .command(word)
      .argument('<GROUP>')
      .argument('<PERSON...>')
      .description(description)
      .action((id: string, people: string[]) => take({ kind, group: id, people }))
  }
  const roles = [
    ['promote', 'groupPromote', 'make a member an admin'],
    ['demote', 'groupDemote', 'take the admin role from a member']
  ] as const
  for (const [word, kind, description] of roles) {
    group
      .command(word)
      .argument('<GROUP>')
      .argument('<PERSON>')
      .description(description)
      .action((id: string, person: string) => take({ kind, group: id, person }))
  }
}

function addEditing(group: CommandWord, take: (command: GroupCommand) => void): void {
  const who = (flag: string, what: string): Option =>
    new Option(`--${flag} <WHO>`, `who may ${what}`).choices(['admins', 'members'])
  group
    .command('rename')
    .argument('<GROUP>')
    .argument('<NAME>')
    .description('give the group another name')
    .action((id: string, name: string) => take({ kind: 'groupRename', group: id, name }))
  group
    .command('describe')
    .argument('<GROUP>')
    .argument('<TEXT>')
    .description('give the group a description; an empty text takes it away')
    .action((id: string, text: string) => take({ kind: 'groupDescribe', group: id, text }))
  addPicture(group, take)
  group
    .command('rights')
    .argument('<GROUP>')
    .addOption(who('add', 'add people'))
    .addOption(who('edit', 'change name, description and picture'))
    .description('say who may do what, beside the admins')
    .action((id: string, rights: Partial<GroupRights>) => take({ kind: 'groupRights', group: id, rights }))
}

function addPicture(group: CommandWord, take: (command: GroupCommand) => void): void {
  group
    .command('picture')
    .argument('<GROUP>')
    .argument('[FILE]', PICTURE_FILE)
    .addOption(new Option('--remove', 'no picture any more').conflicts('save'))
    .option('--save <FILE>', 'save the picture; a file that is there already is never written over')
    .description('give the group a picture, take it away, or save it')
    .action((id: string, file: string | undefined, { remove, save }: { remove?: true; save?: string }) => {
      if ([file, remove, save].filter(given => given !== undefined).length !== 1) {
        throw new UsageError('give a FILE, --remove or --save')
      }
      if (save !== undefined) take({ kind: 'groupPictureSave', group: id, file: save })
      else take({ kind: 'groupPicture', group: id, file: file ?? null })
    })
}

function addOwn(group: CommandWord, take: (command: GroupCommand) => void): void {
  const own = [
    ['leave', 'groupLeave', 'go; what is on this device stays'],
    ['accept', 'groupAccept', 'take part in a group that a person you do not know added you to'],
    ['ignore', 'groupIgnore', 'take such a group off the list of requests']
  ] as const
  for (const [word, kind, description] of own) {
    group
      .command(word)
      .argument('<GROUP>')
      .description(description)
      .action((id: string) => take({ kind, group: id }))
  }
  for (const isMuted of [true, false]) {
    group
      .command(isMuted ? 'mute' : 'unmute')
      .argument('<GROUP>')
      .description(`${isMuted ? 'no notification' : 'notification'} of its messages, on all your devices`)
      .action((id: string) => take({ kind: 'groupMute', group: id, isMuted }))
  }
  group
    .command('link')
    .argument('<GROUP>')
    .addOption(new Option('--approve', 'you answer each person who asks').conflicts('open'))
    .option('--new', 'make another link; the one before lets no person in any more')
    .option('--open', 'who asks is added at once, as in the beginning')
    .description('print your link, by which people join')
    .action((id: string, { approve, open, new: isNew = false }: { approve?: true; open?: true; new?: boolean }) =>
      take({ kind: 'groupLink', group: id, needsApproval: approve ?? (open ? false : undefined), isNew })
    )
  group
    .command('requests')
    .argument('<GROUP>')
    .description('who has asked to join with your link, and waits for your answer')
    .action((id: string) => take({ kind: 'groupRequests', group: id }))
  for (const isApproved of [true, false]) {
    group
      .command(isApproved ? 'approve' : 'deny')
      .argument('<GROUP>')
      .argument('<PERSON>')
      .description(isApproved ? 'add a person who has asked' : 'let a request go; the person is not told')
      .action((id: string, person: string) => take({ kind: 'groupApprove', group: id, person, isApproved }))
  }
  group
    .command('join')
    .argument('<LINK>')
    .description('ask to be added to the group of a link')
    .action((link: string) => take({ kind: 'groupJoin', link }))
}
