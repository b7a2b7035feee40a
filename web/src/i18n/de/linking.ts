import type { linking as English } from '../en/linking.ts'

/** Adding a device, on the old one and on the new one. */
export const linking: typeof English = {
  linking: {
    already: 'Ich benutze Volo schon',
    add: 'Gerät hinzufügen',

    addLead:
      'Öffne Volo auf dem neuen Gerät und wähle „Ich benutze Volo schon“. Scanne dann diesen Code oder gib die Wörter ein.',
    making: 'Ein Code wird gemacht …',
    qr: 'QR-Code für das neue Gerät',
    words: 'Der Code in Wörtern',
    copyWords: 'Wörter kopieren',
    left: time => `Gilt noch ${time}, für ein Gerät.`,
    secret: 'Wer den Code hat, kann um Aufnahme bitten. Zeige ihn niemand anderem.',
    question: name => `„${name}“ hinzufügen?`,
    compare: 'Beide Geräte zeigen diese zwei Wörter. Zeigt das andere Gerät andere oder keine, füge es nicht hinzu.',
    sees: 'Es bekommt deine Chats und kann lesen und schreiben wie du.',
    yes: 'Hinzufügen',
    no: 'Nicht hinzufügen',
    adding: name => `„${name}“ wird hinzugefügt …`,
    added: name => `„${name}“ ist jetzt eines deiner Geräte`,
    addedText: 'Deine Chats gehen von selbst dorthin, die neuesten zuerst, solange Volo auf diesem Gerät offen ist.',
    toDevices: 'Deine Geräte ansehen',
    ended: 'Es gibt keinen Code mehr. Nichts wurde geändert.',
    newCode: 'Neuen Code machen',
    cancel: 'Abbrechen',

    joinTitle: 'Volo auch auf diesem Gerät benutzen',
    joinLead:
      'Öffne auf einem Gerät, das dein Konto hat, „Du“, dann „Geräte“, dann „Gerät hinzufügen“. Es zeigt einen Code.',
    scan: 'Code mit der Kamera scannen',
    picture: 'Ein Bild des Codes benutzen',
    code: 'Die Wörter des Codes',
    codeHint: 'Zwölf Wörter. Die ersten vier Buchstaben von jedem genügen.',
    deviceName: 'Name dieses Geräts',
    deviceNameHint: 'Deine anderen Geräte zeigen ihn.',
    join: 'Weiter',
    codeRead: 'Der Code ist gelesen. Hast du ihn gerade selbst gescannt, mach weiter.',
    another: 'Anderen Code benutzen',
    noPicture: 'In diesem Bild ist kein Code zu lesen. Nimm ein scharfes, oder gib die Wörter ein.',
    otherCode: 'Dieser QR-Code ist keiner zum Hinzufügen eines Geräts.',
    camera: 'Bild der Kamera',
    cameraHint: 'Halte den Code vor die Kamera.',
    cameraStarting: 'Die Kamera startet …',
    cameraStop: 'Kamera anhalten',
    cameraForbidden:
      'Dieser Browser lässt Volo die Kamera nicht benutzen. Erlaube sie für diese Adresse, oder gib die Wörter ein.',
    cameraMissing: 'Es gibt keine Kamera, die sich benutzen lässt. Nimm ein Bild des Codes, oder gib die Wörter ein.',
    cameraFailed:
      'Die Kamera geht gerade nicht. Vielleicht benutzt sie ein anderes Programm. Nimm ein Bild, oder gib die Wörter ein.',
    looking: 'Dein anderes Gerät wird gesucht …',
    confirm: 'Sag auf deinem anderen Gerät Ja, wenn es dieselben zwei Wörter zeigt',
    joining: 'Dieses Gerät kommt zu deinem Konto …',

    hereTitle: 'Dieses Gerät hat schon ein Konto',
    hereText: 'Der Code ist für ein Gerät, das noch nicht deins ist. Nichts wurde geändert.'
  }
}
