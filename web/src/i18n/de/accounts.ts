import type { accounts as English } from '../en/accounts.ts'

/** Web sites and accounts elsewhere that people link; reports. */
export const accounts: typeof English = {
  accounts: {
    title: 'Verknüpfte Konten',
    lead: 'Melde dich anderswo an, und Personen mit deinem Profil können sehen, dass das Konto dort dir gehört. Du wählst, welche sie sehen.',
    link: provider => `${provider} verknüpfen`,
    none: 'Nichts ist verknüpft.',
    unlink: what => `${what} entfernen`,
    shown: what => `Andere sehen ${what}`,
    anAccount: provider => `Ein Konto bei ${provider}`,
    siteLinked: 'Die Seite selbst sagt das. Das kann jeder prüfen.',
    siteNotLinked: 'Die Seite sagt das nicht.',
    siteUnknown: 'Die Seite konnte gerade nicht gefragt werden.',
    accountSaid: (place, when) => `${place} hat die Anmeldung gesehen: ${when}. Sonst kann das niemand prüfen.`,
    accountOld: (place, when) => `${place} hat die Anmeldung gesehen: ${when}. Das ist lange her.`,
    accountUnlisted: 'Das sagt ein Ort, der nicht zu diesem Netzwerk gehört. Verlass dich nicht darauf.',
    cancelled: 'Die Anmeldung wurde abgebrochen. Nichts wurde verknüpft.',
    failed: 'Die Anmeldung ist nicht gelungen. Nichts wurde verknüpft.'
  },
  report: {
    open: 'Melden …',
    title: name => `${name} melden`,
    lead: operator =>
      `Deine Meldung geht an den Betreiber von ${operator}. Er kann lesen, was du schreibst, und die Nachrichten, die du auswählst. Sonst bekommt sie niemand, und die Person erfährt nichts davon.`,
    text: 'Worum geht es?',
    messages: 'Nachrichten, die du übergibst',
    noMessages: 'Auf diesem Gerät sind keine Nachrichten dieser Person.',
    send: 'Meldung senden',
    sending: 'Wird gesendet …',
    sent: 'Der Betreiber hat deine Meldung.',
    blockToo: 'Du kannst diese Person auch blockieren: Was sie sendet, wird verworfen.'
  },
  leave: {
    title: 'Volo verlassen',
    lead: 'Du kannst deinen Benutzernamen zurückgeben oder dein Konto löschen.',
    releaseName: 'Benutzernamen zurückgeben …',
    releaseTitle: username => `@${username} zurückgeben?`,
    releaseText: 'Danach kann ihn jeder nehmen, und du kannst einen anderen wählen. Deine Chats gehen weiter.',
    releaseForGood: 'Zurückgeben',
    deleteAccount: 'Konto löschen …',
    deleteTitle: 'Dein Konto löschen?',
    deleteText:
      'Dein Bild, deine Dateien und Sicherungen werden aus dem Netzwerk entfernt, dein Benutzername wird zurückgegeben, und alle deine Geräte werden entfernt, dieses zuletzt. Was andere bekommen haben, bleibt bei ihnen. Was auf diesem Gerät ist, bleibt, bis du die Daten dieser Seite löschst.',
    deleteForGood: 'Endgültig löschen',
    stays:
      'Das öffentliche Register behält für immer, was es hat, und niemand kann es entfernen: dass es ein Konto gab, die öffentlichen Schlüssel seiner Geräte, wann jedes kam und ging, und eine verschlüsselte Form deines Benutzernamens.',
    working: 'Wird ausgeführt …'
  }
}
