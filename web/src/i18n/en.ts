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
    unknown: 'Couldn’t check this name now. You can choose it all the same; if somebody had it first, Volo tells you.',
    forEver:
      'Your device’s public key and a scrambled form of your username go on the public record and stay there for ever. Your name in clear and your messages never do.',
    start: 'Start',
    starting: 'Starting…',
    needName: 'Choose a free username first.',
    needDisplayName: 'Enter the name that people see.',
    more: 'More',
    another: 'Use another sign-in'
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
    verified: 'Verified: you compared the safety number',
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
    undoneText: (when: string) =>
      `It stood on the public record, but its newest entries were undone (${when}). It is being added again by itself. The devices are the same as before; you need not do anything.`,
    unconfirmed: 'Unconfirmed',
    unconfirmedText:
      'Only one place could be asked. It cannot make up devices, but it could leave out the newest entries. Don’t share secrets until a second one agrees.',
    mismatch: 'Contradiction',
    mismatchText: (name: string) =>
      `Two independent places give different answers about ${name}. Messages are paused, and nothing was sent with a wrong key. Right after a change this passes within a minute; if it stays, ask ${name} in another way.`,
    changed: 'Changed: please check',
    alertKey: (name: string) =>
      `Entries about the devices of ${name} stood on the public record and are gone from it. Messages now go to the devices that are left. Ask ${name} in another way whether these are right.`,
    alertRecovered: (name: string) =>
      `${name} replaced all devices with a recovery code. Compare your safety number again before you share secrets.`,
    alertLostName: (name: string, username: string) =>
      `@${username} does not lead to ${name} any more. Your messages still go to the same devices as before.`,
    alertNewHolder: (name: string, username: string) =>
      `@${username} led to somebody else before. Make sure who ${name} is before you share secrets.`,
    alertWithheld: (name: string) =>
      `The only place that answers leaves out entries about ${name} that were there before. What was seen stays in force here; it settles by itself once a second place can be asked.`,
    letStand: 'I have checked, go on',
    compare: 'Compare safety number',
    removed: 'Device removed',
    removedText: (name: string) =>
      `${name} removed every device. Messages are paused until there is another one; what you wrote before stays here.`,
    removedOwn: 'Every device of your account was removed. What is on this device stays on it.',
    alertLabel: 'Something changed',
    checkedTwo: (ago: string) => `Checked on this device, 2 independent sources agree · ${ago}`,
    checkedOne: (ago: string) => `Checked on this device against one source · ${ago}`,
    checkedNone: (ago: string) => `One source says so; not checked further · ${ago}`
  },

  publicRecord: {
    title: 'Public record',
    open: 'Open the public record',
    intro:
      'A public list, kept by nobody in particular, says which devices belong to whom. Whoever gives you a wrong device is found out here.',
    who: 'Who',
    names: (username: string) => `Known as @${username}`,
    nameUnconfirmed: 'The name is not confirmed yet: only one place could be asked who has it.',
    noName: 'Without a username',
    devices: 'Devices',
    checked: 'How this was checked',
    checkedHere: 'This device went through every entry itself, from the first one on.',
    agreeTwo: 'Two independent places gave the same entries.',
    agreeOne: 'Only one place could be asked, so the newest entries might be missing.',
    ago: (ago: string) => `Last checked ${ago}.`,
    safety: 'Safety number',
    safetyText: (name: string) => `Compare it with ${name} to know that nobody stands between you.`,
    verifiedOn: (when: string) => `Compared on ${when}.`,
    failed: 'Couldn’t open the public record. Your chats are not affected.'
  },

  devices: {
    title: 'Devices',
    open: 'Devices of your account',
    intro: 'These devices can read your messages and write in your name. Remove one that is lost, stolen or not yours.',
    thisDevice: 'This device',
    other: (n: number) => `Device ${n}`,
    adding: 'Being added to the public record',
    since: (when: string) => `On the public record since ${when}`,
    settling: 'Still settling',
    removing: 'Removed. The public record is being told.',
    removedOn: (when: string) => `Removed on ${when}`,
    removedSettling: 'The removal is still settling.',
    remove: 'Remove',
    removeNamed: (name: string) => `Remove ${name}`,
    confirmTitle: (name: string) => `Remove “${name}”?`,
    confirmOther:
      'It can no longer send or receive in your name, for good. Messages that are on it stay on it. Your contacts see that it was removed.',
    confirmThis:
      'This is the device you are using. It can no longer send or receive, for good: to write again you need another device of your account. Messages stay on it until you erase them here.',
    confirmLast: 'It is your only device. Without it nobody can reach this account any more.',
    confirm: 'Remove for good',
    removingNow: 'Removing…',
    keep: 'Keep it',
    removedHere:
      'This device was removed from your account. It can no longer send or receive. Its messages stay on it; to erase them, clear what your browser keeps for this site.',
    failed: 'Couldn’t open the list of devices.'
  },

  safetyCheck: {
    title: 'Safety number',
    intro: (name: string) =>
      `Meet ${name}, or call, and compare these digits with those on the other screen. If all are the same, nobody stands between you.`,
    digits: 'Sixty digits in twelve groups',
    match: 'They are the same',
    mismatch: 'They differ',
    verified: (name: string) => `You compared this number. ${name} is verified.`,
    verifiedHint:
      'New devices need no new comparison. If something does not fit any more, sending pauses and you are told.',
    unverify: 'Not verified any more',
    differ: (name: string) =>
      `Don’t share secrets here for now. First make sure that you both look at the same conversation and that both apps are up to date, then compare again. If the digits still differ, ${name} may not be who you think.`,
    again: 'Compare again',
    failed: 'Couldn’t work out the safety number.'
  },

  technical: {
    devices: 'Devices and keys',
    signingKey: 'Signing key (Ed25519)',
    messagingKeyHash: 'Hash of the messaging key',
    entries: 'Records',
    recordId: 'Record id',
    pending: 'not in a block yet',
    inBlock: (block: number, n: number) =>
      `block ${block}, ${plural(n, { one: '{n} confirmation', other: '{n} confirmations' })}`,
    tip: 'Newest block seen',
    checkYourself: 'Check it yourself',
    checkYourselfHint: 'On any computer with Node.js; it asks the nodes itself and believes none of them.',
    theirNumber: 'Their part of the safety number',
    myNumber: 'Your part of the safety number',
    create: 'CREATE: account and first device',
    add: 'ADD: another device',
    revoke: 'REVOKE: a device removed',
    rotate: 'ROTATE: new messaging key',
    nameCommit: 'NAME: reserved',
    nameReveal: 'NAME: opened',
    nameRelease: 'NAME: given back',
    recover: 'RECOVER: all devices replaced',
    nodeRecord: 'NODE: announced',
    vouch: 'VOUCH: an operator admitted',
    otherRecord: 'Another record',
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
    anotherName: 'Choose another username',
    claim: 'Take this username',
    claiming: 'Handing it in…',
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
    chooseAnother: 'Choose another',
    deviceRemoved: 'This device was removed from your account. It can no longer send or receive.',
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
