import type { backup as English } from '../en/backup.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('de')

/** Backups: made on a device of the account, brought back on a new one. */
export const backup: typeof English = {
  backup: {
    title: 'Sicherung',
    lead: 'Deine Chats und Dateien, verschlüsselt mit einer Passphrase, die nur du kennst, aufbewahrt vom Netz.',
    none: 'Es gibt noch keine Sicherung. Geht dieses Gerät verloren, sind deine Chats mit ihm verloren.',
    last: (when, what, size) => `Letzte Sicherung: ${when}. ${what}, ${size}.`,
    what: (messages, chats) =>
      `${plural(messages, { one: '{n} Nachricht', other: '{n} Nachrichten' })} aus ${plural(chats, { one: '{n} Chat', other: '{n} Chats' })}`,
    copies: n => plural(n, { one: 'Sie liegt an {n} Stelle.', other: 'Sie liegt an {n} Stellen.' }),
    passphrase: 'Passphrase',
    passphraseHint:
      'Mindestens acht Zeichen. Schreibe sie auf: Ohne sie kann niemand die Sicherung öffnen, auch Volo nicht.',
    suggest: 'Eine vorschlagen',
    change: 'Andere Passphrase',
    changeHint: 'Lass das Feld leer, um die bisherige zu behalten.',
    show: 'Zeigen',
    hide: 'Verbergen',
    now: 'Jetzt sichern',
    working: 'Wird gesichert … Du kannst Volo weiter benutzen.',
    check: 'Jetzt prüfen',
    checking: 'Die ganze Sicherung wird gelesen …',
    checked: what => `Die Sicherung ist vollständig: ${what}.`,
    open: 'Sicherung öffnen',

    choice: 'Was gesichert wird',
    automatic: 'Von selbst sichern, nach einer ruhigen Zeit und einmal am Tag',
    next: when => `Nächste: ${when}.`,
    withFiles: 'Auch Bilder, Dateien und Sprachnachrichten',
    withoutFiles: 'Ohne sie kommen Dateien nur zurück, solange das Netz sie hat: 30 Tage.',
    chats: (chosen, all) => (chosen === all ? 'Alle Chats' : `${chosen} von ${all} Chats`),
    failedByItself: 'Die letzte Sicherung hat nicht geklappt. Die davor ist vollständig, und Volo versucht es wieder.',
    bringBack: 'Chats aus der Sicherung holen',
    bringBackHint: 'Mit ihrer Passphrase. Was schon hier ist, bleibt, wie es ist.',
    brought: messages =>
      messages === 0
        ? 'Alles in der Sicherung ist schon hier.'
        : plural(messages, { one: '{n} Nachricht ist zurück.', other: '{n} Nachrichten sind zurück.' }),
    bringing: 'Deine Chats werden geholt … Du kannst Volo schon benutzen.',

    readOnly:
      'Das ist eine Sicherung, zum Lesen geöffnet. Sie ist kein Gerät deines Kontos und kann nicht senden und empfangen.',

    restore: 'Sicherung zurückholen',
    restoreTitle: 'Hol deine Chats zurück',
    restoreLead: 'Du brauchst deinen Benutzernamen und die Passphrase deiner Sicherung.',
    code: 'Wiederherstellungscode, falls du einen hast',
    codeHint:
      'Mit ihm wird dies ein Gerät deines Kontos, und alle anderen enden. Ohne ihn kannst du deine Chats hier lesen, sonst nichts.',
    restoring: 'Deine Sicherung wird gesucht …',
    start: 'Zurückholen'
  }
}
