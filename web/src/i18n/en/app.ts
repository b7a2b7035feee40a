import { pluralizer } from '../plural.ts'

const plural = pluralizer('en')

/** Words that every screen uses, and those of what lies around the screens. */
export const app = {
  common: {
    tryAgain: 'Try again',
    back: 'Back',
    close: 'Close',
    later: 'Later',
    copy: 'Copy',
    copied: 'Copied',
    you: 'You',
    loading: 'Loading',
    notesToSelf: 'Notes to self',
    unnamed: 'Somebody without a name here',
    atName: (username: string) => `@${username}`,
    and: ' · '
  },

  navigation: {
    label: 'Main',
    chats: 'Chats',
    people: 'People',
    you: 'You',
    skip: 'Skip to the conversation'
  },

  status: {
    offline: 'No connection. Messages wait here.',
    connecting: 'Connecting…',
    sentWaiting: (n: number) => plural(n, { one: 'Sent {n} waiting message', other: 'Sent {n} waiting messages' }),
    adding: 'Adding you to the public record… you can already chat',
    nameTaken: 'Somebody had your username first.',
    chooseAnother: 'Choose another',
    deviceRemoved: 'This device was removed from your account. It can no longer send or receive.',
    more: 'More'
  },

  announce: {
    message: (from: string, text: string) => `${from}: ${text}`,
    messages: (n: number, from: string) =>
      plural(n, { one: `{n} new message from ${from}`, other: `{n} new messages from ${from}` }),
    newMessages: (n: number) => plural(n, { one: '{n} new message', other: '{n} new messages' })
  },

  update: {
    ready: 'A new version of Volo is ready.',
    accept: 'Update now',
    accepting: 'Updating…'
  },

  switcher: {
    title: 'Go to a chat',
    placeholder: 'Name of a person',
    nothing: 'No chat matches.'
  },

  keys: {
    title: 'Keys',
    switchChat: 'Go to a chat',
    previousChat: 'Previous chat',
    nextChat: 'Next chat',
    send: 'Send the message',
    newLine: 'New line',
    close: 'Close or go back',
    help: 'This list',
    ctrl: 'Ctrl',
    command: '⌘',
    alt: 'Alt',
    shift: 'Shift',
    enter: 'Enter',
    escape: 'Esc'
  },

  notFound: {
    title: 'There is nothing here',
    text: 'This address does not lead anywhere in Volo. Your chats are where they were.',
    home: 'Go to your chats'
  },

  startFailed: {
    title: 'Volo could not start here',
    beyondRepair:
      'You can begin again in this browser. Your account goes on on your other devices; without one, a recovery code brings it back.',
    slow: 'Volo is still opening. If it is open in another tab with an older version, close that tab.'
  }
}
