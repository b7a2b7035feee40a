import type { invites as English } from '../en/invites.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('de')

/** Bringing people in, and answering those who write first. */
export const invites: typeof English = {
  invites: {
    title: 'Du bist eingeladen',
    invitesYou: 'lädt dich ein, über Volo zu schreiben.',
    nameless: 'Jemand',
    looking: 'Die Einladung wird gelesen …',
    over: 'Diese Einladung wurde benutzt, zurückgenommen oder ist zu alt. Bitte um eine neue.',
    unknown: 'Gerade ließ sich nicht prüfen, ob diese Einladung noch gilt.',
    accepting: 'Ihr werdet Kontakte voneinander.',
    accept: 'Annehmen',
    isAccepting: 'Wird angenommen …',
    notNow: 'Nicht jetzt',
    afterSignUp: 'Sobald du dich angemeldet hast, seid ihr Kontakte voneinander.',
    make: 'Jemanden einladen',
    making: 'Ein Link wird gemacht …',
    link: 'Ein Link für eine Person',
    qr: 'Die Einladung als QR-Code',
    goodUntil: when => `Gilt bis ${when}.`,
    mail: 'Oder per E-Mail',
    mailHint: 'Die Adresse wird für diese E-Mail benutzt und nicht behalten.',
    send: 'Senden',
    mailed: address => `An ${address} gesendet.`
  },

  requests: {
    title: n => plural(n, { one: '{n} Anfrage', other: '{n} Anfragen' }),
    list: 'Nachrichtenanfragen',
    question: name =>
      `${name} gehört nicht zu deinen Kontakten. Dort ist nur zu sehen, dass die Nachricht gesendet wurde.`,
    groupQuestion: name => `Du wurdest zur Gruppe „${name}“ hinzugefügt.`,
    accept: 'Annehmen',
    ignore: 'Ignorieren',
    block: 'Blockieren',
    word: 'Wort für den ersten Kontakt',
    wordHint:
      'Wenn du eines festlegst, kommt beiseite, was Fremde schreiben, die es nicht kennen. Sie erfahren das nicht. Du sagst es denen, die dir schreiben dürfen.',
    wordSet: 'Wort festlegen',
    wordClear: 'Kein Wort',
    sayWord: 'Mir wurde ein Wort gesagt …',
    sayWordLabel: 'Das Wort, das dir gesagt wurde',
    sayWordSend: 'Sagen',
    wordSaid: 'Es geht vor deiner ersten Nachricht hinaus.'
  },

  contact: {
    add: 'Zu Kontakten hinzufügen',
    remove: 'Aus Kontakten entfernen',
    mute: 'Stummschalten',
    unmute: 'Stummschaltung aufheben',
    block: 'Blockieren',
    unblock: 'Blockierung aufheben',
    blocked: name => `Du hast ${name} blockiert. Was von dort kommt, wird verworfen, und die Person erfährt es nicht.`,
    nickname: 'Wie du diese Person nennst',
    nicknameHint: 'Das siehst nur du.',
    save: 'Speichern',
    contacts: 'Kontakte'
  },

  codes: {
    own: 'Deinen Code zeigen',
    ownOf: username => `QR-Code, der zu @${username} führt`,
    ownHint:
      'In Volo oder mit irgendeiner Kamera gescannt, führt er zu dir. Er enthält deinen Benutzernamen und nichts Geheimes.',
    copyLink: 'Als Link kopieren',
    scan: 'Code scannen',
    scanHint: 'Der Code einer Person, einer Einladung oder einer Gruppe.',
    scanner: {
      noPicture: 'In diesem Bild ist kein Code zu lesen. Nimm ein scharfes, oder gib den Benutzernamen ein.',
      otherCode: 'Dieser Code führt zu keiner Person, Einladung oder Gruppe.',
      cameraForbidden:
        'Dieser Browser lässt Volo die Kamera nicht benutzen. Erlaube sie für diese Adresse, oder gib den Benutzernamen ein.',
      cameraMissing:
        'Es gibt keine Kamera, die sich benutzen lässt. Nimm ein Bild des Codes, oder gib den Benutzernamen ein.',
      cameraFailed:
        'Die Kamera geht gerade nicht. Vielleicht benutzt sie ein anderes Programm. Nimm ein Bild, oder gib den Benutzernamen ein.'
    }
  }
}
