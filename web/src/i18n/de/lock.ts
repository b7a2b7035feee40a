import type { lock as English } from '../en/lock.ts'

/** The lock of this browser, and giving up what is in it. */
export const lock: typeof English = {
  lock: {
    title: 'Diesen Browser sperren',
    none: 'Lege eine Passphrase fest, und Volo fragt bei jedem Start danach. Ohne sie zeigen kopierte Dateien dieses Browsers niemandem deine Chats oder Schlüssel.',
    noneEither:
      'Lege eine Passphrase oder einen Passkey fest, und Volo fragt bei jedem Start danach. Ohne sie zeigen kopierte Dateien dieses Browsers niemandem deine Chats oder Schlüssel.',
    setPassphrase: 'Dieser Browser ist mit einer Passphrase gesperrt. Volo fragt bei jedem Start danach.',
    setPasskey: 'Dieser Browser ist mit einem Passkey gesperrt. Volo fragt bei jedem Start danach.',
    setBoth: 'Dieser Browser ist gesperrt. Bei jedem Start öffnet ihn eine Passphrase oder ein Passkey.',
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
    passkeyHint:
      'Dann öffnet ein Fingerabdruck, ein Gesicht, eine PIN oder ein Sicherheitsschlüssel Volo in diesem Browser.',
    passkeyLost:
      'Geht er verloren, ist verloren, was in diesem Browser ist. Eine Passphrase daneben ist ein zweiter Weg hinein.',
    lockWithPasskey: 'Mit einem Passkey sperren',
    addPasskey: 'Passkey hinzufügen',
    addPasskeyHint: 'Dann öffnet die Passphrase oder der Passkey Volo in diesem Browser.',
    passkeyAdded: 'Der Passkey öffnet von jetzt an diesen Browser.',
    removePasskey: 'Passkey entfernen',
    removePasskeyHint: 'Tu das auch, wenn du ihn verloren hast. Dann öffnet nur die Passphrase diesen Browser.',
    passkeyRemoved: 'Der Passkey wurde entfernt. Er öffnet nichts mehr.',
    addPassphrase: 'Passphrase hinzufügen',
    passphraseAdded: 'Auch die Passphrase öffnet diesen Browser.',
    removePassphrase: 'Passphrase entfernen',
    removePassphraseHint: 'Dann öffnet nur der Passkey diesen Browser.',
    passphraseRemoved: 'Die Passphrase wurde entfernt. Sie öffnet nichts mehr.',
    asksPasskey: 'Volo fragt dafür nach deinem Passkey.',
    waiting: 'Warten auf den Passkey …',
    unlockWithPasskey: 'Mit dem Passkey entsperren',
    wrongPasskey: 'Dieser Passkey öffnet diesen Browser nicht. Nichts wurde geändert.',
    passkeyProblems: {
      refused: 'Der Passkey wurde nicht benutzt. Nichts wurde geändert.',
      'no-key':
        'Dieser Passkey kann Volo nicht sperren. Nichts wurde geändert. Nimm eine andere Art von Passkey oder eine Passphrase; den angelegten kannst du dort löschen, wo deine Passkeys liegen.',
      unusable: 'Dieser Browser kann hier keinen Passkey benutzen. Nichts wurde geändert. Nimm eine Passphrase.'
    },
    wrong: 'Das ist nicht die Passphrase. Nichts wurde geändert.',
    locked: 'Volo ist gesperrt',
    unlock: 'Entsperren',
    unlocking: 'Wird entsperrt …',
    forgot: 'Passphrase vergessen?',
    lost: 'Passkey verloren?',
    lostText:
      'Niemand sonst kann diesen Browser öffnen. Du kannst darin neu beginnen; deine anderen Geräte behalten dein Konto und deine Chats, und ein Wiederherstellungscode holt das Konto zurück.',
    lostBoth: 'Beides verloren?',
    forgotText:
      'Niemand kann sie zurücksetzen. Du kannst in diesem Browser neu beginnen; deine anderen Geräte behalten dein Konto und deine Chats, und ein Wiederherstellungscode holt das Konto zurück.',
    forget: 'Alles in diesem Browser vergessen',
    forgetTitle: 'Hier alles vergessen?',
    forgetText:
      'Das löscht deine Schlüssel, deine Chats und die Sperre endgültig aus diesem Browser. Ohne ein anderes Gerät oder einen Wiederherstellungscode ist auch dein Konto weg.',
    keep: 'Behalten',
    confirm: 'Alles vergessen',
    forgetting: 'Wird vergessen …'
  }
}
