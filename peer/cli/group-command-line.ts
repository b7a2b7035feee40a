/** The words and options of `volo-peer group`. */
import type { Command as CommandWord } from 'commander'

/** What `volo-peer group …` can be told. `group` is `group:ID`, or the id alone. */
export type GroupCommand =
  | { kind: 'groupCreate'; name: string; people: string[] }
  | { kind: 'groupAdd'; group: string; people: string[] }
  | { kind: 'groupRemove'; group: string; people: string[] }
  | { kind: 'groupPromote'; group: string; person: string }
  | { kind: 'groupDemote'; group: string; person: string }
  | { kind: 'groupRename'; group: string; name: string }
  | { kind: 'groupLeave'; group: string }
  | { kind: 'groupMembers'; group: string }
  | { kind: 'groupLink'; group: string }
  | { kind: 'groupAccept'; group: string }
  | { kind: 'groupIgnore'; group: string }
  | { kind: 'groupJoin'; link: string }
  | { kind: 'groupList' }

/** Adds the word `group` to a command line. @param take - receives the command, once it is understood. */
export function addGroupCommands(program: CommandWord, take: (command: GroupCommand) => void): void {
  const group = program.command('group').description('conversations of many; GROUP is group:ID')
  addPeople(group, take)
  addOwn(group, take)
  group
    .command('rename')
    .argument('<GROUP>')
    .argument('<NAME>')
    .description('give the group another name')
    .action((id: string, name: string) => take({ kind: 'groupRename', group: id, name }))
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
    .description('make a group; returns once the network keeps it')
    .action((name: string, people: string[]) => take({ kind: 'groupCreate', name, people }))
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

function addOwn(group: CommandWord, take: (command: GroupCommand) => void): void {
  const own = [
    ['leave', 'groupLeave', 'go; what is on this device stays'],
    ['link', 'groupLink', 'print a link by which people join'],
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
  group
    .command('join')
    .argument('<LINK>')
    .description('ask to be added to the group of a link')
    .action((link: string) => take({ kind: 'groupJoin', link }))
}
