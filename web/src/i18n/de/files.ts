import type { files as English } from '../en/files.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('de')

/** What kind a file is, for those who do not read media types. */
const KINDS: readonly [begins: string, words: string][] = [
  ['image/svg', 'Zeichnung'],
  ['image/', 'Bild'],
  ['video/', 'Video'],
  ['audio/', 'Ton'],
  ['application/pdf', 'PDF'],
  ['application/zip', 'Archiv'],
  ['application/gzip', 'Archiv'],
  ['text/html', 'Webseite'],
  ['text/', 'Text']
]

/** Pictures, files and voice notes in chats. */
export const files: typeof English = {
  files: {
    attach: 'Dateien hinzufügen',
    chosen: 'Dateien zum Senden',
    leaveOut: name => `${name} weglassen`,
    keepsNotes: 'Wird unverändert gesendet: Sie kann verraten, wo sie aufgenommen wurde.',
    dropHere: 'Lege Dateien hier ab, um sie zu senden.',
    sendFailed: 'Nicht gesendet.',
    kind: (type, size) => `${KINDS.find(([begins]) => type.startsWith(begins))?.[1] ?? 'Datei'}, ${size}`,
    openPicture: name => `Bild ${name} öffnen`,
    album: n => `${n} Bilder`,
    pictureMenu: name => `Menü des Bildes ${name}`,
    save: name => `${name} speichern`,
    saveShort: 'Speichern',
    stop: name => `${name} anhalten`,
    stopShort: 'Anhalten',
    uploading: name => `${name} wird gesendet`,
    fetching: name => `${name} wird geholt`,
    zoomIn: 'Vergrößern',
    zoomOut: 'Verkleinern',
    record: 'Sprachnachricht aufnehmen',
    recording: time => `Aufnahme, ${time}`,
    sendVoice: 'Sprachnachricht senden',
    dropVoice: 'Sprachnachricht verwerfen',
    noMicrophone: 'Volo kann das Mikrofon nicht benutzen. Erlaube es in den Einstellungen des Browsers.',
    play: time => `Sprachnachricht abspielen, ${time}`,
    pause: 'Pause',
    position: 'Stelle in der Sprachnachricht',
    speed: rate => `Tempo ${rate}. Ändern`,
    voiceNote: 'Sprachnachricht',

    storageTitle: 'Speicher',
    storageLead:
      'Bilder und Dateien, die du gesendet oder geöffnet hast, bleiben auf diesem Gerät, bis du sie freigibst. Die Nachrichten bleiben.',
    storageEmpty: 'Auf diesem Gerät liegen keine Dateien.',
    storageTotal: size => `Dateien belegen ${size} auf diesem Gerät.`,
    storageOf: (n, size) => `${plural(n, { one: '{n} Datei', other: '{n} Dateien' })}, ${size}`,
    otherChat: 'Ein Chat, den es nicht mehr gibt',
    free: 'Freigeben',
    freeOf: chat => `Dateien von ${chat} freigeben`,
    freeHint:
      'Das Netz bewahrt Dateien 30 Tage auf, deine Sicherung so lange, wie sie darin sind. Andere sind für immer weg.',
    freeNow: 'Dateien entfernen',
    keepFiles: 'Behalten',
    exportTitle: 'Eine Kopie deiner Chats',
    exportLead:
      'Eine Seite mit den Texten aller Chats auf diesem Gerät, die sich ohne Volo öffnet. Dateien werden darin genannt, nicht mitgegeben. Wer die Seite hat, kann sie lesen.',
    exportNow: 'Seite speichern',
    exporting: (done, all) => `Chat ${done + 1} von ${all} …`
  }
}
