import { pluralizer } from '../plural.ts'

const plural = pluralizer('en')

/** What kind a file is, for those who do not read media types. */
const KINDS: readonly [begins: string, words: string][] = [
  ['image/svg', 'Drawing'],
  ['image/', 'Picture'],
  ['video/', 'Video'],
  ['audio/', 'Sound'],
  ['application/pdf', 'PDF'],
  ['application/zip', 'Archive'],
  ['application/gzip', 'Archive'],
  ['text/html', 'Web page'],
  ['text/', 'Text']
]

/** Pictures, files and voice notes in chats. */
export const files = {
  files: {
    attach: 'Add files',
    chosen: 'Files to send',
    leaveOut: (name: string) => `Leave out ${name}`,
    keepsNotes: 'Sent as it is: it may tell where it was taken.',
    dropHere: 'Drop files here to send them.',
    sendFailed: 'Not sent.',
    kind: (type: string, size: string) =>
      `${KINDS.find(([begins]) => type.startsWith(begins))?.[1] ?? 'File'}, ${size}`,
    openPicture: (name: string) => `Open the picture ${name}`,
    album: (n: number) => `${n} pictures`,
    pictureMenu: (name: string) => `Menu of the picture ${name}`,
    save: (name: string) => `Save ${name}`,
    saveShort: 'Save',
    stop: (name: string) => `Stop ${name}`,
    stopShort: 'Stop',
    uploading: (name: string) => `Sending ${name}`,
    fetching: (name: string) => `Fetching ${name}`,
    zoomIn: 'Zoom in',
    zoomOut: 'Zoom out',
    record: 'Record a voice note',
    recording: (time: string) => `Recording, ${time}`,
    sendVoice: 'Send the voice note',
    dropVoice: 'Drop the voice note',
    noMicrophone: 'Volo cannot use the microphone. Allow it in the settings of the browser.',
    play: (time: string) => `Play the voice note, ${time}`,
    pause: 'Pause',
    position: 'Position in the voice note',
    speed: (rate: number) => `Speed ${rate}. Change it`,
    voiceNote: 'Voice note',

    storageTitle: 'Storage',
    storageLead:
      'Pictures and files that you have sent or opened are kept on this device until you free them. The messages stay.',
    storageEmpty: 'No files are kept on this device.',
    storageTotal: (size: string) => `Files take ${size} on this device.`,
    storageOf: (n: number, size: string) => `${plural(n, { one: '{n} file', other: '{n} files' })}, ${size}`,
    otherChat: 'A chat that is gone',
    free: 'Free',
    freeOf: (chat: string) => `Free the files of ${chat}`,
    freeHint: 'The network keeps files for 30 days, and your backup as long as it has them. Others are gone for good.',
    freeNow: 'Remove the files',
    keepFiles: 'Keep them',
    exportTitle: 'A copy of your chats',
    exportLead:
      'One page with the texts of all chats on this device, which opens without Volo. Files are named in it, not included. Whoever has the page can read it.',
    exportNow: 'Save the page',
    exporting: (done: number, all: number) => `Chat ${done + 1} of ${all}…`
  }
}
