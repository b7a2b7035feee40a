/** The recovery code: made on a device of the account, used when all of them are gone. */
export const recovery = {
  recovery: {
    title: 'Recovery code',
    lead: 'With this code you get your account and your username back when all your devices are gone.',
    none: 'Without a recovery code, this account is lost with its last device.',
    isSet: 'You have a recovery code. It is on paper or in a file only: no device shows it again.',
    unknown: 'Whether you have a code is not known without a connection.',
    open: 'See your recovery code',
    make: 'Make a recovery code',
    replace: 'Make a new code',
    replaceText: 'A new code takes the place of the one that you have after seven days. Until then the old one counts.',
    code: 'Your recovery code',
    once: 'This is the only time that it is shown. Keep it where you keep your passport: whoever finds it can take your account.',
    print: 'Print',
    save: 'Save as a file',
    copy: 'Copy',
    copied: 'Copied',
    notYet: 'It counts only once you have kept it and said so here.',
    kept: 'I have kept it',
    setting: 'Putting it on the public record…',
    discard: 'Throw this code away',
    done: 'Your recovery code counts now.',
    doneLater: (when: string) =>
      `Your recovery code counts from ${when}. Until then an older device of yours can refuse it.`,
    waitsThis: (when: string) => `A code that you made on this device counts from ${when}.`,
    waitsOther: (name: string, when: string) =>
      `${name} made a recovery code. It counts from ${when}. If that was not you, refuse it, and remove that device.`,
    anotherDevice: 'Another device',
    named: (name: string) => `“${name}”`,
    refuse: 'Refuse the code',
    takeBack: 'Take it back',
    fileName: 'volo-recovery-code.txt',
    paper: (code: string, username: string) =>
      [
        `Volo recovery code${username === '' ? '' : ` of @${username}`}`,
        '',
        code,
        '',
        'With this code you get your account and username back when all your devices are gone:',
        'open Volo and choose “I lost all my devices”.',
        'It ends every device that the account has then. It works once.',
        'Whoever finds it can do the same: keep it where you keep your passport.',
        ''
      ].join('\n'),

    offer: 'If you lose all your devices, a code on paper brings your account back.',
    notNow: 'Not now',
    strip: 'A device of yours made a recovery code. Was it you?',
    look: 'Look',

    lost: 'I lost all my devices',
    regainTitle: 'Get your account back',
    regainLead: 'You need your username and your recovery code.',
    username: 'Your username',
    codeField: 'Recovery code',
    codeHint: 'Eight groups of four letters and digits. Capitals and dashes do not matter.',
    file: 'Take it from a file',
    ends: 'All other devices of the account end, for good. Your contacts are told that you used the code. Your old chats do not come back: they were on your devices only.',
    regain: 'Get my account back',
    regaining: 'Asking for your account…',
    noAccount: 'No account has this username. Nothing was changed. Check the spelling.'
  }
}
