import { pluralizer } from '../plural.ts'

const plural = pluralizer('en')

/** The devices of the own account, and the history that a new one gets. */
export const ownDevices = {
  devices: {
    title: 'Devices',
    open: 'Devices of your account',
    intro: 'These devices can read your messages and write in your name. Remove one that is lost, stolen or not yours.',
    thisDevice: 'This device',
    anotherDevice: 'another device',
    first: 'The first device of the account',
    recovered: 'Added with the recovery code',
    addedBy: (name: string) => `Added by ${name}`,
    lastSeen: (ago: string) => `Last seen ${ago}`,
    seenNow: 'Last seen within the hour',
    name: 'Name of the device',
    rename: 'Rename',
    renameNamed: (name: string) => `Rename ${name}`,
    removedDevices: (n: number) => plural(n, { one: '{n} removed device', other: '{n} removed devices' }),
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
    confirmLast: 'It is your only device. Without it, only a recovery code brings this account back.',
    confirm: 'Remove for good',
    removingNow: 'Removing…',
    keep: 'Keep it',
    removedHere:
      'This device was removed from your account. It can no longer send or receive. Its messages stay on it; to erase them, clear what your browser keeps for this site.',
    unsent: (n: number) => plural(n, { one: '{n} message was not sent.', other: '{n} messages were not sent.' }),
    unsentHint: 'Copy what you need, and send it from another device.',
    copyUnsent: 'Copy the messages',
    failed: 'Couldn’t open the list of devices.'
  },

  history: {
    waiting: 'Your chats come next, while Volo is open on your other device.',
    coming: (chats: number, total: number) => `Chats ${chats} of ${total}`,
    stopped: (chats: number, total: number) =>
      `The device that sent your chats was removed before all was here: ${chats} of ${total} chats came. The rest does not come.`,
    count: (n: number) => plural(n, { one: '{n} message so far', other: '{n} messages so far' }),
    shipped: (chats: number, total: number) => `Gets your chats: ${chats} of ${total}`
  }
}
