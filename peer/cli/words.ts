/** Every sentence of the command line about failures and problems, in English. A code without one does not compile. */
import { failureOf, PeerError, sentenceOf, type FailureFacts, type FailureSentences } from '../errors.ts'
import type { HoldReason, MessageProblem, StatusProblem, StatusProblemFacts } from '../problems.ts'
import type { SystemLine } from '../system-line.ts'
import { CommandError, type CommandFailureFacts, type TimedTask } from './errors.ts'

const HOLDS: Record<HoldReason, string> = {
  'device-removed': 'this device was removed from its account: it can no longer send or receive',
  'read-only': 'this is a backup that is opened to be read: it is no device of the account, and cannot send or receive',
  contradicted: 'two operators of the network disagree about the keys of this person; nothing is sent until they agree',
  'no-devices': 'this person removed every device, so nobody could read a message',
  'not-agreed': 'no second operator confirms the keys of this person just now; it is sent once one does',
  key: 'the devices of this person on the public record are not those that you compared',
  recovered: 'this person replaced all devices with a recovery code; compare your safety number again',
  'lost-name': 'the username no longer leads to this person',
  'new-holder': 'the username led to another account before',
  withheld: 'entries of this person are missing in the only answer, so their keys are unconfirmed'
}

const MESSAGES: Record<MessageProblem, string> = {
  ...HOLDS,
  expired: 'it could not be sent for 30 days',
  'not-accepted': 'the network does not take this message',
  refused: 'a node refused it; another one is tried',
  'too-few-receipts': 'too few nodes of the network confirm that they keep it',
  'clock-behind': 'the node finds it too old; check the clock of this machine',
  'clock-ahead': 'the node finds it too new; check the clock of this machine',
  'mailbox-full': 'there is no room left for messages to this person; it is tried again',
  'rate-limited': 'too much was sent in a short time; it is tried again soon',
  'unknown-device': 'the network does not know one of the receiving devices yet; it is tried again',
  'contacts-only': 'this person takes messages from contacts only',
  'nodes-full': 'the nodes have no space left; it is tried again',
  'no-account': 'the network does not know this account',
  'no-keys': 'no device of this person has published its keys yet',
  'not-in-group': 'this account is no longer in the group',
  'not-prepared': 'what the network says about this person does not hold or is not complete; it is tried again',
  'storage-full': 'there is no room for the file: your share of the storage of the nodes is used up, or they are full',
  'file-refused': 'the nodes do not take the file',
  'file-stopped': 'its upload was stopped',
  'file-lost': 'the file is not on this device any more; send it again'
}

/** "20 minutes", "3 hours", "12 days". */
function spanOf(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000)
  if (minutes < 120) return `${minutes} minutes`
  return minutes < 2 * 24 * 60 ? `${Math.round(minutes / 60)} hours` : `${Math.round(minutes / (24 * 60))} days`
}

const STATUS: { [C in keyof StatusProblemFacts]: (facts: StatusProblemFacts[C]) => string } = {
  'not-stored': () => 'received messages cannot be stored on this device; free some space, then start again',
  'other-network': ({ origin }) => `${origin} belongs to another network than the account of this device`,
  'clock-wrong': ({ offMs }) =>
    `the clock of this machine is wrong: by the node's time it is ${spanOf(offMs)} ${offMs > 0 ? 'ahead' : 'behind'}; set it, then messages get their right dates`,
  'no-node-known': () => 'no node of the network is known yet',
  unreachable: () => 'no node of the network can be reached',
  'device-removed': () => HOLDS['device-removed'],
  'device-unknown': () => 'the node does not know this device yet',
  refused: ({ origin, refusal }) => `${origin} refused (${refusal})`
}

const STORE: Record<FailureFacts['store']['fault'], (facts: { location: string; detail: string }) => string> = {
  'in-use': ({ location }) => `${location} is in use by another process; stop it, or choose another data directory`,
  blocked: ({ location, detail }) =>
    `this user must not use ${location} (${detail}); nothing was changed; choose another data directory, or mend its rights`,
  'not-opened': ({ location, detail }) => `${location} cannot be used: ${detail}`,
  newer: ({ detail }) => `a newer version of Volo wrote the data: ${detail}; update Volo`,
  'not-writable': ({ location, detail }) => `${location} cannot be written: ${detail}`,
  full: ({ location }) => `the disk of ${location} is full; free some space, then try again`,
  'folder-exposed': ({ location }) => `every user can write in ${location}; run: chmod 700 ${location}`,
  'key-missing': ({ location }) =>
    `${location} is missing, and without it the data beside it cannot be read; bring it back from a copy, or choose another data directory`,
  'key-exposed': ({ location }) => `${location} can be read by other users; run: chmod 600 ${location}`,
  'key-damaged': ({ location }) => `${location} is damaged: it is not a key file of this version`,
  'key-weak': ({ location }) => `the key file in ${location} asks for a weaker key derivation than allowed`,
  'signing-key-unusable': () =>
    'the signing key of this device is missing from its data; restore the whole data directory',
  locked: ({ location }) => `${location} is locked`,
  'passkey-wrong': ({ location }) => `the passkey does not open ${location}`,
  'passphrase-needed': ({ location }) =>
    `${location} is protected by a passphrase; name its file in VOLO_PASSPHRASE_FILE`,
  'passphrase-not-needed': ({ location }) =>
    `${location} was made without a passphrase; unset VOLO_PASSPHRASE_FILE to use it`,
  'passphrase-wrong': ({ location }) => `the passphrase does not open ${location}`
}

const DISPLAY_NAME: Record<FailureFacts['display-name']['fault'], string> = {
  empty: 'a display name needs a letter, a digit or an emoji',
  'too-long': 'a display name has at most 64 characters',
  hidden: 'a display name has no hidden characters, direction marks or line breaks',
  mixed: 'a word of a display name is written in one script: letters that look alike would deceive others',
  sign: 'a display name has no @, check marks, locks or other signs',
  reserved: 'this display name is reserved: it reads as words of Volo itself'
}

const NO_RECOVERY: Record<FailureFacts['no-recovery']['reason'], string> = {
  'no-code': 'this account has no recovery code; a code that was used does not work again',
  'other-code': 'this is not the recovery code of this account, or not any more',
  'not-yet':
    'this recovery code does not count yet: it was made less than seven days ago, and an older device can refuse it'
}

const personWords = (username: string | null): string => (username === null ? 'this person' : `@${username}`)
const VOTES: Record<FailureFacts['vote']['fault'], string> = {
  'no-poll': 'this message is not a poll',
  'no-option': 'the poll has no such answer',
  'one-only': 'this poll takes one answer'
}

const BACKUP: Record<FailureFacts['backup']['fault'], string> = {
  passphrase: 'the passphrase does not open the backup; nothing was changed',
  weak: 'the backup asks for a weaker protection of the passphrase than allowed: something has changed it; the passphrase was not used',
  'other-account': 'the backup is of another account; nothing was changed',
  damaged: 'the backup was changed or cut off: it does not hold; what is on this device stays as it is',
  newer: 'a newer version of Volo made the backup; update Volo',
  none: 'there is no backup of this account on the network',
  'no-passphrase': 'the first backup needs a passphrase: --passphrase-file FILE',
  incomplete: 'parts of the backup are missing on the network; what could be read is here',
  'rolled-back':
    'the network has an older backup than this device has made; nothing was changed; make a new one with: volo-peer backup now',
  'no-room': 'there is no room for the backup: your share of the storage of the nodes is used up, or they are full',
  'storage-key': 'the backup is in your own Iagon storage, whose key is missing or not accepted: --iagon-key-file FILE',
  'too-often': 'too many wrong passphrases were tried; try again in an hour'
}

const FAILURES: FailureSentences = {
  'not-registered': 'this device has no account yet; run: volo-peer register --username NAME',
  'already-registered': 'this device already has an account',
  'invalid-name': 'a username has 3 to 24 characters of a-z, 0-9 and _',
  'display-name': ({ fault }) => DISPLAY_NAME[fault],
  picture: ({ fault, limit, side }) =>
    fault === 'too-large'
      ? `a picture has at most ${limit / 1024} KiB, and at most ${side} pixels a side`
      : 'a picture is a JPEG, PNG or WebP file that does not move',
  'nodes-silent': ({ count }) =>
    `${count} node(s) do not answer, and keep what they have for you; try again later, or give --anyway. Names and devices are as they were`,
  'name-taken': ({ username }) => `@${username} is taken`,
  'name-chosen': ({ username }) => `this account has chosen @${username} already`,
  'sign-in-failed': 'the sign-in is not valid, or not any more; sign in again',
  'too-many-messages': ({ limit }) => `a report takes at most ${limit} messages`,
  'no-provider': ({ provider }) =>
    `this node does not offer to sign in with ${provider}; a web site is a host name such as ada.example`,
  'too-many-accounts': ({ limit }) => `an account links at most ${limit} accounts elsewhere; take one back first`,
  'sign-in-elsewhere': 'that sign-in did not begin on this device; sign in again',
  'sign-in-unsafe': 'the node sends the sign-in to an address that is not safe',
  offline: ({ origin }) =>
    origin === null
      ? 'no node of the network can be reached right now'
      : `${origin} cannot be reached; check the address, or try again later`,
  'other-network': ({ origin }) => `${origin} belongs to another network`,
  'not-a-node': ({ origin }) => `${origin} does not answer like a Volo node of this version`,
  'unproven-list': 'the public record does not prove the list of nodes; nothing was taken from it',
  'bad-answer': 'the answer of the node does not hold; nothing was taken from it',
  refused: ({ refusal }) => `the node refused (${refusal})`,
  'no-account': 'there is no such account',
  'own-account': 'that is this account itself',
  clock: 'the clocks of this machine and of the node differ too much; set the clock, then try again',
  passphrase: ({ fault, limit }) =>
    `a passphrase has ${fault === 'short' ? 'at least' : 'at most'} ${limit} characters`,
  'nickname-too-long': ({ length, limit }) => `a nickname has at most ${limit} characters; this one has ${length}`,
  blocked: ({ username }) =>
    `you have blocked ${username === null ? 'this person' : `@${username}`}; run: volo-peer unblock`,
  'no-conversation': 'there is no such conversation',
  'no-group': 'there is no such group on this device',
  'not-in-group': 'this account is not in the group, or not any more',
  'not-admin': 'only an admin of the group may do that',
  'last-admin': 'the group needs an admin: make another member one first',
  'already-member': ({ username }) => `${personWords(username)} is in the group already`,
  'not-member': ({ username }) => `${personWords(username)} is not in the group`,
  'group-full': 'the group is full: it takes no more members, or no more changes',
  'no-request': 'this person has not asked to join, or was answered already',
  'group-link': 'that is no link to a group',
  'no-message': 'there is no such message, it is deleted, or this cannot be done with a message of its kind',
  'not-author': 'only who wrote a message can do that',
  emoji: 'a reaction is one emoji',
  poll: 'a poll needs a question and 2 to 12 different answers',
  vote: ({ fault }) => VOTES[fault],
  timer: ({ limit }) => `a timer is a whole number of seconds from 1 to ${limit}`,
  'no-device': 'this account has no such device',
  'device-name': 'a device needs a name',
  'name-disputed': ({ username }) =>
    `two operators of the network disagree about who is @${username}; nobody was chosen`,
  'safety-number-changed': 'the safety number has changed meanwhile; compare it again',
  'nobody-to-compare': 'a safety number is compared with another person',
  held: ({ reason }) => HOLDS[reason],
  'no-keys': MESSAGES['no-keys'],
  'message-empty': 'the message is empty',
  'message-too-long': ({ length, limit }) => `a message has at most ${limit} characters; this one has ${length}`,
  'file-too-large': ({ limit }) => `a file has at most ${limit / 1024 / 1024} MiB`,
  'file-unreadable': 'the file cannot be read, or was changed meanwhile',
  'no-file': 'there is no such message here, or it has no file',
  'file-not-here': 'the file is not on this device',
  'file-gone': ({ reason }) =>
    reason === 'expired'
      ? 'the file is gone: the network keeps files for 30 days; ask for it to be sent again'
      : 'no node of the network has the file any more; ask for it to be sent again',
  'file-damaged': 'the file is not the one that the message names; nothing was saved',
  'file-stopped': 'it was stopped',
  backup: ({ fault }) => BACKUP[fault],
  'removal-offline': 'there is no connection; the device was not removed',
  'removal-waits':
    'the connection was lost; the removal is kept on this device and is handed in with the next connection',
  'removal-refused': ({ refusal }) => `the device was not removed: the node refused (${refusal})`,
  'recovery-code': ({ fault }) =>
    fault === 'malformed'
      ? 'that is no recovery code; it has eight groups of four letters and digits'
      : 'a character of the recovery code is wrong, or it is of another network; check it',
  'no-recovery': ({ reason }) => NO_RECOVERY[reason],
  'link-code': ({ fault }) =>
    fault === 'form'
      ? 'that is no code for adding a device; it has twelve words, each of them in the list'
      : 'a word of the code is wrong, or two have changed places; check it',
  'link-unknown':
    'this code is not known: it is mistyped, or older than ten minutes; make a new one on the other device',
  'link-used': 'another device has used this code; if it is not yours, say no on the other device, then make a new one',
  'link-expired':
    'the code is over; make a new one on the other device. If it is new, the clock of one of the two machines is wrong',
  'link-cancelled': ({ by }) => (by === 'this' ? 'it was cancelled' : 'it was cancelled on the other device'),
  'link-refused': 'the answer was no: the device was not added',
  'link-lost':
    'the other device or the network does not answer any more; look whether the device was added, then start again',
  'link-broken': 'something between the two devices has changed a message; the device was not added; start again',
  'link-not-accepted':
    'the network does not accept the device: the one that adds it was removed, or another change came first; start again',
  'recovery-waits':
    'an older device of this account has made a recovery code; it counts in a few days, and replaces any other',
  'word-malformed': ({ limit }) => `a word for first contact has 1 to ${limit} characters`,
  'about-too-long': ({ length, limit }) => `the description has ${length} characters; ${limit} are allowed`,
  'invite-malformed': 'that is not an invitation of Volo, or a part of it is missing; ask for the link again',
  'invite-other-network': 'the invitation is of another network than this account',
  'invite-over': 'the invitation was used, taken back, or is too old; ask for another one',
  'invite-unknown': 'this account has no such invitation; see volo-peer invite list',
  'invite-no-mail': 'this node sends no mail; run: volo-peer invite link, and send the link yourself',
  'site-malformed': 'a site is a host name such as ada.example, without port and path',
  'site-not-linked': ({ url }) =>
    `${url} does not name this account: it must hold {"accounts": ["<account id>"]}, see volo-peer whoami`,
  'site-unreachable': ({ url }) => `${url} cannot be read; it must be there over https, without a redirect`,
  'too-many-sites': ({ limit }) => `an account links at most ${limit} sites; take one back first`,
  'mail-address': 'that is not an e-mail address',
  store: ({ fault, location, detail }) => STORE[fault]({ location, detail: detail ?? 'no reason is known' }),
  'malformed-call': 'that is not understood',
  interrupted: 'it was interrupted; look whether it was done, then try again',
  internal: 'something in Volo went wrong; messages are kept on this device'
}

const TASKS: Record<TimedTask, string> = {
  register: 'registration',
  find: 'finding the person',
  'claim-name': 'claiming the name',
  'remove-device': 'removing the device',
  'make-code': 'making the recovery code',
  recover: 'regaining the account',
  'link-device': 'adding a device',
  'fetch-file': 'fetching the file',
  'accept-invite': 'accepting the invitation',
  'back-up': 'the backup',
  restore: 'restoring the backup'
}

const COMMANDS: { [C in keyof CommandFailureFacts]: (facts: CommandFailureFacts[C]) => string } = {
  'directory-taken': ({ name }) => `this data directory already belongs to ${name}`,
  'nobody-registered': () => 'nobody is registered in this data directory; run: volo-peer register --username NAME',
  'no-group-picture': () => 'the group has no picture, or you have not accepted the group',
  'no-picture': ({ person }) => `${person} has no picture, or does not show it to you`,
  'nobody-found': ({ person }) => `nobody is found as ${person}`,
  'device-unknown': ({ device }) => `this account has no device ${device}`,
  'device-ambiguous': ({ device, matches }) => `${device} begins the id of ${matches} devices`,
  'invite-ambiguous': ({ id, matches }) => `${id} begins the id of ${matches} invitations`,
  'device-is-this': () => 'this is the device that runs the command: it could not send or receive; add --yes',
  'no-demo-sign-in': () => 'this node offers no demo sign-in; register in a browser',
  'sign-in-leads-away': ({ origin }) => `sign-in leads away from ${origin}`,
  'sign-in-answered': ({ status }) => `sign-in failed: the node answered ${status}`,
  'sign-in-refused': ({ error }) => `sign-in was refused: ${error ?? 'no code came back'}`,
  'sign-in-without-form': () => 'the sign-in page has no form',
  'sign-in-endless': () => 'sign-in does not come to an end',
  'no-group-named': ({ group }) => `a group is named group:ID, with an id of 64 hex digits; got "${group}"`,
  'passphrase-unreadable': ({ detail }) => `VOLO_PASSPHRASE_FILE cannot be read: ${detail}`,
  'passphrase-empty': ({ file }) => `VOLO_PASSPHRASE_FILE names an empty file: ${file}`,
  'no-qr-code': ({ file }) => `no QR code can be read in ${file}; use a sharp PNG, such as a screenshot`,
  'file-not-written': ({ file, detail }) => `${file} cannot be written (${detail}); name a file that is not there yet`,
  'file-empty': ({ file }) => `${file} holds no passphrase`,
  'file-not-read': ({ file, detail }) => `${file} cannot be read (${detail})`,
  'not-saved': ({ folder, detail }) => `nothing can be saved in ${folder} (${detail})`,
  'timed-out': ({ task }) => `${TASKS[task]} took too long`,
  'message-unknown': ({ message }) => `no message of this conversation is here whose id is or begins with ${message}`,
  'message-ambiguous': ({ message, matches }) => `${message} begins the ids of ${matches} messages`,
  'not-a-poll': ({ message }) => `${message} is not a poll`,
  'option-unknown': ({ option }) => `the poll has no answer "${option}"; name one by its number from 1, or by its text`,
  'no-node-in-time': () => 'no node could be reached in time',
  'person-not-asked-in-time': ({ person }) => `no node could be asked for ${person} in time`
}

/** Stands for a message of a kind that only newer versions know. */
export const NEWER_MESSAGE = 'Update Volo to see this message.'

/** Stands for a message that its author deleted. */
export const DELETED_MESSAGE = 'This message was deleted.'

/** What Volo itself says in a conversation. */
export function lineWords(line: SystemLine): string {
  switch (line.kind) {
    case 'missing':
      return missingWords(line.missing, line.gone)
    case 'not-linked':
      return 'The message above does not follow the one before it. Its sender may have shown others something else.'
    case 'removed-device':
      return `A device that ${line.mine ? 'you' : 'this person'} removed sent something after it was removed. It is not shown.`
    case 'recovered':
      return 'This person replaced all devices with a recovery code. Compare your safety number again.'
    case 'timer':
      return line.seconds === null ? 'New messages stay.' : `New messages disappear after ${timeWords(line.seconds)}.`
    case 'deleted':
      return line.contacts === 0
        ? `The network deleted up to ${messages(line.requests)} from people you don't know before this device came back.`
        : `The network deleted up to ${messages(line.contacts)} before this device came back. Volo asks for them again where possible.`
    case 'group':
      return groupWords(line)
    case 'differs':
      return differenceWords(line)
  }
}

function differenceWords({ what, by, device, of: [about] }: Extract<SystemLine, { kind: 'differs' }>): string {
  const theirs = by.isMe ? `Your device ${device.slice(0, 8)}` : `${by.name} (device ${device.slice(0, 8)})`
  const whose = !about ? 'this conversation' : about.isMe ? 'you' : about.name
  switch (what) {
    case 'history':
      return `${theirs} was shown other messages of ${whose} than this device. Somebody deceives one of them.`
    case 'records':
      return `${theirs} was shown another public record of ${whose} than this device. Compare your safety numbers.`
    case 'roster':
      return `${theirs} sees other members in this group than this device. Compare your safety numbers.`
    case 'build':
      return `${theirs} runs another build of the same version of Volo. A node may have changed the app.`
  }
}

type GroupLine = Extract<SystemLine, { kind: 'group' }>

function groupWords({ what, by, who, text }: GroupLine): string {
  const one = by.isMe ? 'You' : by.name
  const others = listOf(who.map(({ isMe, name }) => (isMe ? 'you' : name)))
  const sentences: Record<GroupLine['what'], string> = {
    asked: 'You asked to be added to a group.',
    created: `${one} created the group "${text}"${others === '' ? '' : ` with ${others}`}.`,
    added: `${one} added ${others}.`,
    removed: `${one} removed ${others}.`,
    left: `${one} left the group.`,
    promoted: `${one} made ${others} an admin.`,
    demoted: `${one} made ${others} a member who is no admin.`,
    renamed: `${one} named the group "${text}".`,
    described: text === '' ? `${one} removed the description.` : `${one} described the group: ${text}`,
    picture: `${one} changed the picture of the group.`,
    settings: `${one} changed who may add people and edit the group.`,
    undone: `A change by ${by.isMe ? 'you' : by.name} does not count: another admin, who comes first, ended their part at the same time.`
  }
  return sentences[what]
}

function listOf(names: string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

const UNITS = [
  [7 * 24 * 3600, 'week'],
  [24 * 3600, 'day'],
  [3600, 'hour'],
  [60, 'minute']
] as const

/** "1 day", "90 seconds": in the largest unit that fits. */
function timeWords(seconds: number): string {
  const [size, unit] = UNITS.find(([size]) => seconds % size === 0) ?? [1, 'second']
  const count = seconds / size
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

const messages = (count: number): string => (count === 1 ? '1 message' : `${count} messages`)

function missingWords(missing: number, gone: number): string {
  const text = missing === 1 ? 'A message is missing here.' : `${missing} messages are missing here.`
  if (gone === 0) return text
  const which = gone < missing ? `${gone} of them` : missing === 1 ? 'it' : 'them'
  return `${text} The sender’s device does not have ${which} any more.`
}

/** Why an own message waits or failed. */
export const messageProblemWords = (problem: MessageProblem): string => MESSAGES[problem]

/** What needs attention about the connection. */
export const statusProblemWords = ({ code, facts }: StatusProblem): string =>
  (STATUS[code] as (facts: unknown) => string)(facts)

/** What a command says about an error. */
export function errorWords(error: unknown): string {
  if (error instanceof PeerError) return sentenceOf(FAILURES, failureOf(error))
  if (error instanceof CommandError)
    return (COMMANDS[error.failure.code] as (facts: unknown) => string)(error.failure.facts)
  return error instanceof Error ? error.message : String(error)
}
