import type { firstRun as English } from '../en/first-run.ts'

/** From the first visit to the first chat. */
export const firstRun: typeof English = {
  welcome: {
    promise: ['Private Nachrichten.', 'Keine Firma dazwischen.'],
    explain:
      'Nur du und die Menschen, denen du schreibst, können deine Nachrichten lesen. Dein Konto lebt auf deinen eigenen Geräten.',
    continueWith: provider => `Weiter mit ${provider}`,
    noneHere: provider => `${provider}: In diesem Browser ist keine, die man hier nutzen kann.`,
    continueDemo: 'Weiter mit der Demo-Anmeldung',
    asksOnly: 'Wir fragen dort nur nach deinem Namen und Bild; deine Nachrichten sieht der Anbieter nie.',
    demo: 'Die Demo-Anmeldung ist zum Ausprobieren von Volo. Dort kann jeder jeden Namen benutzen; sie beweist also nichts darüber, wer jemand ist.',
    looking: 'Anmeldewege werden gesucht …',
    none: 'Hier ist kein Weg zum Anmelden eingerichtet. Frage, wer diese Adresse betreibt.',
    opening: 'Die Anmeldeseite wird geöffnet …',
    unreachable: 'Das Netz ist nicht erreichbar. Nichts ist verloren: Du hast dich noch nicht angemeldet.',
    failed: 'Das Anmelden hat nicht geklappt. Nichts wurde weitergegeben. Du kannst es noch einmal versuchen.',
    cancelled: 'Du hast das Anmelden abgebrochen. Nichts wurde weitergegeben.',
    finishing: 'Die Anmeldung wird abgeschlossen …',
    cleared:
      'Dieser Browser hat gelöscht, was Volo hier hatte: den Schlüssel deines Kontos und deine Chats. Das Konto läuft auf deinen anderen Geräten weiter. „Ich benutze Volo schon“ fügt diesen Browser wieder hinzu.'
  },

  name: {
    title: 'Dein Name hier',
    lead: 'So finden dich andere, und das sehen sie. Es dauert ein paar Sekunden.',
    username: 'Benutzername',
    usernameHint: '3 bis 24 Zeichen: Buchstaben a–z, Ziffern oder _',
    displayName: 'Name, den deine Gesprächspartner sehen',
    displayNameHint: 'Ein beliebiger Name, etwa Ada oder Ada L.',
    deviceName: 'Name dieses Geräts',
    deviceNameHint: 'Nur damit du deine Geräte auseinanderhalten kannst.',
    checking: 'Wird geprüft …',
    available: username => `@${username} ist frei`,
    taken: username => `@${username} ist vergeben. Versuche einen anderen.`,
    invalid: 'Benutze 3 bis 24 Zeichen: Buchstaben a–z, Ziffern oder _',
    unknown:
      'Dieser Name ließ sich gerade nicht prüfen. Du kannst ihn trotzdem wählen; hatte ihn jemand zuerst, sagt Volo es dir.',
    forEver:
      'Der öffentliche Schlüssel deines Geräts und eine verschleierte Form deines Benutzernamens kommen ins öffentliche Register und bleiben dort für immer. Dein Name im Klartext und deine Nachrichten nie.',
    keyStays:
      'Der Schlüssel deines Kontos bleibt in diesem Browser. Ein privates Fenster vergisst ihn beim Schließen, und das Löschen der Websitedaten auch.',
    start: 'Los geht’s',
    starting: 'Es geht los …',
    needName: 'Wähle zuerst einen freien Benutzernamen.',
    needDisplayName: 'Gib den Namen ein, den andere sehen.',
    more: 'Mehr',
    another: 'Andere Anmeldung benutzen'
  }
}
