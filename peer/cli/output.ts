import type { ChatEvent } from '../conversations/unheard-queue.ts'
import type {
  ChatMessage,
  DeviceRecord,
  FileView,
  GroupSummary,
  HeardBy,
  Me,
  Person,
  Poll,
  RecordDetails
} from '../peer-api.ts'
import { terminalJson, terminalText } from '../../protocol/terminal-text.ts'
import { DELETED_MESSAGE, lineWords, messageProblemWords, NEWER_MESSAGE } from './words.ts'

/** Where a command prints. With `--json` each thing is one line of JSON on stdout; otherwise text for people. */
export interface Output {
  /** @param value - printed with `--json`. @param human - printed without. */
  print(value: object, human: string): Promise<void>
  /** A remark for people, on stderr. */
  note(text: string): void
}

/** Where a command prints: the process's streams, or memory. */
export interface Terminal {
  /** Prints a result. Resolves once it is written: an exit right after it must not cut a pipe short. */
  out(text: string): Promise<void>
  /** Prints a remark or a complaint. */
  err(text: string): void
}

/** Writes a remark for people. */
export function writeNote(terminal: Terminal, text: string): void {
  terminal.err(`volo-peer: ${printable(text)}\n`)
}

export function createOutput(json: boolean, terminal: Terminal): Output {
  return {
    print: (value, human) => terminal.out(`${json ? terminalJson(value) : terminalText(human)}\n`),
    note: text => writeNote(terminal, text)
  }
}

/** `@username`, or the account id if the name is not known. */
export const nameOf = ({ username, accountId }: Pick<Person, 'username' | 'accountId'>): string =>
  username === null ? accountId : `@${username}`

/** A person as `--json` prints it. */
export function personJson({
  accountId,
  username,
  displayName,
  about,
  picture,
  record,
  marks,
  ...person
}: Person): object {
  const { nameConfirmed, verifiedAt, alert, isMe } = person
  const profile = { displayName, about, picture }
  return { accountId, username, isMe, profile, record, nameConfirmed, verifiedAt, alert, marks }
}

/** `@ada  Ada Lovelace (contact, muted)  settled in the public record …`. */
export function personLine({ accountId, username, displayName, record, marks, verifiedAt }: Person): string {
  const { nickname, contact, muted, blocked } = marks
  const flags = { contact, muted, blocked, verified: verifiedAt !== null }
  const noted = Object.entries(flags)
    .filter(([, isSet]) => isSet)
    .map(([flag]) => flag)
  const names = [nickname, displayName].filter(name => name !== null).map(printable)
  const suffix = noted.length > 0 ? ` (${noted.join(', ')})` : ''
  return `${nameOf({ username, accountId })}  ${names.join(' / ')}${suffix}  ${recordLine(record)}`
}

/** What a message says; for what is not a text, in the words of the command line. */
export function textOfMessage({ kind, text, line }: ChatMessage): string {
  if (line) return lineWords(line)
  if (kind === 'deleted') return DELETED_MESSAGE
  return kind === 'unsupported' ? NEWER_MESSAGE : text
}

/** How an account is called: username, else account id. */
export type Names = (account: string) => string

/** Who wrote a message. The marks of a person who was never looked up are not known. */
type Sender = Pick<Person, 'username' | 'accountId'> & Partial<Person>

/**
 * A message as `--json` prints it. `request`: a person wrote it whom the user has not accepted, or in a group to which such a
 * person has added the user.
 * @param group - null in other conversations.
 */
export function messageJson(
  message: ChatMessage,
  person: Sender,
  me: Me,
  group: GroupSummary | null,
  names: Names = id => id
): object {
  const from = message.mine ? me : person
  return {
    event: 'message',
    id: message.id,
    conversation: group ? `group:${group.id}` : message.conversationId,
    from: from.username ?? from.accountId,
    fromAccount: message.from,
    mine: message.mine,
    request: group?.isRequest ?? (!message.mine && !person.isMe && person.marks?.answer !== 'accepted'),
    kind: message.kind,
    text: textOfMessage(message),
    line: message.line,
    files: message.file === null ? [] : [fileJson(message.file)],
    sentAt: message.sentAt,
    receivedAt: message.receivedAt,
    state: message.state,
    problem: message.problem,
    replyTo: message.replyTo,
    forwarded: message.isForwarded,
    edited: message.editedAt !== null,
    editedAt: message.editedAt,
    deleted: message.kind === 'deleted',
    reactions: message.reactions.map(({ emoji, from, isMine }) => ({ emoji, from: from.map(names), mine: isMine })),
    poll: message.poll && pollJson(message.poll, names),
    pinned: message.isPinned,
    starred: message.isStarred,
    expires: message.expiresAt,
    expiresAfter: message.expiresAfter
  }
}

function pollJson({ options, isMultiple, voters }: Poll, names: Names): object {
  const given = options.map(({ text, votes, isMine }, i) => ({
    number: i + 1,
    text,
    votes: votes.length,
    from: votes.map(names),
    mine: isMine
  }))
  return { options: given, multiple: isMultiple, voters }
}

/** `  1. tea  2 votes: ada, bob`, one line for each answer. */
export function pollLines({ options }: Poll, names: Names): string[] {
  return options.map(({ text, votes }, i) => {
    const by = votes.length === 0 ? '' : `: ${votes.map(names).join(', ')}`
    return `  ${i + 1}. ${printable(text)}  ${votes.length} ${votes.length === 1 ? 'vote' : 'votes'}${by}`
  })
}

/** Something that a person did, as `--json` prints it. `id` names the message that it is about, null for the timer. */
export function eventJson(
  event: ChatEvent,
  person: Person,
  message: ChatMessage | null,
  group: GroupSummary | null
): object {
  const { kind, conversationId, messageId, sentAt, ...facts } = event
  const { isPinned: pinned, ...others } = facts as { isPinned?: boolean }
  return {
    event: kind,
    id: messageId,
    conversation: group ? `group:${group.id}` : conversationId,
    from: person.username ?? person.accountId,
    fromAccount: person.accountId,
    request: group?.isRequest ?? (!person.isMe && person.marks.answer !== 'accepted'),
    sentAt,
    ...others,
    ...(pinned === undefined ? {} : { pinned }),
    ...(kind === 'edit' ? { text: message?.text ?? null } : {}),
    ...(kind === 'reaction' ? { removed: event.emoji === null } : {})
  }
}

/** `2026-01-31 12:00  @bob gave 👍 to 7e0b1c2d`. */
export function eventLine(event: ChatEvent, person: Person): string {
  return `${timeOf(event.sentAt)}  ${nameOf(person)} ${eventWords(event)}`
}

function eventWords(event: ChatEvent): string {
  const message = event.messageId?.slice(0, 8) ?? ''
  switch (event.kind) {
    case 'reaction':
      return event.emoji === null
        ? `took a reaction to ${message} back`
        : `gave ${printable(event.emoji)} to ${message}`
    case 'edit':
      return `changed ${message}`
    case 'delete':
      return `deleted ${message}`
    case 'vote':
      return `voted in ${message}`
    case 'pin':
      return event.isPinned ? `pinned ${message}` : `pinned ${message} no longer`
    case 'timer':
      return `: ${lineWords({ kind: 'timer', seconds: event.seconds })}`
  }
}

/** `  bob  7e0b1c2d  delivered 2026-01-31 12:00, read 2026-01-31 12:01`. */
export function deviceHeardLine({ from, deviceId, deliveredAt, readAt }: HeardByNamed): string {
  const got = deliveredAt === null ? [] : [`delivered ${timeOf(deliveredAt)}`]
  const read = readAt === null ? [] : [`read ${timeOf(readAt)}`]
  return `  ${printable(from)}  ${deviceId.slice(0, 8)}  ${[...got, ...read].join(', ')}`
}

type HeardByNamed = Omit<HeardBy, 'accountId'> & { from: string }

const timeOf = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T', ' ')

/** `2026-01-31 12:00  @bob: text`, with the state of own messages. Control characters are shown, never obeyed. */
export function messageLine(message: ChatMessage, person: Sender, me: Me): string {
  const state =
    message.state === null
      ? ''
      : `  (${message.problem === null ? message.state : messageProblemWords(message.problem)})`
  const said = `${message.replyTo === null ? '' : `(to ${message.replyTo.slice(0, 8)}) `}${printable(saidIn(message))}`
  return `${timeOf(message.sentAt)}  ${nameOf(message.mine ? me : person)}: ${said}${marksOf(message)}${state}`
}

/** `  [changed, pinned, 👍 2]`. */
function marksOf({ editedAt, isForwarded, isPinned, isStarred, reactions }: ChatMessage): string {
  const marks = [
    ...(isForwarded ? ['forwarded'] : []),
    ...(editedAt === null ? [] : ['changed']),
    ...(isPinned ? ['pinned'] : []),
    ...(isStarred ? ['starred'] : []),
    ...reactions.map(({ emoji, from }) => `${printable(emoji)} ${from.length}`)
  ]
  return marks.length === 0 ? '' : `  [${marks.join(', ')}]`
}

/** The text of a message, after its file. */
function saidIn(message: ChatMessage): string {
  return [...(message.file ? [fileLine(message)] : []), textOfMessage(message)].filter(part => part !== '').join(' ')
}

/** The file of a message as `--json` prints it. */
export const fileJson = ({ name, bytes, type }: FileView): object => ({ name, bytes, type })

/** `[holiday.jpg, 1.2 MiB, image/jpeg; save 9f…]`. */
function fileLine({ id, file }: ChatMessage): string {
  const { name, bytes, type } = file!
  return `[${name}, ${sizeWords(bytes)}, ${type}; save ${id}]`
}

/** `900 bytes`, `12 KiB`, `1.2 MiB`. */
export function sizeWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`
  const [value, unit] = bytes < 1024 * 1024 ? [bytes / 1024, 'KiB'] : [bytes / 1024 / 1024, 'MiB']
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`
}

/** A device as `--json` prints it: where it stands, and since when (time of the block, null while pending). */
export function deviceJson({ added, removed, ...device }: DeviceRecord): object {
  const place = removed ?? added
  return { ...device, state: deviceStateOf(added, removed), since: place.at, added, removed }
}

function deviceStateOf(added: DeviceRecord['added'], removed: DeviceRecord['removed']): string {
  if (!removed) return added.state
  return removed.state === 'pending' ? 'revoking' : 'revoked'
}

/** `7e0b…ebd  Command line (this device)  recorded, since 2026-01-31 12:00`, and when another device was last on. */
export function deviceLine({ deviceId, name, isThis, added, removed, lastSeen }: DeviceRecord): string {
  const { at } = removed ?? added
  const since = at === null ? '' : `, since ${minuteOf(at)}`
  const seen = lastSeen === null || isThis || removed ? '' : `, last seen ${minuteOf(lastSeen)}`
  const called = [...(name === null ? [] : [printable(name)]), ...(isThis ? ['(this device)'] : [])].join(' ')
  return [deviceId, ...(called === '' ? [] : [called]), deviceStateOf(added, removed) + since + seen].join('  ')
}

const minuteOf = (time: number): string => new Date(time).toISOString().slice(0, 16).replace('T', ' ')

/** Text of another origin for the terminal; its further lines are indented, so that they cannot pass for lines of ours. */
export function printable(text: string): string {
  return terminalText(text).replaceAll('\n', '\n    ')
}

/** "recorded (3 blocks) on the preprod network" and the like. */
export function recordLine(record: RecordDetails): string {
  const where = `the public record (${printable(record.network)})`
  switch (record.state) {
    case 'pending':
      return `being recorded in ${where}`
    case 'recorded':
    case 'settled':
    case 'final':
      return `${record.state} in ${where}, ${record.confirmations} blocks deep`
    case 'not-found':
      return `not found in ${where}`
    case 'mismatch':
      return `does not match ${where}`
    case 'removed':
      return `removed in ${where}`
  }
}
