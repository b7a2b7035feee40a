import type { recovery as English } from '../en/recovery.ts'

/** The recovery code: made on a device of the account, used when all of them are gone. */
export const recovery: typeof English = {
  recovery: {
    title: 'Wiederherstellungscode',
    lead: 'Mit diesem Code bekommst du dein Konto und deinen Benutzernamen zurück, wenn alle deine Geräte weg sind.',
    none: 'Ohne Wiederherstellungscode ist dieses Konto mit seinem letzten Gerät verloren.',
    isSet:
      'Du hast einen Wiederherstellungscode. Es gibt ihn nur auf Papier oder in einer Datei: Kein Gerät zeigt ihn noch einmal.',
    unknown: 'Ob du einen Code hast, ist ohne Verbindung nicht bekannt.',
    open: 'Wiederherstellungscode ansehen',
    make: 'Wiederherstellungscode machen',
    replace: 'Neuen Code machen',
    replaceText: 'Ein neuer Code tritt nach sieben Tagen an die Stelle des bisherigen. Bis dahin gilt der alte.',
    code: 'Dein Wiederherstellungscode',
    once: 'Er wird nur dieses eine Mal gezeigt. Bewahre ihn auf, wo du deinen Pass aufbewahrst: Wer ihn findet, kann dein Konto nehmen.',
    print: 'Drucken',
    save: 'Als Datei speichern',
    copy: 'Kopieren',
    copied: 'Kopiert',
    notYet: 'Er gilt erst, wenn du ihn aufbewahrt und das hier bestätigt hast.',
    kept: 'Ich habe ihn aufbewahrt',
    setting: 'Er kommt ins öffentliche Register …',
    discard: 'Diesen Code wegwerfen',
    done: 'Dein Wiederherstellungscode gilt jetzt.',
    doneLater: when =>
      `Dein Wiederherstellungscode gilt ab ${when}. Bis dahin kann ihn ein älteres deiner Geräte ablehnen.`,
    waitsThis: when => `Ein Code, den du auf diesem Gerät gemacht hast, gilt ab ${when}.`,
    waitsOther: (name, when) =>
      `${name} hat einen Wiederherstellungscode gemacht. Er gilt ab ${when}. Wenn du das nicht warst, lehne ihn ab und entferne jenes Gerät.`,
    anotherDevice: 'Ein anderes Gerät',
    named: name => `„${name}“`,
    refuse: 'Code ablehnen',
    takeBack: 'Zurücknehmen',
    fileName: 'volo-wiederherstellungscode.txt',
    paper: (code, username) =>
      [
        `Volo-Wiederherstellungscode${username === '' ? '' : ` von @${username}`}`,
        '',
        code,
        '',
        'Mit diesem Code bekommst du Konto und Benutzernamen zurück, wenn alle deine Geräte weg sind:',
        'Öffne Volo und wähle „Ich habe alle meine Geräte verloren“.',
        'Er beendet jedes Gerät, das das Konto dann hat. Er gilt einmal.',
        'Wer ihn findet, kann dasselbe tun: Bewahre ihn auf, wo du deinen Pass aufbewahrst.',
        ''
      ].join('\n'),

    offer: 'Falls du alle deine Geräte verlierst, bringt ein Code auf Papier dein Konto zurück.',
    notNow: 'Nicht jetzt',
    strip: 'Eines deiner Geräte hat einen Wiederherstellungscode gemacht. Warst du das?',
    look: 'Ansehen',

    lost: 'Ich habe alle meine Geräte verloren',
    regainTitle: 'Hol dein Konto zurück',
    regainLead: 'Du brauchst deinen Benutzernamen und deinen Wiederherstellungscode.',
    username: 'Dein Benutzername',
    codeField: 'Wiederherstellungscode',
    codeHint: 'Acht Gruppen aus vier Buchstaben und Ziffern. Großbuchstaben und Striche sind egal.',
    file: 'Aus einer Datei nehmen',
    ends: 'Alle anderen Geräte des Kontos enden, endgültig. Deine Kontakte erfahren, dass du den Code benutzt hast. Deine alten Chats kommen nicht zurück: Sie waren nur auf deinen Geräten.',
    regain: 'Mein Konto zurückholen',
    regaining: 'Dein Konto wird angefragt …',
    noAccount: 'Kein Konto hat diesen Benutzernamen. Nichts wurde geändert. Prüfe die Schreibweise.'
  }
}
