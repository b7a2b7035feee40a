import type { GroupLineKind } from '../../../../peer/peer-api.ts'
import type { chats as English } from '../en/chats.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('de')

const YOU = 'Du'
/** "Du hast", "Ada hat". */
const has = (one: string): string => (one === YOU ? `${YOU} hast` : `${one} hat`)

/** Chats, and finding people to write to. */
export const chats: typeof English = {
  chats: {
    title: 'Chats',
    list: 'Unterhaltungen',
    search: 'Chats und Nachrichten durchsuchen',
    messages: 'Nachrichten',
    clearSearch: 'Suche leeren',
    newChat: 'Neuer Chat',
    empty: 'Noch keine Unterhaltungen. Finde jemanden über den Benutzernamen.',
    find: 'Jemanden finden',
    nothingFound: text => `Kein Chat auf diesem Gerät passt zu „${text}“.`,
    nothingFoundSince: (text, day) =>
      `Nichts auf diesem Gerät passt zu „${text}“. Seine Nachrichten beginnen am ${day}.`,
    findPerson: text => `Nach @${text} suchen`,
    youWrote: text => `Du: ${text}`,
    draft: 'Entwurf: ',
    unread: n => plural(n, { one: '{n} ungelesene Nachricht', other: '{n} ungelesene Nachrichten' }),
    filters: {
      label: 'Anzeigen',
      all: 'Alle',
      unread: 'Ungelesen',
      groups: 'Gruppen',
      withoutWord: 'Ohne dein Wort',
      archived: 'Archiv'
    },
    nothingIn: {
      unread: 'Nichts ist ungelesen.',
      groups: 'Noch keine Gruppen.',
      requests: 'Keine Anfragen.',
      withoutWord: 'Niemand hat ohne dein Wort geschrieben.',
      archived: 'Nichts ist archiviert.'
    },
    menu: title => `Chat ${title}: Menü`,
    markRead: 'Als gelesen markieren',
    pin: 'Oben anheften',
    unpin: 'Lösen',
    archive: 'Archivieren',
    unarchive: 'Aus dem Archiv holen',
    pinned: 'Angeheftet',
    muted: 'Stummgeschaltet',
    mentioned: n => plural(n, { one: 'Du wirst einmal erwähnt', other: 'Du wirst {n}-mal erwähnt' }),
    noMessages: 'Noch keine Nachrichten',
    choose: 'Wähle eine Unterhaltung oder beginne eine neue.',
    resize: 'Breite der Liste'
  },

  thread: {
    members: count => plural(count, { one: '{n} Mitglied', other: '{n} Mitglieder' }),
    hello: name => `Sag Hallo. Nur du und ${name} könnt das hier lesen.`,
    helloNotes: 'Schreib etwas auf. Nur deine eigenen Geräte können das lesen.',
    log: title => `Nachrichten mit ${title}`,
    logNotes: 'Deine Notizen',
    details: name => `Über ${name}`,
    message: 'Nachricht',
    write: name => `An ${name} schreiben`,
    writeNotes: 'Notiz schreiben',
    send: 'Senden',
    sendHint: 'Eingabe sendet, Umschalt+Eingabe beginnt eine neue Zeile.',
    tooLong: 'Diese Nachricht ist zu lang. Teile sie in mehrere auf.',
    draftNotKept:
      'Dieser Text ist zu lang, um beim Verlassen erhalten zu bleiben. Kopiere ihn woandershin und kürze ihn dann.',
    newest: 'Zur neuesten springen',
    newestUnread: n => plural(n, { one: '{n} neue Nachricht', other: '{n} neue Nachrichten' }),
    newMessages: 'Neue Nachrichten',
    older: 'Ältere Nachrichten werden geladen',
    waitingForHint: 'Sie wurde gesendet, ist aber noch nicht angekommen. Sie erscheint hier von selbst.',
    unsupported: 'Aktualisiere Volo, um diese Nachricht zu sehen.',
    missing: (missing, gone) => {
      if (gone === 0) return plural(missing, { one: 'Warten auf diese Nachricht', other: 'Warten auf {n} Nachrichten' })
      if (gone < missing)
        return plural(missing - gone, {
          one: 'Warten auf eine Nachricht; andere sind verloren',
          other: 'Warten auf {n} Nachrichten; andere sind verloren'
        })
      return plural(missing, { one: 'Diese Nachricht ist verloren', other: '{n} Nachrichten sind verloren' })
    },
    lostHint: 'Das Gerät, das sie gesendet hat, hat sie nicht mehr.',
    notLinked:
      'Die Nachricht darüber folgt nicht auf die vor ihr. Wer sie gesendet hat, hat anderen vielleicht etwas anderes gezeigt.',
    group: {
      you: YOU,
      youAmongOthers: 'dich',
      list: (...names) => (names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} und ${names.at(-1)}`),
      lines: {
        asked: () => 'Du hast darum gebeten, in eine Gruppe aufgenommen zu werden.',
        created: (one, others, name) =>
          others === ''
            ? `${has(one)} die Gruppe „${name}“ angelegt.`
            : `${has(one)} die Gruppe „${name}“ angelegt und ${others} aufgenommen.`,
        added: (one, others) => `${has(one)} ${others} aufgenommen.`,
        removed: (one, others) => `${has(one)} ${others} entfernt.`,
        left: one => `${has(one)} die Gruppe verlassen.`,
        promoted: (one, others) => `${has(one)} ${others} als Admin eingesetzt.`,
        demoted: (one, others) => `${has(one)} ${others} als Admin abgesetzt.`,
        renamed: (one, _others, name) => `${has(one)} die Gruppe „${name}“ genannt.`,
        described: (one, _others, text) =>
          text === '' ? `${has(one)} die Beschreibung entfernt.` : `${has(one)} die Gruppe beschrieben: ${text}`,
        picture: one => `${has(one)} das Bild der Gruppe geändert.`,
        settings: one => `${has(one)} geändert, wer Mitglieder aufnehmen und die Gruppe bearbeiten darf.`,
        undone: one =>
          `Eine frühere Änderung von ${one === YOU ? 'dir' : one} zählt nicht: Ein Admin mit Vorrang hat diese Rolle zur selben Zeit beendet.`
      } as Record<GroupLineKind, (one: string, others: string, text: string) => string>
    },
    removedByMe: 'Ein Gerät, das du entfernt hast, hat danach noch etwas gesendet. Es wird nicht angezeigt.',
    removedByThem: 'Ein Gerät, das diese Person entfernt hat, hat danach noch etwas gesendet. Es wird nicht angezeigt.',
    recovered:
      'Diese Person hat alle Geräte mit einem Wiederherstellungscode ersetzt. Vergleicht eure Sicherheitsnummer noch einmal.',
    deleted: count =>
      plural(count, {
        one: 'Das Netz hat eine Nachricht gelöscht, bevor dieses Gerät zurückkam. Volo bittet wo möglich noch einmal darum.',
        other:
          'Das Netz hat bis zu {n} Nachrichten gelöscht, bevor dieses Gerät zurückkam. Volo bittet wo möglich noch einmal darum.'
      }),
    differs: {
      device: (name, device) => `${name} (Gerät ${device})`,
      you: 'dir',
      myDevice: device => `Dein Gerät ${device}`,
      history: (who, whose) =>
        `${who} hat von ${whose} andere Nachrichten bekommen als dieses Gerät. Eines von beiden wird getäuscht.`,
      records: (who, whose) =>
        `${who} sieht von ${whose} einen anderen öffentlichen Eintrag als dieses Gerät. Vergleicht eure Sicherheitsnummern.`,
      roster: who =>
        `${who} sieht in dieser Gruppe andere Mitglieder als dieses Gerät. Vergleicht eure Sicherheitsnummern.`,
      build: who =>
        `${who} nutzt eine andere App als dieses Gerät, obwohl beide dieselbe Version von Volo sind. Vielleicht wurde die App unterwegs verändert.`
    },
    deletedOfStrangers: count =>
      plural(count, {
        one: 'Das Netz hat eine Nachricht von einer Person gelöscht, die du nicht kennst, bevor dieses Gerät zurückkam.',
        other:
          'Das Netz hat bis zu {n} Nachrichten von Personen gelöscht, die du nicht kennst, bevor dieses Gerät zurückkam.'
      }),
    hereNow: 'Gerade hier',
    hereLast: when => `Zuletzt hier: ${when}`,
    typing: (names, n) => (n === 1 ? `${names} schreibt …` : `${names} schreiben …`),
    timerOn: time => `Neue Nachrichten verschwinden nach dieser Zeit: ${time}.`,
    timerOff: 'Neue Nachrichten bleiben.',
    time: {
      seconds: count => plural(count, { one: '1 Sekunde', other: '{n} Sekunden' }),
      minutes: count => plural(count, { one: '1 Minute', other: '{n} Minuten' }),
      hours: count => plural(count, { one: '1 Stunde', other: '{n} Stunden' }),
      days: count => plural(count, { one: '1 Tag', other: '{n} Tage' }),
      weeks: count => plural(count, { one: '1 Woche', other: '{n} Wochen' })
    },
    deletedMessage: 'Diese Nachricht wurde gelöscht.',
    retry: 'Noch einmal',
    notSent: 'Nicht gesendet.',
    keptHere: 'Nicht gesendet. Deine Nachricht bleibt hier.',
    held: 'Das Senden ist angehalten.',
    whatHappened: 'Was ist passiert?',
    gone: 'Diese Unterhaltung ist nicht auf diesem Gerät.',
    loadFailed: 'Diese Unterhaltung ließ sich nicht öffnen. Deine Nachrichten sind weiterhin auf diesem Gerät.',
    sendFailed: 'Deine Nachricht konnte nicht angenommen werden. Sie steht noch im Feld unten.',
    showMore: 'Mehr zeigen',
    menu: (from, time) => `Nachricht von ${from}, ${time}: Menü`,
    copyText: 'Text kopieren',
    messageDetails: 'Einzelheiten',
    sentAt: 'Gesendet',
    receivedAt: 'Auf diesem Gerät angekommen',
    deliveryState: 'Zustellung',
    article: (from, time, state) => [from, time, state].filter(Boolean).join(', ')
  },

  ticks: {
    waiting: 'Wartet',
    sent: 'Gesendet',
    delivered: 'Zugestellt',
    read: 'Gelesen',
    failed: 'Nicht gesendet'
  },

  people: {
    title: 'Personen',
    newChat: 'Neuer Chat',
    find: 'Über den Benutzernamen finden',
    findHint: 'Gib den ganzen Benutzernamen ein, zum Beispiel @ada, oder einen Namen anderswo, zum Beispiel x:ada.',
    look: 'Suchen',
    looking: 'Wird gesucht …',
    notYet: 'Noch nicht gefunden. Neue Namen brauchen ein paar Sekunden.',
    nobodyElsewhere: name => `Niemand möchte über ${name} gefunden werden.`,
    nobody: username => `Niemand hat den Namen @${username}. Prüfe die Schreibweise mit der Person.`,
    invalid: 'Ein Benutzername hat 3 bis 24 Zeichen: Buchstaben a–z, Ziffern oder _.',
    offline: 'Die Suche ging nicht: Es gibt keine Verbindung. Deine Chats sind alle hier.',
    known: 'Personen, mit denen du schreibst',
    none: 'Personen, mit denen du schreibst, erscheinen hier.',
    message: 'Nachricht',
    messageTo: name => `Nachricht an ${name}`,
    isYou: 'Das bist du',
    choose: 'Wähle eine Person, um mehr über sie zu sehen.'
  }
}
