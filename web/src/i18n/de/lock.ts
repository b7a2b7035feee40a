import type { lock as English } from '../en/lock.ts'

/** The lock of this browser, and giving up what is in it. */
export const lock: typeof English = {
  lock: {
    title: 'Diesen Browser sperren',
    none: 'Lege eine Passphrase fest, und Volo fragt bei jedem Start danach. Ohne sie zeigen kopierte Dateien dieses Browsers niemandem deine Chats oder Schlüssel.',
    set: 'Dieser Browser ist mit einer Passphrase gesperrt. Volo fragt bei jedem Start danach.',
    noReset: 'Niemand kann sie zurücksetzen, auch du nicht. Vergisst du sie, ist verloren, was in diesem Browser ist.',
    remains: 'Was dieser Browser vorher geschrieben hat, kann noch einige Zeit in seinen Dateien lesbar sein.',
    notDevice:
      'Ein Schlüssel liegt nicht unter der Sperre, weil eine ältere Version von Volo ihn von diesem Browser machen ließ. Mit kopierten Dateien könnte ein Dieb noch in deinem Namen schreiben. Melde dich in einem neuen Browserprofil an, um das zu vermeiden.',
    passphrase: 'Passphrase',
    newPassphrase: 'Neue Passphrase',
    repeat: 'Noch einmal dieselbe',
    current: 'Jetzige Passphrase',
    differ: 'Die beiden sind nicht gleich. Gib sie noch einmal ein.',
    hint: '8 Zeichen oder mehr. Mehrere Wörter merkt man sich leicht.',
    setNow: 'Sperre einrichten',
    setting: 'Was hier ist, wird gesperrt … Lass diesen Tab offen.',
    lockNow: 'Jetzt sperren',
    lockNowHint: 'Schließt Volo in jedem Tab dieses Browsers.',
    change: 'Passphrase ändern',
    changed: 'Die Passphrase wurde geändert. Die alte öffnet nichts mehr.',
    wasSet: 'Die Sperre ist an.',
    remove: 'Sperre aufheben',
    removeHint: 'Dann zeigen kopierte Dateien dieses Browsers deine Chats jedem, der sie hat.',
    removed: 'Die Sperre ist aus.',
    wrong: 'Das ist nicht die Passphrase. Nichts wurde geändert.',
    locked: 'Volo ist gesperrt',
    unlock: 'Entsperren',
    unlocking: 'Wird entsperrt …',
    forgot: 'Passphrase vergessen?',
    forgotText:
      'Niemand kann sie zurücksetzen. Du kannst in diesem Browser neu beginnen; deine anderen Geräte behalten dein Konto und deine Chats.',
    forget: 'Alles in diesem Browser vergessen',
    forgetTitle: 'Hier alles vergessen?',
    forgetText:
      'Das löscht deine Schlüssel, deine Chats und die Sperre endgültig aus diesem Browser. Ohne ein anderes Gerät oder einen Wiederherstellungscode ist auch dein Konto weg.',
    keep: 'Behalten',
    confirm: 'Alles vergessen',
    forgetting: 'Wird vergessen …'
  }
}
