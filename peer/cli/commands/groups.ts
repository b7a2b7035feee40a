/** `group`: conversations of many. */
import type { NodePeer } from '../../node-peer.ts'
import type { ChatMessage, GroupChanged, GroupSummary, Person } from '../../peer-api.ts'
import { commandError } from '../errors.ts'
import { nameOf, printable, type Output } from '../output.ts'
import { messageProblemWords } from '../words.ts'
import { personNamed } from './find-person.ts'
import { readPicture, writePicture } from './picture.ts'
import {
  catchUp,
  EXIT,
  LOOK_UP_TIMEOUT_MS,
  requireLive,
  requireRegistered,
  SEND_TIMEOUT_MS,
  takeIn,
  type CommandOf,
  type Run
} from './runnable.ts'
import { untilSent } from './until-sent.ts'

/** What names a group in a command, before its id. */
export const GROUP_PREFIX = 'group:'

/** The id in `group:ID`, or in an id by itself. @throws CommandError `nobody-found`. */
export function groupIdOf(named: string): string {
  const id = named.startsWith(GROUP_PREFIX) ? named.slice(GROUP_PREFIX.length) : named
  if (/^[0-9a-f]{64}$/.test(id)) return id
  throw commandError('no-group-named', { group: named })
}

function groupJson({
  id,
  name,
  description,
  picture,
  rights,
  members,
  role,
  isRequest,
  isMuted
}: GroupSummary): object {
  const conversation = `${GROUP_PREFIX}${id}`
  return {
    group: id,
    conversation,
    name,
    description,
    picture,
    rights,
    members,
    role,
    request: isRequest,
    muted: isMuted
  }
}

function groupLine({ id, name, members, role, isRequest, isMuted }: GroupSummary): string {
  const standing = isRequest ? 'request' : (role ?? 'not in it any more')
  const muted = isMuted ? ', muted' : ''
  return `${GROUP_PREFIX}${id}  ${printable(name)}  ${members} members (${standing}${muted})`
}

/** The group that a command is about to change, once this device knows what others did to it. */
async function groupNow(peer: NodePeer, { group, timeoutMs }: { group: string; timeoutMs?: number | undefined }) {
  const id = groupIdOf(group)
  await requireLive(peer)
  await catchUp(peer, timeoutMs ?? SEND_TIMEOUT_MS)
  return id
}

/** Waits until the network keeps a change, and tells how it went. */
async function finish(
  peer: NodePeer,
  { group, line }: GroupChanged,
  command: CommandOf<GroupCommand>,
  output: Output
): Promise<number> {
  const signal = AbortSignal.timeout(command.timeoutMs ?? SEND_TIMEOUT_MS)
  return told(await untilSent(peer, line, signal), groupJson(group), groupLine(group), output)
}

async function told(line: ChatMessage, json: object, text: string, output: Output): Promise<number> {
  await output.print({ ...json, state: line.state, problem: line.problem }, text)
  if (line.state === 'waiting' || line.state === 'failed') {
    output.note(
      line.problem === null ? 'no node has confirmed it; it is kept and sent later' : messageProblemWords(line.problem)
    )
  }
  if (line.state === 'failed') return EXIT.failed
  return line.state === 'waiting' ? EXIT.timedOut : EXIT.done
}

/** The commands that change a group. */
type GroupCommand =
  | 'groupCreate'
  | 'groupAdd'
  | 'groupRemove'
  | 'groupPromote'
  | 'groupDemote'
  | 'groupRename'
  | 'groupDescribe'
  | 'groupPicture'
  | 'groupRights'
  | 'groupLeave'
  | 'groupJoin'

async function peopleNamed(peer: NodePeer, named: string[], timeoutMs?: number): Promise<Person[]> {
  const people: Person[] = []
  for (const name of named) people.push(await personNamed(peer, name, timeoutMs))
  return people
}

const idsOf = (people: Person[]): string[] => people.map(({ accountId }) => accountId)

export const groupCreate: Run<'groupCreate'> = async (peer, command, output) => {
  await requireLive(peer)
  const people = await peopleNamed(peer, command.people, command.timeoutMs)
  const { name, description, picture: file } = command
  const picture = file === undefined ? undefined : await readPicture(file)
  // A picture is handed to nodes before there is a group.
  if (picture) await peer.online(command.timeoutMs ?? LOOK_UP_TIMEOUT_MS)
  const about = { description, ...(picture && { picture }) }
  return finish(peer, await peer.groups.create(name, idsOf(people), about), command, output)
}

export const groupAdd: Run<'groupAdd'> = async (peer, command, output) => {
  const group = await groupNow(peer, command)
  const people = await peopleNamed(peer, command.people, command.timeoutMs)
  return finish(peer, await peer.groups.add(group, idsOf(people)), command, output)
}

export const groupRemove: Run<'groupRemove'> = async (peer, command, output) => {
  const group = await groupNow(peer, command)
  const people = await membersNamed(peer, group, command.people, command.timeoutMs)
  return finish(peer, await peer.groups.remove(group, idsOf(people)), command, output)
}

/** Members are found without a question to the network. */
async function membersNamed(peer: NodePeer, group: string, named: string[], timeoutMs?: number): Promise<Person[]> {
  const members = (await peer.groups.members(group)).map(({ person }) => person)
  const people: Person[] = []
  for (const name of named) {
    const bare = name.replace(/^@/, '').toLowerCase()
    const known = members.find(({ accountId, username }) => accountId === name || username?.toLowerCase() === bare)
    people.push(known ?? (await personNamed(peer, name, timeoutMs)))
  }
  return people
}

const setRole =
  (role: 'admin' | 'member') =>
  async (
    peer: NodePeer,
    command: CommandOf<'groupPromote'> | CommandOf<'groupDemote'>,
    output: Output
  ): Promise<number> => {
    const group = await groupNow(peer, command)
    const [person] = await membersNamed(peer, group, [command.person], command.timeoutMs)
    return finish(peer, await peer.groups.setRole(group, person!.accountId, role), command, output)
  }

export const groupPromote: Run<'groupPromote'> = setRole('admin')
export const groupDemote: Run<'groupDemote'> = setRole('member')

export const groupRename: Run<'groupRename'> = async (peer, command, output) => {
  const group = await groupNow(peer, command)
  return finish(peer, await peer.groups.rename(group, command.name), command, output)
}

export const groupDescribe: Run<'groupDescribe'> = async (peer, command, output) => {
  const group = await groupNow(peer, command)
  return finish(peer, await peer.groups.describe(group, command.text), command, output)
}

export const groupPicture: Run<'groupPicture'> = async (peer, command, output) => {
  const picture = command.file === null ? null : await readPicture(command.file)
  const group = await groupNow(peer, command)
  return finish(peer, await peer.groups.setPicture(group, picture), command, output)
}

export const groupPictureSave: Run<'groupPictureSave'> = async (peer, command, output) => {
  await requireRegistered(peer)
  await takeIn(peer, command.timeoutMs)
  const id = groupIdOf(command.group)
  const group = (await peer.groups.list()).find(each => each.id === id)
  const picture = await peer.groups.picture(id)
  if (!group || !picture) throw commandError('no-group-picture', {})
  await writePicture(picture, command.file)
  await output.print(groupJson(group), groupLine(group))
  return EXIT.done
}

export const groupRights: Run<'groupRights'> = async (peer, command, output) => {
  const group = await groupNow(peer, command)
  return finish(peer, await peer.groups.setRights(group, command.rights), command, output)
}

export const groupLeave: Run<'groupLeave'> = async (peer, command, output) => {
  const group = await groupNow(peer, command)
  return finish(peer, await peer.groups.leave(group), command, output)
}

export const groupList: Run<'groupList'> = async (peer, command, output) => {
  await requireRegistered(peer)
  await takeIn(peer, command.timeoutMs)
  for (const group of await peer.groups.list()) await output.print(groupJson(group), groupLine(group))
  return EXIT.done
}

export const groupMembers: Run<'groupMembers'> = async (peer, command, output) => {
  await requireRegistered(peer)
  await takeIn(peer, command.timeoutMs)
  const group = groupIdOf(command.group)
  for (const { person } of await peer.groups.members(group)) {
    // Members whom another own device knows may have no name here yet.
    if (person.username === null) await peer.people.find(person.accountId).catch(() => null)
  }
  for (const { person, role, since, addedBy } of await peer.groups.members(group)) {
    const { username, accountId, displayName } = person
    const json = { username, accountId, displayName, role, since, addedBy: addedBy.username ?? addedBy.accountId }
    await output.print(json, `${nameOf(person)}  ${role}`)
  }
  return EXIT.done
}

export const groupLink: Run<'groupLink'> = async (peer, command, output) => {
  const group = await groupNow(peer, command)
  const { needsApproval, isNew } = command
  const { url: link, needsApproval: asks } = await peer.groups.link(group, {
    isNew,
    ...(needsApproval === undefined ? {} : { needsApproval })
  })
  await output.print({ group, link, needsApproval: asks }, link)
  return EXIT.done
}

export const groupRequests: Run<'groupRequests'> = async (peer, command, output) => {
  await requireRegistered(peer)
  await catchUp(peer, command.timeoutMs ?? SEND_TIMEOUT_MS)
  for (const { person, at } of await peer.groups.requests(groupIdOf(command.group))) {
    const { username, accountId, displayName } = person
    await output.print({ username, accountId, displayName, at }, `${nameOf(person)}  asks to join`)
  }
  return EXIT.done
}

export const groupApprove: Run<'groupApprove'> = async (peer, command, output) => {
  const group = await groupNow(peer, command)
  const asked = (await peer.groups.requests(group)).map(({ person }) => person)
  const bare = command.person.replace(/^@/, '').toLowerCase()
  const named = asked.find(({ accountId, username }) => accountId === command.person || username === bare)
  const { accountId } = named ?? (await personNamed(peer, command.person, command.timeoutMs))
  const answered = await peer.groups.answerRequest(group, accountId, command.isApproved)
  await output.print(groupJson(answered), groupLine(answered))
  return EXIT.done
}

/** Returns once the question is with the network: who made the link adds this account as soon as a device of theirs is there. */
export const groupJoin: Run<'groupJoin'> = async (peer, command, output) => {
  await requireLive(peer)
  const signal = AbortSignal.timeout(command.timeoutMs ?? SEND_TIMEOUT_MS)
  // The account of the link has to be looked up.
  await peer.online(command.timeoutMs ?? SEND_TIMEOUT_MS)
  const line = await peer.groups.join(command.link)
  return told(await untilSent(peer, line, signal), { asked: true }, 'You asked to be added to the group.', output)
}

export const groupMute: Run<'groupMute'> = async (peer, { group, isMuted, timeoutMs }, output) => {
  await requireRegistered(peer)
  await takeIn(peer, timeoutMs)
  const muted = await peer.groups.mute(groupIdOf(group), isMuted)
  await output.print(groupJson(muted), groupLine(muted))
  return EXIT.done
}

const answer =
  (given: 'accepted' | 'ignored') =>
  async (
    peer: NodePeer,
    { group, timeoutMs }: CommandOf<'groupAccept'> | CommandOf<'groupIgnore'>,
    output: Output
  ): Promise<number> => {
    await requireRegistered(peer)
    await takeIn(peer, timeoutMs)
    const answered = await peer.groups.answer(groupIdOf(group), given)
    await output.print(groupJson(answered), groupLine(answered))
    return EXIT.done
  }

export const groupAccept: Run<'groupAccept'> = answer('accepted')
export const groupIgnore: Run<'groupIgnore'> = answer('ignored')
