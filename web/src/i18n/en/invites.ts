import { pluralizer } from '../plural.ts'

const plural = pluralizer('en')

/** Bringing people in, and answering those who write first. */
export const invites = {
  invites: {
    title: 'You are invited',
    invitesYou: 'invites you to chat on Volo.',
    nameless: 'Someone',
    looking: 'Reading the invitation…',
    over: 'This invitation was used, taken back, or is too old. Ask for another one.',
    unknown: 'Couldn’t check just now whether this invitation is still good.',
    accepting: 'You become contacts of each other.',
    accept: 'Accept',
    isAccepting: 'Accepting…',
    notNow: 'Not now',
    afterSignUp: 'You are contacts of each other as soon as you have signed up.',
    make: 'Invite someone',
    making: 'Making a link…',
    link: 'A link for one person',
    goodUntil: (when: string) => `Good until ${when}.`,
    mail: 'Or by e-mail',
    mailHint: 'The address is used for this mail and not kept.',
    send: 'Send',
    mailed: (address: string) => `Sent to ${address}.`
  },

  requests: {
    title: (n: number) => plural(n, { one: '{n} message request', other: '{n} message requests' }),
    list: 'Message requests',
    question: (name: string) => `${name} is not among your contacts. They see only that their message was sent.`,
    groupQuestion: (name: string) => `You were added to the group “${name}”.`,
    accept: 'Accept',
    ignore: 'Ignore',
    block: 'Block'
  },

  contact: {
    add: 'Add to contacts',
    remove: 'Remove from contacts',
    mute: 'Mute',
    unmute: 'Unmute',
    block: 'Block',
    unblock: 'Unblock',
    blocked: (name: string) => `You blocked ${name}. What they send is dropped, and they are not told.`,
    nickname: 'What you call them',
    nicknameHint: 'Only you see this.',
    save: 'Save',
    contacts: 'Contacts'
  }
}
