import type { files as English } from '../en/files.ts'

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
    dropHere: 'Lege Dateien hier ab, um sie zu senden.',
    sendFailed: 'Nicht gesendet.',
    kind: (type, size) => `${KINDS.find(([begins]) => type.startsWith(begins))?.[1] ?? 'Datei'}, ${size}`,
    openPicture: name => `Bild ${name} öffnen`,
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
    voiceNote: 'Sprachnachricht'
  }
}
