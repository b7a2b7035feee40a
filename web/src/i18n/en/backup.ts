import { pluralizer } from '../plural.ts'

const plural = pluralizer('en')

/** Backups: made on a device of the account, brought back on a new one. */
export const backup = {
  backup: {
    title: 'Backup',
    lead: 'Your chats and files, encrypted with a passphrase that only you know, kept by the network.',
    none: 'There is no backup yet. If this device is lost, your chats are lost with it.',
    last: (when: string, what: string, size: string) => `Last backup: ${when}. ${what}, ${size}.`,
    what: (messages: number, chats: number) =>
      `${plural(messages, { one: '{n} message', other: '{n} messages' })} of ${plural(chats, { one: '{n} chat', other: '{n} chats' })}`,
    copies: (n: number) => plural(n, { one: 'It is in {n} place.', other: 'It is in {n} places.' }),
    passphrase: 'Passphrase',
    passphraseHint: 'At least eight characters. Write it down: without it nobody can open the backup, not even Volo.',
    suggest: 'Suggest one',
    change: 'Another passphrase',
    changeHint: 'Leave it empty to keep the one that you have.',
    show: 'Show',
    hide: 'Hide',
    now: 'Back up now',
    working: 'Backing up… You can go on using Volo.',
    check: 'Check it now',
    checking: 'Reading the whole backup…',
    checked: (what: string) => `The backup is whole: ${what}.`,
    open: 'Open backup',

    choice: 'What is backed up',
    automatic: 'Back up by itself, after a quiet time and once a day',
    next: (when: string) => `Next: ${when}.`,
    withFiles: 'Pictures, files and voice notes too',
    withoutFiles: 'Without them, files come back only while the network has them: 30 days.',
    chats: (chosen: number, all: number) => (chosen === all ? 'All chats' : `${chosen} of ${all} chats`),
    failedByItself: 'The last backup did not work. The one before it is whole, and Volo tries again.',
    bringBack: 'Bring chats back from the backup',
    bringBackHint: 'With its passphrase. What is here already stays as it is.',
    brought: (messages: number) =>
      messages === 0
        ? 'Everything in the backup is here already.'
        : plural(messages, { one: '{n} message came back.', other: '{n} messages came back.' }),
    bringing: 'Bringing your chats back… You can go on using Volo.',

    readOnly: 'This is a backup, opened to be read. It is no device of your account, and cannot send or receive.',

    restore: 'Restore a backup',
    restoreTitle: 'Get your chats back',
    restoreLead: 'You need your username and the passphrase of your backup.',
    code: 'Recovery code, if you have one',
    codeHint:
      'With it this becomes a device of your account, and all others end. Without it you can read your chats here, and nothing else.',
    restoring: 'Looking for your backup…',
    start: 'Restore'
  }
}
