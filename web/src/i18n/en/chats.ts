import type { GroupLineKind } from '../../../../peer/peer-api.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('en')

/** Chats, and finding people to write to. */
export const chats = {
  chats: {
    title: 'Chats',
    list: 'Conversations',
    search: 'Search chats and messages',
    messages: 'Messages',
    clearSearch: 'Clear search',
    newChat: 'New chat',
    empty: 'No conversations yet. Find someone by their username.',
    find: 'Find someone',
    nothingFound: (text: string) => `No chat on this device matches “${text}”.`,
    nothingFoundSince: (text: string, day: string) =>
      `Nothing on this device matches “${text}”. Its messages begin on ${day}.`,
    findPerson: (text: string) => `Look for @${text}`,
    youWrote: (text: string) => `You: ${text}`,
    draft: 'Draft: ',
    unread: (n: number) => plural(n, { one: '{n} unread message', other: '{n} unread messages' }),
    filters: {
      label: 'Show',
      all: 'All',
      unread: 'Unread',
      groups: 'Groups',
      withoutWord: 'Without your word',
      archived: 'Archive'
    },
    nothingIn: {
      unread: 'Nothing is unread.',
      groups: 'No groups yet.',
      requests: 'No requests.',
      withoutWord: 'Nobody wrote without your word.',
      archived: 'Nothing is archived.'
    },
    menu: (title: string) => `Chat ${title}: menu`,
    markRead: 'Mark as read',
    pin: 'Pin to the top',
    unpin: 'Unpin',
    archive: 'Archive',
    unarchive: 'Take out of the archive',
    pinned: 'Pinned',
    muted: 'Muted',
    mentioned: (n: number) => plural(n, { one: 'You are mentioned once', other: 'You are mentioned {n} times' }),
    noMessages: 'No messages yet',
    choose: 'Choose a conversation, or start a new one.',
    resize: 'Width of the list'
  },

  thread: {
    members: (count: number) => plural(count, { one: '{n} member', other: '{n} members' }),
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
    draftNotKept: 'This text is too long to be kept when you leave. Copy it to another place, then shorten it.',
    newest: 'Jump to newest',
    newestUnread: (n: number) => plural(n, { one: '{n} new message', other: '{n} new messages' }),
    newMessages: 'New messages',
    older: 'Loading older messages',
    waitingForHint: 'It was sent, but has not arrived yet. It appears here by itself.',
    unsupported: 'Update Volo to see this message.',
    missing: (missing: number, gone: number) => {
      if (gone === 0) return plural(missing, { one: 'Waiting for this message', other: 'Waiting for {n} messages' })
      if (gone < missing)
        return plural(missing - gone, {
          one: 'Waiting for a message; others are lost',
          other: 'Waiting for {n} messages; others are lost'
        })
      return plural(missing, { one: 'This message is lost', other: '{n} messages are lost' })
    },
    lostHint: 'The device that sent it does not have it any more.',
    notLinked: 'The message above does not follow the one before it. Its sender may have shown others something else.',
    group: {
      you: 'You',
      youAmongOthers: 'you',
      list: (...names: string[]) =>
        names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`,
      lines: {
        asked: () => 'You asked to be added to a group.',
        created: (one: string, others: string, name: string) =>
          others === '' ? `${one} created the group “${name}”.` : `${one} created the group “${name}” with ${others}.`,
        added: (one: string, others: string) => `${one} added ${others}.`,
        removed: (one: string, others: string) => `${one} removed ${others}.`,
        left: (one: string) => `${one} left the group.`,
        promoted: (one: string, others: string) => `${one} made ${others} an admin.`,
        demoted: (one: string, others: string) => `${one} took the admin role from ${others}.`,
        renamed: (one: string, _others: string, name: string) => `${one} named the group “${name}”.`,
        described: (one: string, _others: string, text: string) =>
          text === '' ? `${one} removed the description.` : `${one} described the group: ${text}`,
        picture: (one: string) => `${one} changed the picture of the group.`,
        settings: (one: string) => `${one} changed who may add people and edit the group.`,
        undone: (one: string) =>
          `An earlier change by ${one} does not count: an admin who comes first ended their part at the same time.`
      } as Record<GroupLineKind, (one: string, others: string, text: string) => string>
    },
    removedByMe: 'A device that you removed sent something after it was removed. It is not shown.',
    removedByThem: 'A device that this person removed sent something after it was removed. It is not shown.',
    recovered: 'This person replaced all devices with a recovery code. Compare your safety number again.',
    deleted: (count: number) =>
      plural(count, {
        one: 'The network deleted a message before this device came back. Volo asks for it again where possible.',
        other:
          'The network deleted up to {n} messages before this device came back. Volo asks for them again where possible.'
      }),
    differs: {
      device: (name: string, device: string) => `${name} (device ${device})`,
      /** Whose messages or record it is, where it is the user. */
      you: 'you',
      myDevice: (device: string) => `Your device ${device}`,
      history: (who: string, whose: string) =>
        `${who} was shown other messages of ${whose} than this device. Somebody deceives one of them.`,
      records: (who: string, whose: string) =>
        `${who} was shown another public record of ${whose} than this device. Compare your safety numbers.`,
      roster: (who: string) => `${who} sees other members in this group than this device. Compare your safety numbers.`,
      build: (who: string) =>
        `${who} runs another app than this device, although both are the same version of Volo. Somebody may have changed the app on its way.`
    },
    deletedOfStrangers: (count: number) =>
      plural(count, {
        one: 'The network deleted a message from a person you don’t know before this device came back.',
        other: 'The network deleted up to {n} messages from people you don’t know before this device came back.'
      }),
    hereNow: 'Here now',
    hereLast: (when: string) => `Here last: ${when}`,
    typing: (names: string, n: number) => (n === 1 ? `${names} is typing…` : `${names} are typing…`),
    timerOn: (time: string) => `New messages disappear after ${time}.`,
    timerOff: 'New messages stay.',
    time: {
      seconds: (count: number) => plural(count, { one: '1 second', other: '{n} seconds' }),
      minutes: (count: number) => plural(count, { one: '1 minute', other: '{n} minutes' }),
      hours: (count: number) => plural(count, { one: '1 hour', other: '{n} hours' }),
      days: (count: number) => plural(count, { one: '1 day', other: '{n} days' }),
      weeks: (count: number) => plural(count, { one: '1 week', other: '{n} weeks' })
    },
    deletedMessage: 'This message was deleted.',
    retry: 'Retry',
    notSent: 'Not sent.',
    keptHere: 'Not sent. Your message is kept here.',
    held: 'Messages are paused.',
    whatHappened: 'What happened?',
    gone: 'This conversation is not on this device.',
    loadFailed: 'Couldn’t open this conversation. Your messages are still on this device.',
    sendFailed: 'Couldn’t take your message. It is still in the box below.',
    showMore: 'Show more',
    menu: (from: string, time: string) => `Message from ${from}, ${time}: menu`,
    copyText: 'Copy text',
    messageDetails: 'Details',
    sentAt: 'Sent',
    receivedAt: 'Arrived on this device',
    deliveryState: 'Delivery',
    article: (from: string, time: string, state: string) => [from, time, state].filter(Boolean).join(', ')
  },

  ticks: {
    waiting: 'Waiting',
    sent: 'Sent',
    delivered: 'Delivered',
    read: 'Read',
    failed: 'Not sent'
  },

  people: {
    title: 'People',
    newChat: 'New chat',
    find: 'Find by username',
    findHint: 'Type the whole username, for example @ada, or a name elsewhere, for example x:ada.',
    look: 'Find',
    looking: 'Looking…',
    notYet: 'Not found yet. New names take a few seconds.',
    nobodyElsewhere: (name: string) => `Nobody wants to be found by ${name}.`,
    nobody: (username: string) => `Nobody has the name @${username}. Check the spelling with them.`,
    invalid: 'A username has 3 to 24 letters a–z, digits or _.',
    offline: 'Couldn’t look for people: there is no connection. Your chats are all here.',
    known: 'People you write to',
    none: 'People you write to appear here.',
    message: 'Message',
    messageTo: (name: string) => `Message ${name}`,
    isYou: 'This is you',
    choose: 'Choose a person to see more about them.'
  }
}
