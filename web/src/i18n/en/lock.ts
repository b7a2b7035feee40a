/** The lock of this browser, and giving up what is in it. */
export const lock = {
  lock: {
    title: 'Lock this browser',
    none: 'Set a passphrase, and Volo asks for it each time it starts. Without it, copied files of this browser show nobody your chats or your keys.',
    set: 'This browser is locked with a passphrase. Volo asks for it each time it starts.',
    noReset: 'Nobody can reset it, not even you. Forget it, and what is in this browser is lost.',
    remains: 'What this browser wrote before can stay readable in its files for some time.',
    notDevice:
      'One key is not under the lock, because an older version of Volo let this browser make it. With copied files a thief could still write in your name. Sign up in a new browser profile to avoid that.',
    passphrase: 'Passphrase',
    newPassphrase: 'New passphrase',
    repeat: 'The same again',
    current: 'Passphrase now',
    differ: 'The two are not the same. Type them again.',
    hint: '8 characters or more. Several words are easy to keep in mind.',
    setNow: 'Set the lock',
    setting: 'Locking what is here… Keep this tab open.',
    lockNow: 'Lock now',
    lockNowHint: 'Shuts Volo in every tab of this browser.',
    change: 'Change the passphrase',
    changed: 'The passphrase was changed. The old one opens nothing any more.',
    wasSet: 'The lock is on.',
    remove: 'Take the lock off',
    removeHint: 'Then copied files of this browser show your chats to whoever has them.',
    removed: 'The lock is off.',
    wrong: 'That is not the passphrase. Nothing was changed.',
    locked: 'Volo is locked',
    unlock: 'Unlock',
    unlocking: 'Unlocking…',
    forgot: 'Forgot the passphrase?',
    forgotText:
      'Nobody can reset it. You can begin again in this browser; your other devices keep your account and your chats.',
    forget: 'Forget everything in this browser',
    forgetTitle: 'Forget everything here?',
    forgetText:
      'This deletes your keys, your chats and the lock from this browser for good. Without another device or a recovery code your account is gone, too.',
    keep: 'Keep it',
    confirm: 'Forget everything',
    forgetting: 'Forgetting…'
  }
}
