import type { app as English } from '../en/app.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('de')

/** Words that every screen uses, and those of what lies around the screens. */
export const app: typeof English = {
  common: {
    tryAgain: 'Noch einmal versuchen',
    back: 'Zurück',
    close: 'Schließen',
    later: 'Später',
    copy: 'Kopieren',
    copied: 'Kopiert',
    you: 'Du',
    loading: 'Wird geladen',
    notesToSelf: 'Notizen an mich',
    unnamed: 'Person ohne Namen',
    atName: username => `@${username}`,
    and: ' · '
  },

  navigation: {
    label: 'Hauptbereiche',
    chats: 'Chats',
    people: 'Personen',
    you: 'Du',
    skip: 'Zum Chat springen'
  },

  status: {
    offline: 'Keine Verbindung. Nachrichten warten hier.',
    connecting: 'Verbindung wird aufgebaut …',
    sentWaiting: n => plural(n, { one: '{n} wartende Nachricht gesendet', other: '{n} wartende Nachrichten gesendet' }),
    adding: 'Du wirst ins öffentliche Register eingetragen … schreiben kannst du schon',
    nameTaken: 'Jemand anderes hatte deinen Benutzernamen zuerst.',
    chooseAnother: 'Anderen wählen',
    deviceRemoved: 'Dieses Gerät wurde aus deinem Konto entfernt. Es kann nicht mehr senden und empfangen.',
    more: 'Mehr'
  },

  announce: {
    message: (from, text) => `${from}: ${text}`,
    messages: (n, from) =>
      plural(n, { one: `{n} neue Nachricht von ${from}`, other: `{n} neue Nachrichten von ${from}` }),
    newMessages: n => plural(n, { one: '{n} neue Nachricht', other: '{n} neue Nachrichten' })
  },

  update: {
    ready: 'Eine neue Version von Volo ist da.',
    accept: 'Jetzt aktualisieren',
    accepting: 'Wird aktualisiert …'
  },

  switcher: {
    title: 'Zu einem Chat gehen',
    placeholder: 'Name einer Person',
    nothing: 'Kein Chat passt.'
  },

  keys: {
    title: 'Tasten',
    switchChat: 'Zu einem Chat gehen',
    previousChat: 'Voriger Chat',
    nextChat: 'Nächster Chat',
    send: 'Nachricht senden',
    newLine: 'Neue Zeile',
    close: 'Schließen oder zurück',
    help: 'Diese Liste',
    ctrl: 'Strg',
    command: '⌘',
    alt: 'Alt',
    shift: 'Umschalt',
    enter: 'Eingabe',
    escape: 'Esc'
  },

  notFound: {
    title: 'Hier ist nichts',
    text: 'Diese Adresse führt in Volo nirgendwohin. Deine Chats sind, wo sie waren.',
    home: 'Zu deinen Chats'
  },

  startFailed: {
    title: 'Volo konnte hier nicht starten',
    beyondRepair:
      'Du kannst in diesem Browser neu beginnen. Dein Konto läuft auf deinen anderen Geräten weiter; ohne ein anderes Gerät bringt ein Wiederherstellungscode es zurück.',
    slow: 'Volo öffnet sich noch. Wenn es in einem anderen Tab in einer älteren Version offen ist, schließe jenen Tab.'
  }
}
