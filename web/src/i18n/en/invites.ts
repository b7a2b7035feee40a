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
    qr: 'The invitation as a QR code',
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
    block: 'Block',
    word: 'Word for first contact',
    wordHint:
      'If you set one, what strangers write is put aside unless they know it. They are not told. You say it to people who may write to you.',
    wordSet: 'Set word',
    wordClear: 'No word',
    sayWord: 'I was told a word…',
    sayWordLabel: 'The word that you were told',
    sayWordSend: 'Say it',
    wordSaid: 'It goes before your first message.'
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
  },

  codes: {
    own: 'Show your code',
    ownOf: (username: string) => `QR code that leads to @${username}`,
    ownHint: 'Scanned in Volo or with any camera, it leads to you. It holds your username and nothing secret.',
    copyLink: 'Copy as a link',
    scan: 'Scan a code',
    scanHint: 'The code of a person, an invitation or a group.',
    scanner: {
      noPicture: 'No code can be read in this picture. Use a sharp one, or type the username.',
      otherCode: 'This code leads to no person, invitation or group.',
      cameraForbidden:
        'This browser does not let Volo use the camera. Allow it for this address, or type the username.',
      cameraMissing: 'There is no camera that can be used. Use a picture of the code, or type the username.',
      cameraFailed:
        'The camera does not work just now. Another program may use it. Use a picture, or type the username.'
    }
  }
}
