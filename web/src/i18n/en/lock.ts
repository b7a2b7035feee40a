/** The lock of this browser, and giving up what is in it. */
export const lock = {
  lock: {
    title: 'Lock this browser',
    none: 'Set a passphrase, and Volo asks for it each time it starts. Without it, copied files of this browser show nobody your chats or your keys.',
    noneEither:
      'Set a passphrase or a passkey, and Volo asks for it each time it starts. Without it, copied files of this browser show nobody your chats or your keys.',
    setPassphrase: 'This browser is locked with a passphrase. Volo asks for it each time it starts.',
    setPasskey: 'This browser is locked with a passkey. Volo asks for it each time it starts.',
    setBoth: 'This browser is locked. A passphrase or a passkey opens it each time Volo starts.',
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
    passkeyHint: 'A fingerprint, a face, a PIN or a security key then opens Volo in this browser.',
    passkeyLost: 'Lose it, and what is in this browser is lost. A passphrase beside it is a second way in.',
    lockWithPasskey: 'Lock with a passkey',
    addPasskey: 'Add a passkey',
    addPasskeyHint: 'Then the passphrase or the passkey opens Volo in this browser.',
    passkeyAdded: 'The passkey opens this browser from now on.',
    removePasskey: 'Remove the passkey',
    removePasskeyHint: 'Do this also if you lost it. Then only the passphrase opens this browser.',
    passkeyRemoved: 'The passkey was removed. It opens nothing any more.',
    addPassphrase: 'Add a passphrase',
    passphraseAdded: 'The passphrase opens this browser, too.',
    removePassphrase: 'Remove the passphrase',
    removePassphraseHint: 'Then only the passkey opens this browser.',
    passphraseRemoved: 'The passphrase was removed. It opens nothing any more.',
    asksPasskey: 'Volo asks for your passkey to do this.',
    waiting: 'Waiting for the passkey…',
    unlockWithPasskey: 'Unlock with the passkey',
    wrongPasskey: 'That passkey does not open this browser. Nothing was changed.',
    passkeyProblems: {
      refused: 'The passkey was not used. Nothing was changed.',
      'no-key':
        'This passkey cannot lock Volo. Nothing was changed. Use another kind of passkey, or a passphrase; you can delete the one that was made where your passkeys are kept.',
      unusable: 'This browser cannot use a passkey here. Nothing was changed. Use a passphrase.'
    },
    wrong: 'That is not the passphrase. Nothing was changed.',
    locked: 'Volo is locked',
    unlock: 'Unlock',
    unlocking: 'Unlocking…',
    forgot: 'Forgot the passphrase?',
    lost: 'Lost the passkey?',
    lostText:
      'Nobody else can open this browser. You can begin again in it; your other devices keep your account and your chats, and a recovery code brings the account back.',
    lostBoth: 'Lost both?',
    forgotText:
      'Nobody can reset it. You can begin again in this browser; your other devices keep your account and your chats, and a recovery code brings the account back.',
    forget: 'Forget everything in this browser',
    forgetTitle: 'Forget everything here?',
    forgetText:
      'This deletes your keys, your chats and the lock from this browser for good. Without another device or a recovery code your account is gone, too.',
    keep: 'Keep it',
    confirm: 'Forget everything',
    forgetting: 'Forgetting…'
  }
}
