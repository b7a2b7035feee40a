/** Failures and problems: what happened, what is safe, what to do. The peer gives the codes and the facts. */
import type { DisplayNameFault } from '../../../../protocol/identity/display-name.ts'
import type { FailureFacts, FailureSentences, StoreFault } from '../../../../peer/errors.ts'
import { pluralizer } from '../plural.ts'
import type { HoldSentences, MessageSentences, StatusSentences } from '../problem-sentences.ts'

const MINUTE_MS = 60_000
const plural = pluralizer('en')

const OFFLINE = 'Couldn’t reach the network. What you wrote is kept here.'
const CLOCK = 'Your message is kept here. Check the date and time of this device.'

const STORE: Record<StoreFault, string> = {
  'in-use': 'Volo’s storage is in use elsewhere. Nothing is lost. Close other windows of Volo, then try again.',
  blocked:
    'This browser is set to keep nothing for this site, and Volo needs storage for your keys and chats. Nothing was changed. Allow site data for this address, then try again.',
  'not-opened':
    'The storage of this browser fails. Nothing was changed. Restart the browser and free some space, then try again.',
  newer: 'A newer version of Volo wrote what is on this device. Nothing was changed. Update Volo, then open it again.',
  'not-writable':
    'This browser does not let Volo write to its storage. What was there is kept. Free some space, then try again.',
  full: 'This device has no space left for Volo. What was there is kept; nothing was changed. Free some space, then try again.',
  'folder-exposed': 'Other people on this computer can write to Volo’s storage. It was not opened.',
  'key-missing':
    'A part of what Volo kept in this browser is gone, among it the key to the rest. What is left cannot be opened any more.',
  'key-exposed': 'Other people on this computer can read Volo’s storage. It was not opened.',
  'key-damaged': 'Volo’s storage is damaged and could not be opened.',
  'key-weak': 'Volo’s storage is not protected well enough. It was not opened.',
  'signing-key-unusable':
    'This browser cannot use the key of this device just now. Nothing was changed. Update the browser, then open Volo again.',
  locked: 'Volo is locked in this browser.',
  'passkey-wrong': 'This passkey does not open Volo’s storage. Nothing was changed.',
  'passphrase-needed': 'Volo’s storage needs its passphrase.',
  'passphrase-not-needed': 'Volo’s storage has no passphrase. Open it without one.',
  'passphrase-wrong': 'This passphrase does not open Volo’s storage. Nothing was changed.'
}

export const holds: HoldSentences = {
  'read-only': () => 'This is a backup, opened to be read. It cannot send or receive.',
  'device-removed': () =>
    'This device was removed from your account. It can no longer send or receive; its messages stay on it.',
  contradicted: ({ name }) =>
    `Two independent places give different answers about ${name}. Nothing is sent until they agree.`,
  'no-devices': ({ name }) => `${name} removed every device, so nobody could read a message.`,
  'not-agreed': ({ name }) =>
    `You compared the safety number with ${name}, and no second place confirms the devices just now. It is kept here and sent once one does.`,
  key: ({ name }) => `The devices of ${name} on the public record are not those that you compared.`,
  recovered: ({ name }) => `${name} replaced all devices with a recovery code. Compare your safety number again.`,
  'lost-name': ({ name, username }) => `The username @${username} no longer leads to ${name}.`,
  'new-holder': ({ username }) => `The username @${username} led to somebody else before.`,
  withheld: ({ name }) =>
    `The only place that answers leaves out entries about ${name}, so the devices are unconfirmed.`
}

export const messageProblems: MessageSentences = {
  expired: 'Couldn’t reach the network for 30 days. Your message is kept here.',
  'not-accepted': 'The network does not take this message. It is kept here.',
  refused: 'Not taken yet. It is kept here and tried again elsewhere.',
  'too-few-receipts': 'Not confirmed by enough places yet. It is kept here and tried again.',
  'clock-behind': `The network finds this message too old. ${CLOCK}`,
  'clock-ahead': `The network finds this message too new. ${CLOCK}`,
  'mailbox-full': 'There is no room left for messages to this person. It is kept here and tried again.',
  'rate-limited': 'Too much was sent in a short time. It is kept here and tried again soon.',
  'unknown-device': 'The network does not know one of the receiving devices yet. It is kept here and tried again.',
  'contacts-only': 'This person takes messages from contacts only. It is kept here.',
  'nodes-full': 'The network has no space left. It is kept here and tried again.',
  'no-account': 'This person could not be found on the network. It is kept here and tried again.',
  'no-keys': 'No device of this person is ready to receive yet. It is kept here and tried again.',
  'not-in-group': 'You are no longer in this group.',
  'not-prepared': 'The answers about this person are not complete. It is kept here and tried again.',
  'storage-full': 'There is no room for this file: your storage is used up. Free some space, then try again.',
  'file-refused': 'The network does not take this file. It is kept here.',
  'file-stopped': 'You stopped this. It is kept here.',
  'file-lost': 'This file is not on this device any more. Choose it again to send it.'
}

/** "20 minutes", "3 hours", "12 days". */
function spanOf(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / MINUTE_MS)
  const hours = Math.round(minutes / 60)
  if (minutes < 120) return plural(minutes, { one: '{n} minute', other: '{n} minutes' })
  if (hours < 48) return plural(hours, { one: '{n} hour', other: '{n} hours' })
  return plural(Math.round(hours / 24), { one: '{n} day', other: '{n} days' })
}

export const statusProblems: StatusSentences = {
  'not-stored': () =>
    'New messages cannot be stored on this device. They wait on the network. Free some space, then open Volo again.',
  'other-network': ({ origin }) =>
    `${origin} belongs to another network than your account. Open Volo at the address where you signed up.`,
  'clock-wrong': ({ offMs }) =>
    `The clock of this device is wrong: it is ${spanOf(offMs)} ${offMs > 0 ? 'ahead' : 'behind'}. Set it, so that messages arrive and get their right dates.`,
  'no-node-known': () => 'No place of the network is known yet. Volo goes on trying.',
  unreachable: () => 'No place of the network can be reached. Volo goes on trying.',
  'device-removed': holds['device-removed'] as () => string,
  'device-unknown': () => 'The network does not know this device yet. Volo tries again by itself.',
  refused: ({ origin }) => `${origin} does not let this device in. Volo tries other places by itself.`
}

const NOT_TAKEN = 'Nothing was changed. Try again later.'

const DISPLAY_NAME: Record<DisplayNameFault, string> = {
  empty: 'Your name needs a letter, a digit or an emoji.',
  'too-long': 'Your name is too long. It can have 64 characters.',
  hidden: 'Your name has hidden characters or line breaks. Type it again without them.',
  mixed: 'A word in your name mixes letters of different alphabets. Type it in one of them.',
  sign: 'Your name can’t have @, check marks, locks or other signs.',
  reserved: 'This name reads like words of Volo itself. Choose another one.'
}

const BACKUP: Record<FailureFacts['backup']['fault'], string> = {
  passphrase: 'This passphrase does not open the backup. Nothing was changed. Try again.',
  weak: 'Something has weakened the protection of this backup. Your passphrase was not used.',
  'other-account': 'This backup is of another account. Nothing was changed.',
  damaged: 'This backup was changed or cut off. What is on this device stays as it is.',
  newer: 'A newer version of Volo made this backup. Update Volo, then try again.',
  none: 'There is no backup of this account on the network.',
  'no-passphrase': 'Choose a passphrase first.',
  incomplete: 'Parts of the backup are missing on the network. What could be read is here.',
  'rolled-back': 'The network has an older backup than this device has made. Nothing was changed. Back up again.',
  'no-room': 'There is no room for the backup: your storage is used up. Free some space, then try again.',
  'storage-key': 'This backup is in your own Iagon storage. Its key is missing or not accepted.',
  'too-often': 'Too many wrong passphrases were tried. Try again in an hour.'
}

export const failures: FailureSentences = {
  'not-registered': 'This device has no account yet. Sign in first.',
  'already-registered': 'This device already has an account. Open Volo again to use it.',
  'invalid-name': 'A username has 3 to 24 letters a–z, digits or _. Try another one.',
  'display-name': ({ fault }) => DISPLAY_NAME[fault],
  'own-account': 'That is your own account.',
  clock:
    'The clocks of this device and of the network differ too much. Nothing was changed. Set the clock of this device, then try again.',
  passphrase: ({ fault, limit }) =>
    fault === 'short'
      ? `A passphrase needs ${limit} characters or more. Several words are easy to keep in mind.`
      : `A passphrase can have ${limit} characters. Shorten it.`,
  'nickname-too-long': ({ limit }) => `A nickname can have ${limit} characters. Shorten it.`,
  blocked: ({ username }) =>
    `You have blocked ${username === null ? 'this person' : `@${username}`}. Unblock them to write. Nothing was sent.`,
  picture: ({ fault }) =>
    fault === 'too-large'
      ? 'This picture is too large. Use a smaller one.'
      : 'This file is no picture that can be shown. Use a JPEG, PNG or WebP picture that does not move.',
  'nodes-silent':
    'Some places of the network do not answer and keep what they have for you. Try again later. Your name and devices are as they were.',
  'name-taken': ({ username }) => `@${username} is taken. Try another one.`,
  'name-chosen': ({ username }) => `You have chosen @${username} already.`,
  'sign-in-failed': 'The sign-in is not valid, or not any more. Nothing was changed. Sign in again.',
  'too-many-messages': ({ limit }) => `A report takes at most ${limit} messages.`,
  'no-provider': () => 'This way to sign in is not offered here.',
  'too-many-accounts': ({ limit }) => `You can link at most ${limit} accounts. Remove one first.`,
  'sign-in-elsewhere':
    'That sign-in did not begin in this browser, so it cannot be finished here. Nothing was changed. You can sign in again.',
  'sign-in-unsafe': 'The sign-in would lead to an address that is not safe. Nothing was shared.',
  offline: OFFLINE,
  'other-network': ({ origin }) =>
    `${origin} belongs to another network. Nothing was changed. Open Volo at the address where you signed up.`,
  'not-a-node': ({ origin }) => `${origin} does not answer as Volo expects. ${NOT_TAKEN}`,
  'unproven-list': `The public record does not confirm the places of this network. ${NOT_TAKEN}`,
  'bad-answer': `The answer does not hold, so nothing was taken from it. Try again later.`,
  refused: ({ refusal }) =>
    refusal === 'rate-limited' || refusal === 'busy'
      ? 'Too much was asked in a short time. Nothing was changed. Try again in a minute.'
      : `The network refused this. ${NOT_TAKEN}`,
  'recovery-code': ({ fault }) =>
    fault === 'malformed'
      ? 'That is no recovery code. It has eight groups of four letters and digits.'
      : 'A character of the code is wrong, or it is of another network. Check it, then try again.',
  'no-recovery': ({ reason }) =>
    reason === 'no-code'
      ? 'This account has no recovery code. A code that was used does not work again.'
      : reason === 'not-yet'
        ? 'This code does not count yet. It was made less than seven days ago.'
        : 'This is not the recovery code of this account, or not any more.',
  'link-code': ({ fault }) =>
    fault === 'form'
      ? 'That is no code for adding a device. It has twelve words.'
      : 'A word of the code is wrong, or two have changed places. Check it, then try again.',
  'link-unknown':
    'This code is not known. It is mistyped, or older than ten minutes. Check it, or make a new one on your other device.',
  'link-used':
    'Another device has used this code. If it is not yours, tap Don’t add on your other device, then make a new code.',
  'link-expired':
    'The code is over. Nothing was changed. Make a new one. If it is new, set the clock of this device and of the other.',
  'link-cancelled': ({ by }) =>
    by === 'this' ? 'You cancelled this. Nothing was changed.' : 'This was cancelled on the other device. Start again.',
  'link-refused': 'The answer was no, so the device was not added.',
  'link-lost':
    'The other device or the network does not answer any more. Look whether the device was added, then start again.',
  'link-broken': 'Something between your two devices changed a message. The device was not added. Start again.',
  'link-not-accepted': 'The network does not accept this device. It was not added. Start again.',
  'word-malformed': ({ limit }) => `A word for first contact has 1 to ${limit} characters.`,
  'about-too-long': ({ limit }) => `This is too long. A description has at most ${limit} characters.`,
  'invite-malformed': 'That is no invitation, or a part of the link is missing. Ask for the link again.',
  'invite-other-network': 'This invitation is of another network than your account.',
  'invite-over': 'This invitation was used, taken back, or is too old. Ask for another one.',
  'invite-unknown': 'You have no such invitation.',
  'invite-no-mail': 'No mail can be sent from here. Send the link yourself.',
  'site-malformed': 'A site is a name such as ada.example.',
  'site-not-linked': ({ url }) => `${url} does not name your account.`,
  'site-unreachable': ({ url }) => `${url} cannot be read.`,
  'too-many-sites': ({ limit }) => `You can link at most ${limit} sites.`,
  'mail-address': 'That is no e-mail address.',
  'recovery-waits': 'An older device of yours has made a recovery code. It counts in a few days. Nothing was changed.',
  'no-account': 'This person is not known on the network. Check the spelling with them.',
  'no-group': 'This group is not on this device.',
  'not-in-group': 'You are not in this group, or not any more.',
  'not-admin': 'Only an admin of the group may do that.',
  'last-admin': 'The group needs an admin. Make another member one first.',
  'already-member': ({ username }) => `${username === null ? 'This person' : `@${username}`} is in the group already.`,
  'not-member': ({ username }) => `${username === null ? 'This person' : `@${username}`} is not in the group.`,
  'group-full': 'The group is full: it takes no more members, or no more changes.',
  'no-request': 'This person has not asked to join, or was answered already.',
  'group-link': 'That is no link to a group.',
  'no-conversation': 'This conversation is not on this device.',
  'no-message': 'This message is not here any more, or this cannot be done with it.',
  'not-author': 'Only who wrote a message can do that.',
  emoji: 'A reaction is one emoji.',
  poll: 'A poll needs a question and 2 to 12 different answers.',
  vote: ({ fault }) =>
    fault === 'one-only' ? 'This poll takes one answer.' : 'The poll has no such answer. Nothing was changed.',
  timer: 'Choose a time of up to a year.',
  'no-device': 'Your account has no such device.',
  'device-name': 'A device needs a name.',
  'name-disputed': ({ username }) =>
    `Two independent places disagree about who is @${username}. Nobody was chosen. Try again in a minute, or ask them in another way.`,
  'safety-number-changed': 'The safety number has changed meanwhile. Nothing was marked. Compare it again.',
  'nobody-to-compare': 'A safety number is compared with somebody else.',
  held: ({ reason, username }) =>
    holds[reason]({ name: username === null ? 'this person' : `@${username}`, username: username ?? '' }),
  'no-keys': messageProblems['no-keys'],
  'message-empty': 'There is nothing to send yet.',
  'message-too-long': 'This message is too long. Split it into several.',
  'file-too-large': ({ limit }) => `A file can have ${limit / 1024 / 1024} MB. Nothing was sent.`,
  'file-unreadable': 'This file cannot be read, or it changed meanwhile. Nothing was sent.',
  'no-file': 'This message has no file, or is not on this device.',
  'file-not-here': 'This file is not on this device.',
  'file-gone': ({ reason }) =>
    reason === 'expired'
      ? 'This file is gone. The network keeps files for 30 days. Ask for it to be sent again.'
      : 'This file is not on the network any more. Ask for it to be sent again.',
  'file-damaged': 'This file is not the one that was sent. Nothing was saved. Ask for it to be sent again.',
  'file-stopped': 'You stopped this.',
  backup: ({ fault }) => BACKUP[fault],
  'removal-offline': 'There is no connection. The device was not removed. Try again later.',
  'removal-waits':
    'The connection was lost. The removal is kept on this device and handed in with the next connection.',
  'removal-refused': 'The network refused this. The device was not removed. Try again later.',
  store: ({ fault }) => STORE[fault],
  'malformed-call': 'Volo asked for something that does not exist. Nothing was changed.',
  interrupted: 'Volo had to start again while this was under way. Look whether it was done, then try again.',
  internal: 'Something in Volo went wrong. Your messages are kept on this device.'
}
