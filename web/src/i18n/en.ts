import { pluralizer } from './plural.ts'

const plural = pluralizer('en')

/**
 * Every word that the app shows, in English. Another language is another object of type {@link Catalogue}. Words that only
 * an expert knows stay inside `technical`; a test keeps them out of the rest.
 */
export const en = {
  locale: 'en',
  appName: 'Volo',

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

  welcome: {
    promise: ['Private messages.', 'No company in the middle.'],
    explain: 'Only you and the people you write to can read your messages. Your account lives on your own devices.',
    continueWith: (provider: string) => `Continue with ${provider}`,
    continueDemo: 'Continue with demo sign-in',
    asksOnly: 'We ask them only for your name and picture; they never see your messages.',
    demo: 'Demo sign-in is for trying Volo. Anybody can use any name there, so it proves nothing about who somebody is.',
    looking: 'Looking for ways to sign in…',
    none: 'No way to sign in is set up here. Ask whoever runs this address.',
    opening: 'Opening the sign-in page…',
    unreachable: 'Couldn’t reach the network. Nothing is lost: you have not signed in yet.',
    failed: 'Signing in did not work. Nothing was shared. You can try again.',
    cancelled: 'You stopped signing in. Nothing was shared.',
    finishing: 'Finishing the sign-in…'
  },

  name: {
    title: 'Your name here',
    lead: 'This is how people find you and what they see. It takes a few seconds.',
    username: 'Username',
    usernameHint: '3 to 24 letters a–z, digits or _',
    displayName: 'Name shown to people you write to',
    displayNameHint: 'Any name you like, such as Ada or Ada L.',
    deviceName: 'Name of this device',
    deviceNameHint: 'Only so that you can tell your devices apart.',
    checking: 'Checking…',
    available: (username: string) => `@${username} is free`,
    taken: (username: string) => `@${username} is taken. Try another one.`,
    invalid: 'Use 3 to 24 letters a–z, digits or _',
    unknown: 'Couldn’t check this name now. You can start; if somebody had it first, Volo tells you.',
    forEver:
      'Your device’s public key and a scrambled form of your username go on the public record and stay there for ever. Your name in clear and your messages never do.',
    start: 'Start',
    starting: 'Starting…',
    needName: 'Choose a free username first.',
    needDisplayName: 'Enter the name that people see.',
    needDeviceName: 'Give this device a name.'
  },

  chats: {
    title: 'Chats',
    list: 'Conversations',
    search: 'Search chats',
    clearSearch: 'Clear search',
    newChat: 'New chat',
    empty: 'No conversations yet. Find someone by their username.',
    find: 'Find someone',
    nothingFound: (text: string) => `No chat on this device matches “${text}”.`,
    findPerson: (text: string) => `Look for @${text}`,
    youWrote: (text: string) => `You: ${text}`,
    draft: 'Draft: ',
    unread: (n: number) => plural(n, { one: '{n} unread message', other: '{n} unread messages' }),
    noMessages: 'No messages yet',
    choose: 'Choose a conversation, or start a new one.',
    resize: 'Width of the list'
  },

  thread: {
    hello: (name: string) => `Say hello. Only you and ${name} can read this.`,
    helloNotes: 'Write something down. Only your own devices can read this.',
    log: (title: string) => `Messages with ${title}`,
    logNotes: 'Your notes',
    details: (name: string) => `About ${name}`,
    message: 'Message',
    write: (name: string) => `Write to ${name}`,
    writeNotes: 'Write a note',
    send: 'Send',
    sendHint: 'Enter sends, Shift+Enter starts a new line.',
    tooLong: 'This message is too long. Split it into several.',
    newest: 'Jump to newest',
    newestUnread: (n: number) => plural(n, { one: '{n} new message', other: '{n} new messages' }),
    newMessages: 'New messages',
    older: 'Loading older messages',
    waitingFor: 'Waiting for this message',
    waitingForHint: 'It was sent, but has not arrived yet. It appears here by itself.',
    unsupported: 'Update Volo to see this message.',
    retry: 'Retry',
    notSent: 'Not sent.',
    keptHere: 'Not sent. Your message is kept here.',
    held: 'Messages are paused.',
    whatHappened: 'What happened?',
    gone: 'This conversation is not on this device.',
    loadFailed: 'Couldn’t open this conversation. Your messages are still on this device.',
    sendFailed: 'Couldn’t take your message. It is still in the box below.',
    article: (from: string, time: string, state: string) => [from, time, state].filter(Boolean).join(', ')
  },

  ticks: {
    waiting: 'Waiting',
    sent: 'Sent',
    delivered: 'Delivered',
    read: 'Read',
    failed: 'Not sent'
  },

  announce: {
    message: (from: string, text: string) => `${from}: ${text}`,
    messages: (n: number, from: string) =>
      plural(n, { one: `{n} new message from ${from}`, other: `{n} new messages from ${from}` }),
    newMessages: (n: number) => plural(n, { one: '{n} new message', other: '{n} new messages' })
  },

  people: {
    title: 'People',
    newChat: 'New chat',
    find: 'Find by username',
    findHint: 'Type the whole username, for example @ada.',
    look: 'Find',
    looking: 'Looking…',
    nobody: (username: string) => `Nobody has the name @${username}. Check the spelling with them.`,
    invalid: 'A username has 3 to 24 letters a–z, digits or _.',
    offline: 'Couldn’t look for people: there is no connection. Your chats are all here.',
    unconfirmed: 'Name not confirmed yet',
    unconfirmedHint: 'Only one place could be asked who has this name. Check with them before you share secrets.',
    known: 'People you write to',
    none: 'People you write to appear here.',
    message: 'Message',
    messageTo: (name: string) => `Message ${name}`,
    isYou: 'This is you',
    choose: 'Choose a person to see more about them.'
  },

  person: {
    title: 'About this person',
    notFound: 'This person is not known on this device, and could not be found on the network.',
    publicRecord: 'Public record',
    checkAgain: 'Check again',
    checking: 'Checking…',
    checkFailed: 'Couldn’t check just now. What you see is from the last time.',
    technical: 'Technical details'
  },

  record: {
    pending: 'Being added to the public record',
    pendingText: 'This takes a little while; you can already chat.',
    recorded: 'On the public record',
    recordedSince: (when: string) => `On the public record since ${when}.`,
    recordedText: 'Nobody, including us, can change it unnoticed.',
    settling: 'It is still settling: very recent entries can move.',
    emulated: 'This is a practice network. Its public record is emulated and proves nothing outside of it.',
    notFound: 'Not found on the public record',
    notFoundText:
      'We could not find this person’s device on the public record yet. You can chat; don’t share secrets until it appears.',
    mismatch: 'Does not match the public record',
    mismatchText: (name: string) =>
      `The record shows a different key for ${name}. Messages are paused, and nothing was sent with the wrong key. Ask ${name} in another way what happened.`,
    removed: 'Device removed',
    removedText: (name: string) => `${name} removed this device. Messages to it are paused.`,
    checkedTwo: (ago: string) => `Checked on this device, 2 independent sources agree · ${ago}`,
    checkedOne: (ago: string) => `Checked on this device against one source · ${ago}`,
    checkedNone: (ago: string) => `One source says so; not checked further · ${ago}`
  },

  technical: {
    accountId: 'Account id',
    deviceId: 'Device id',
    network: 'Network',
    transaction: 'Transaction id',
    block: 'Block height',
    confirmations: 'Confirmations',
    confirmationsSettling: (n: number) => `${n} (settling)`,
    confirmationsSafe: (n: number) => `${n} (very unlikely to be undone)`,
    trust: 'Trust level',
    L0: 'L0: a node’s word',
    L1: 'L1: transaction bytes hashed and signatures checked on this device, one source',
    L2: 'L2: as L1, and two operators agree on transaction and block',
    checkedAt: 'Last checked',
    none: 'not yet',
    node: 'Connected node',
    epoch: 'Placement epoch',
    listedNodes: 'Listed nodes',
    networkId: 'Network id'
  },

  you: {
    title: 'You',
    name: 'Your name',
    nameNone: 'No username',
    nameReserving: (username: string) =>
      `@${username} is being reserved for you. People can already find you in a moment.`,
    nameReserved: (username: string) =>
      `@${username} is reserved for you. It settles on the public record in the background.`,
    nameRecorded: (username: string) => `@${username} is yours, on the public record.`,
    nameTaken: (username: string) =>
      `Somebody else’s claim to @${username} came first on the public record. Your chats go on as before, but people cannot find you by this name.`,
    device: 'This device',
    storageSafe: 'Your browser promised to keep what is on this device.',
    storageMayClear: 'Your browser may clear the chats on this device when it needs room.',
    network: 'Network',
    online: 'Connected.',
    connecting: 'Connecting…',
    offline: 'No connection. You can read and write; messages wait here.',
    places: (n: number) =>
      plural(n, {
        one: 'This network runs in {n} place. Volo moves to another one by itself when there are more.',
        other: 'This network runs in {n} places. If one goes away, Volo moves to another by itself.'
      }),
    waiting: (n: number) =>
      plural(n, { one: '{n} message waits here to be sent.', other: '{n} messages wait here to be sent.' }),
    allSent: 'Nothing waits to be sent.',
    catchingUp: 'Fetching what arrived while you were away.',
    connectNow: 'Connect now',
    appearance: 'Appearance',
    system: 'As the system',
    light: 'Light',
    dark: 'Dark',
    keyboard: 'Keyboard',
    showKeys: 'Show the list of keys',
    about: 'About',
    version: (version: string) => `Volo ${version}`,
    aboutText:
      'Messages are encrypted on your device and can be read only on the devices of the people in the conversation. Independent places carry them; none of them can read them.',
    aboutEmulated: (label: string) =>
      `You are on “${label}”. Its public record is emulated for trying out: it behaves like the real one, but nobody outside can check it. Demo sign-in proves nothing about who somebody is.`,
    aboutReal: (label: string) => `Public record: ${label}.`,
    aboutWeb:
      'This app comes as a web page from the address you opened. Whoever serves it could serve a changed one; from now on it runs from this device and changes only when you accept an update.'
  },

  status: {
    offline: 'No connection. Messages wait here.',
    connecting: 'Connecting…',
    sentWaiting: (n: number) => plural(n, { one: 'Sent {n} waiting message', other: 'Sent {n} waiting messages' }),
    adding: 'Adding you to the public record… you can already chat',
    recorded: 'Recorded ✓',
    nameTaken: 'Somebody had your username first.',
    more: 'More'
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
    slow: 'Volo is still opening. If it is open in another tab with an older version, close that tab.'
  },

  failures: {
    offline: 'Couldn’t reach the network. What you wrote is kept here.',
    internal: 'Something in Volo went wrong. Your messages are kept on this device.'
  }
}

/** What a language has to provide. */
export type Catalogue = typeof en
