import type { you as English } from '../en/you.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('de')

/** The own account and this device. */
export const you: typeof English = {
  you: {
    title: 'Du',
    name: 'Dein Name',
    nameNone: 'Kein Benutzername',
    nameReserving: username => `Gleich finden dich andere als @${username}.`,
    nameFound: username => `Andere finden dich als @${username}.`,
    nameTaken: username =>
      `Im öffentlichen Register kam der Anspruch einer anderen Person auf @${username} zuerst. Deine Chats gehen weiter wie bisher, aber unter diesem Namen kann man dich nicht finden.`,
    anotherName: 'Anderen Benutzernamen wählen',
    claim: 'Diesen Benutzernamen nehmen',
    claiming: 'Wird eingereicht …',
    displayName: 'Name, den andere sehen',
    editProfile: 'Profil bearbeiten',
    aboutMe: 'Über mich',
    seenBy: 'Wer deinen Namen, dein Bild und deine Beschreibung sieht',
    seenByContacts: 'Personen, denen ich schreibe',
    seenByEverybody: 'Alle, die meinen Benutzernamen kennen',
    foundByHandle: 'Andere dürfen mich über die Konten anderswo finden, die ich zeige',
    foundByHandleHint:
      'Wer deinen Namen dort kennt, etwa x:ada, findet deinen Benutzernamen. Auch die Stellen, die das Netz betreiben, können ihn sehen.',
    saveName: 'Speichern',
    addPicture: 'Bild hinzufügen',
    changePicture: 'Bild ändern',
    removePicture: 'Bild entfernen',
    savingPicture: 'Das Bild wird gespeichert …',
    pictureSeen: 'Personen, denen du schreibst, sehen dein Bild.',
    pictureUnfit: 'Diese Datei lässt sich nicht als Bild zeichnen. Wähle eine andere.',
    cancel: 'Abbrechen',
    device: 'Dieses Gerät',
    storageSafe: 'Dein Browser hat zugesagt zu behalten, was auf diesem Gerät ist.',
    storageMayClear: 'Dein Browser darf die Chats auf diesem Gerät löschen, wenn er Platz braucht.',
    privacy: 'Privatsphäre',
    tellsRead: 'Anderen mitteilen, dass ich ihre Nachrichten gelesen habe',
    tellsTyping: 'Personen, die ich angenommen habe, zeigen, dass ich schreibe',
    tellsPresence: 'Personen, die ich angenommen habe, zeigen, dass ich hier bin',
    privacyHint: 'Wenn du nicht zeigst, dass du schreibst oder hier bist, siehst du es auch bei anderen nicht.',
    network: 'Netz',
    online: 'Verbunden.',
    connecting: 'Verbindung wird aufgebaut …',
    offline: 'Keine Verbindung. Du kannst lesen und schreiben; Nachrichten warten hier.',
    places: n =>
      plural(n, {
        one: 'Dieses Netz läuft an {n} Stelle. Volo wechselt von selbst zu einer anderen, wenn es mehr gibt.',
        other: 'Dieses Netz läuft an {n} Stellen. Fällt eine aus, wechselt Volo von selbst zu einer anderen.'
      }),
    oneOperator:
      'Ein einziger Betreiber führt dieses Netz. Er kann deine Nachrichten nicht lesen und keine Geräte erfinden, aber er könnte die neuesten Änderungen verbergen. Ein zweiter Betreiber würde jede Prüfung stärker machen.',
    waiting: n =>
      plural(n, { one: '{n} Nachricht wartet hier aufs Senden.', other: '{n} Nachrichten warten hier aufs Senden.' }),
    allSent: 'Nichts wartet aufs Senden.',
    catchingUp: 'Was ankam, während du weg warst, wird geholt.',
    connectNow: 'Jetzt verbinden',
    appearance: 'Aussehen',
    system: 'Wie das System',
    light: 'Hell',
    dark: 'Dunkel',
    language: 'Sprache',
    languageSystem: 'Wie der Browser',
    keyboard: 'Tastatur',
    showKeys: 'Liste der Tasten zeigen',
    about: 'Über Volo',
    version: version => `Volo ${version}`,
    aboutText:
      'Nachrichten werden auf deinem Gerät verschlüsselt und lassen sich nur auf den Geräten der Beteiligten lesen. Unabhängige Stellen befördern sie; keine davon kann sie lesen.',
    aboutEmulated: label =>
      `Du bist auf „${label}“. Das öffentliche Register dort ist zum Ausprobieren nachgebildet: Es verhält sich wie das echte, aber niemand außerhalb kann es prüfen. Die Demo-Anmeldung beweist nichts darüber, wer jemand ist.`,
    aboutReal: label => `Öffentliches Register: ${label}.`,
    licences: 'Lizenzen fremder Arbeit in Volo',
    aboutWeb:
      'Diese App kommt als Webseite von der Adresse, die du geöffnet hast. Wer sie ausliefert, könnte eine veränderte ausliefern; dein Browser behält eine Kopie und führt diese aus. Eine neuere Version wird angeboten, solange die App offen ist, und startet von selbst, sobald alle ihre Tabs geschlossen waren.'
  },

  notifications: {
    title: 'Benachrichtigungen',
    off: 'Aus',
    on: 'An, mit Name und Text',
    hidden: 'An, ohne Name und Text',
    hiddenBody: 'Neue Nachricht',
    denied:
      'Dieser Browser blockiert Benachrichtigungen dieser Adresse. Erlaube sie in seinen Einstellungen und sieh dann hier noch einmal nach.',
    unsupported:
      'Dieser Browser hat keine Benachrichtigungen für diese Seite. Lege Volo auf einem iPhone zuerst auf den Home-Bildschirm.',
    limits:
      'Nur auf diesem Gerät. Sie kommen, solange Volo in einem Tab oder als installierte App offen ist. Ist der Browser geschlossen, kann dir nichts Bescheid geben; deine Nachrichten warten und kommen, wenn du ihn öffnest. Stummgeschaltete Chats und Anfragen bleiben still.'
  }
}
