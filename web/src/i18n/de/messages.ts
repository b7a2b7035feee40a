import type { messages as English } from '../en/messages.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('de')

/** What can be done with a message, and what was. */
export const messages: typeof English = {
  messages: {
    reply: 'Antworten',
    edit: 'Bearbeiten',
    forward: 'Weiterleiten',
    forwardTo: 'Weiterleiten an',
    forwardHint: 'Der Text wird gesendet. Wer ihn geschrieben hat, wird nicht gesagt.',
    forwarded: 'Weitergeleitet',
    pin: 'Für alle anheften',
    unpin: 'Lösen',
    star: 'Mit Stern versehen',
    unstar: 'Stern entfernen',
    starred: 'Mit Stern',
    select: 'Auswählen',
    remove: 'Löschen',
    copy: 'Kopieren',
    react: emoji => `Mit ${emoji} reagieren`,
    unreact: emoji => `${emoji} zurücknehmen`,
    reactions: 'Reaktionen',
    reaction: (emoji, names) => `${emoji}: ${names}`,
    edited: 'bearbeitet',
    replyTo: name => `${name} antworten`,
    editing: 'Nachricht bearbeiten',
    cancel: 'Abbrechen',
    quoteOf: name => `Antwort auf ${name}`,
    goToQuote: 'Zur Nachricht gehen',
    quoteMissing: 'Diese Nachricht ist nicht auf diesem Gerät.',
    quoteDeleted: 'Gelöschte Nachricht',
    pinned: 'Angeheftet',
    pinnedCount: n => plural(n, { one: '{n} angeheftete Nachricht', other: '{n} angeheftete Nachrichten' }),
    nextPinned: 'Nächste angeheftete Nachricht',
    selected: n => plural(n, { one: '{n} ausgewählt', other: '{n} ausgewählt' }),
    selectThis: (from, time) => `Nachricht von ${from}, ${time}, auswählen`,
    deleteTitle: n => plural(n, { one: 'Diese Nachricht löschen?', other: '{n} Nachrichten löschen?' }),
    deleteForAll: 'Für alle löschen',
    deleteForAllHint:
      'Sie verschwindet von jedem Gerät, das sich daran hält. Wer sie gelesen hat, kann sich erinnern oder sie kopiert haben.',
    deleteForMe: 'Für mich löschen',
    deleteForMeHint: 'Sie verschwindet von deinen eigenen Geräten. Andere behalten sie.',
    failed: 'Das hat nicht geklappt. Nichts wurde geändert.',
    more: 'Mehr',
    poll: 'Eine Frage stellen',
    pollQuestion: 'Frage',
    pollOption: n => `Antwort ${n}`,
    pollAdd: 'Antwort hinzufügen',
    pollMultiple: 'Mehrere Antworten sind erlaubt',
    pollSend: 'Fragen',
    pollOpen: 'Alle sehen, wer was gewählt hat.',
    pollVotes: n => plural(n, { one: '{n} Stimme', other: '{n} Stimmen' }),
    pollVoters: n => plural(n, { one: '{n} Person hat abgestimmt', other: '{n} Personen haben abgestimmt' }),
    timer: 'Verschwindende Nachrichten',
    timerHint:
      'Neue Nachrichten verschwinden so lange nach dem Senden oder Lesen. Wer eine liest, kann sie trotzdem kopieren.',
    timerOff: 'Aus',
    timerNow: time => `Nachrichten verschwinden nach dieser Zeit: ${time}`,
    disappearsAt: 'Verschwindet',
    editedAt: 'Bearbeitet',
    earlier: 'Früherer Text',
    notYet: 'Noch nicht zugestellt',
    deviceOf: (name, n) => `${name}, Gerät ${n}`,
    promiseAsk: 'Fragen, wer sie noch aufbewahrt',
    promiseHint: 'Wer sie aufbewahrt, erfährt dabei deine Internetadresse.',
    promiseOf: operator => `Aufbewahrt von Betreiber ${operator}`,
    promise: {
      kept: 'Hat sie noch, oder ein Gerät hat sie abgeholt',
      broken: 'Hat unterschrieben, dass er sie hat, und später, dass nicht: Er hat sein Versprechen gebrochen',
      ended: 'Hat sie entfernt, wie es die Regeln erlauben',
      unclear: 'Sagt, dass er sie nicht hat; das beweist noch nichts',
      silent: 'Antwortet nicht'
    }
  }
}
