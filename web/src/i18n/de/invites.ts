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
    block: 'Blockieren'
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
  }
}
