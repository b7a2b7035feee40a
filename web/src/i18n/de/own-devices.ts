import type { ownDevices as English } from '../en/own-devices.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('de')

/** The devices of the own account, and the history that a new one gets. */
export const ownDevices: typeof English = {
  devices: {
    title: 'Geräte',
    open: 'Geräte deines Kontos',
    intro:
      'Diese Geräte können deine Nachrichten lesen und in deinem Namen schreiben. Entferne eines, das verloren, gestohlen oder nicht deins ist.',
    thisDevice: 'Dieses Gerät',
    anotherDevice: 'ein anderes Gerät',
    first: 'Das erste Gerät des Kontos',
    recovered: 'Mit dem Wiederherstellungscode hinzugefügt',
    addedBy: name => `Hinzugefügt von ${name}`,
    lastSeen: ago => `Zuletzt gesehen: ${ago}`,
    seenNow: 'Zuletzt gesehen: in der letzten Stunde',
    name: 'Name des Geräts',
    rename: 'Umbenennen',
    renameNamed: name => `${name} umbenennen`,
    removedDevices: n => plural(n, { one: '{n} entferntes Gerät', other: '{n} entfernte Geräte' }),
    other: n => `Gerät ${n}`,
    adding: 'Wird ins öffentliche Register eingetragen',
    since: when => `Im öffentlichen Register seit ${when}`,
    settling: 'Noch nicht gefestigt',
    removing: 'Entfernt. Das öffentliche Register erfährt es gerade.',
    removedOn: when => `Entfernt am ${when}`,
    removedSettling: 'Das Entfernen ist noch nicht gefestigt.',
    remove: 'Entfernen',
    removeNamed: name => `${name} entfernen`,
    confirmTitle: name => `„${name}“ entfernen?`,
    confirmOther:
      'Es kann endgültig nicht mehr in deinem Namen senden und empfangen. Nachrichten, die darauf sind, bleiben darauf. Deine Kontakte sehen, dass es entfernt wurde.',
    confirmThis:
      'Das ist das Gerät, das du gerade benutzt. Es kann endgültig nicht mehr senden und empfangen: Um wieder zu schreiben, brauchst du ein anderes Gerät deines Kontos. Nachrichten bleiben darauf, bis du sie hier löschst.',
    confirmLast: 'Es ist dein einziges Gerät. Ohne es bringt nur ein Wiederherstellungscode dieses Konto zurück.',
    confirm: 'Endgültig entfernen',
    removingNow: 'Wird entfernt …',
    keep: 'Behalten',
    removedHere:
      'Dieses Gerät wurde aus deinem Konto entfernt. Es kann nicht mehr senden und empfangen. Seine Nachrichten bleiben darauf; um sie zu löschen, lösche, was dein Browser für diese Seite behält.',
    unsent: n =>
      plural(n, { one: '{n} Nachricht wurde nicht gesendet.', other: '{n} Nachrichten wurden nicht gesendet.' }),
    unsentHint: 'Kopiere, was du brauchst, und sende es von einem anderen Gerät.',
    copyUnsent: 'Nachrichten kopieren',
    failed: 'Die Liste der Geräte ließ sich nicht öffnen.'
  },

  history: {
    waiting: 'Als Nächstes kommen deine Chats, solange Volo auf deinem anderen Gerät offen ist.',
    coming: (chats, total) => `Chats ${chats} von ${total}`,
    stopped: (chats, total) =>
      `Das Gerät, das deine Chats geschickt hat, wurde entfernt, bevor alles hier war: ${chats} von ${total} Chats sind angekommen. Der Rest kommt nicht.`,
    count: n => plural(n, { one: '{n} Nachricht bisher', other: '{n} Nachrichten bisher' }),
    shipped: (chats, total) => `Bekommt deine Chats: ${chats} von ${total}`
  }
}
