/** Failures and problems: what happened, what is safe, what to do. The peer gives the codes and the facts. */
import type { DisplayNameFault } from '../../../../protocol/identity/display-name.ts'
import type { FailureFacts, FailureSentences, StoreFault } from '../../../../peer/errors.ts'
import { pluralizer } from '../plural.ts'
import type { HoldSentences, MessageSentences, StatusSentences } from '../problem-sentences.ts'

const MINUTE_MS = 60_000
const plural = pluralizer('de')

const OFFLINE = 'Das Netz ist nicht erreichbar. Was du geschrieben hast, bleibt hier.'
const CLOCK = 'Deine Nachricht bleibt hier. Prüfe Datum und Uhrzeit dieses Geräts.'

const STORE: Record<StoreFault, string> = {
  'in-use':
    'Der Speicher von Volo wird anderswo benutzt. Nichts ist verloren. Schließe andere Fenster von Volo und versuche es noch einmal.',
  blocked:
    'Dieser Browser ist so eingestellt, dass er für diese Seite nichts behält. Volo braucht Speicher für deine Schlüssel und Chats. Nichts wurde geändert. Erlaube Websitedaten für diese Adresse und versuche es noch einmal.',
  'not-opened':
    'Der Speicher dieses Browsers versagt. Nichts wurde geändert. Starte den Browser neu, schaffe etwas Platz und versuche es noch einmal.',
  newer:
    'Eine neuere Version von Volo hat geschrieben, was auf diesem Gerät ist. Nichts wurde geändert. Aktualisiere Volo und öffne es noch einmal.',
  'not-writable':
    'Dieser Browser lässt Volo nicht in seinen Speicher schreiben. Was da war, bleibt. Schaffe etwas Platz und versuche es noch einmal.',
  full: 'Dieses Gerät hat keinen Platz mehr für Volo. Was da war, bleibt; nichts wurde geändert. Schaffe etwas Platz und versuche es noch einmal.',
  'folder-exposed': 'Andere an diesem Computer können in den Speicher von Volo schreiben. Er wurde nicht geöffnet.',
  'key-missing':
    'Ein Teil dessen, was Volo in diesem Browser hatte, ist weg, auch der Schlüssel zum Rest. Was übrig ist, lässt sich nicht mehr öffnen.',
  'key-exposed': 'Andere an diesem Computer können den Speicher von Volo lesen. Er wurde nicht geöffnet.',
  'key-damaged': 'Der Speicher von Volo ist beschädigt und ließ sich nicht öffnen.',
  'key-weak': 'Der Speicher von Volo ist nicht gut genug geschützt. Er wurde nicht geöffnet.',
  'signing-key-unusable':
    'Dieser Browser kann den Schlüssel dieses Geräts gerade nicht benutzen. Nichts wurde geändert. Aktualisiere den Browser und öffne Volo noch einmal.',
  locked: 'Volo ist in diesem Browser gesperrt.',
  'passkey-wrong': 'Dieser Passkey öffnet den Speicher von Volo nicht. Nichts wurde geändert.',
  'passphrase-needed': 'Der Speicher von Volo braucht seine Passphrase.',
  'passphrase-not-needed': 'Der Speicher von Volo hat keine Passphrase. Öffne ihn ohne eine.',
  'passphrase-wrong': 'Diese Passphrase öffnet den Speicher von Volo nicht. Nichts wurde geändert.'
}

export const holds: HoldSentences = {
  'read-only': () => 'Das ist eine Sicherung, zum Lesen geöffnet. Sie kann nicht senden und empfangen.',
  'device-removed': () =>
    'Dieses Gerät wurde aus deinem Konto entfernt. Es kann nicht mehr senden und empfangen; seine Nachrichten bleiben darauf.',
  contradicted: ({ name }) =>
    `Zwei unabhängige Stellen geben verschiedene Antworten über ${name}. Nichts wird gesendet, bis sie übereinstimmen.`,
  'no-devices': ({ name }) => `${name} hat alle Geräte entfernt, also könnte niemand eine Nachricht lesen.`,
  'not-agreed': ({ name }) =>
    `Du hast die Sicherheitsnummer mit ${name} verglichen, und gerade bestätigt keine zweite Stelle die Geräte. Die Nachricht bleibt hier und geht hinaus, sobald eine es tut.`,
  key: ({ name }) => `Die Geräte von ${name} im öffentlichen Register sind nicht die, die du verglichen hast.`,
  recovered: ({ name }) =>
    `${name} hat alle Geräte mit einem Wiederherstellungscode ersetzt. Vergleicht eure Sicherheitsnummer noch einmal.`,
  'lost-name': ({ name, username }) => `Der Benutzername @${username} führt nicht mehr zu ${name}.`,
  'new-holder': ({ username }) => `Der Benutzername @${username} führte vorher zu jemand anderem.`,
  withheld: ({ name }) =>
    `Die einzige Stelle, die antwortet, lässt Einträge über ${name} weg; die Geräte sind daher nicht bestätigt.`
}

export const messageProblems: MessageSentences = {
  expired: 'Das Netz war 30 Tage lang nicht erreichbar. Deine Nachricht bleibt hier.',
  'not-accepted': 'Das Netz nimmt diese Nachricht nicht an. Sie bleibt hier.',
  refused: 'Noch nicht angenommen. Sie bleibt hier und wird anderswo versucht.',
  'too-few-receipts': 'Noch nicht von genug Stellen bestätigt. Sie bleibt hier und wird noch einmal versucht.',
  'clock-behind': `Das Netz findet diese Nachricht zu alt. ${CLOCK}`,
  'clock-ahead': `Das Netz findet diese Nachricht zu neu. ${CLOCK}`,
  'mailbox-full': 'Für Nachrichten an diese Person ist kein Platz mehr. Sie bleibt hier und wird noch einmal versucht.',
  'rate-limited': 'In kurzer Zeit wurde zu viel gesendet. Sie bleibt hier und wird bald noch einmal versucht.',
  'unknown-device':
    'Das Netz kennt eines der empfangenden Geräte noch nicht. Sie bleibt hier und wird noch einmal versucht.',
  'contacts-only': 'Diese Person nimmt nur Nachrichten von Kontakten an. Sie bleibt hier.',
  'nodes-full': 'Das Netz hat keinen Platz mehr. Sie bleibt hier und wird noch einmal versucht.',
  'no-account': 'Diese Person wurde im Netz nicht gefunden. Die Nachricht bleibt hier und wird noch einmal versucht.',
  'no-keys':
    'Noch kein Gerät dieser Person ist empfangsbereit. Die Nachricht bleibt hier und wird noch einmal versucht.',
  'not-in-group': 'Du bist nicht mehr in dieser Gruppe.',
  'not-prepared':
    'Die Antworten über diese Person sind nicht vollständig. Die Nachricht bleibt hier und wird noch einmal versucht.',
  'storage-full':
    'Für diese Datei ist kein Platz: Dein Speicher ist aufgebraucht. Schaffe etwas Platz und versuche es noch einmal.',
  'file-refused': 'Das Netz nimmt diese Datei nicht an. Sie bleibt hier.',
  'file-stopped': 'Du hast das angehalten. Sie bleibt hier.',
  'file-lost': 'Diese Datei ist nicht mehr auf diesem Gerät. Wähle sie noch einmal aus, um sie zu senden.'
}

/** "20 Minuten", "3 Stunden", "12 Tage". */
function spanOf(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / MINUTE_MS)
  const hours = Math.round(minutes / 60)
  if (minutes < 120) return plural(minutes, { one: '{n} Minute', other: '{n} Minuten' })
  if (hours < 48) return plural(hours, { one: '{n} Stunde', other: '{n} Stunden' })
  return plural(Math.round(hours / 24), { one: '{n} Tag', other: '{n} Tage' })
}

export const statusProblems: StatusSentences = {
  'not-stored': () =>
    'Neue Nachrichten lassen sich auf diesem Gerät nicht speichern. Sie warten im Netz. Schaffe etwas Platz und öffne Volo noch einmal.',
  'other-network': ({ origin }) =>
    `${origin} gehört zu einem anderen Netz als dein Konto. Öffne Volo an der Adresse, an der du dich angemeldet hast.`,
  'clock-wrong': ({ offMs }) =>
    `Die Uhr dieses Geräts geht falsch: Sie geht ${spanOf(offMs)} ${offMs > 0 ? 'vor' : 'nach'}. Stelle sie, damit Nachrichten ankommen und ihr richtiges Datum bekommen.`,
  'no-node-known': () => 'Noch ist keine Stelle des Netzes bekannt. Volo versucht es weiter.',
  unreachable: () => 'Keine Stelle des Netzes ist erreichbar. Volo versucht es weiter.',
  'device-removed': holds['device-removed'] as () => string,
  'device-unknown': () => 'Das Netz kennt dieses Gerät noch nicht. Volo versucht es von selbst noch einmal.',
  refused: ({ origin }) => `${origin} lässt dieses Gerät nicht herein. Volo versucht von selbst andere Stellen.`
}

const NOT_TAKEN = 'Nichts wurde geändert. Versuche es später noch einmal.'

const DISPLAY_NAME: Record<DisplayNameFault, string> = {
  empty: 'Dein Name braucht einen Buchstaben, eine Ziffer oder ein Emoji.',
  'too-long': 'Dein Name ist zu lang. Er kann 64 Zeichen haben.',
  hidden: 'Dein Name hat verborgene Zeichen oder Zeilenumbrüche. Gib ihn ohne sie noch einmal ein.',
  mixed: 'Ein Wort in deinem Namen mischt Buchstaben verschiedener Schriften. Schreib es in einer davon.',
  sign: 'Dein Name kann kein @, keine Häkchen, Schlösser oder andere Zeichen haben.',
  reserved: 'Dieser Name liest sich wie Worte von Volo selbst. Wähle einen anderen.'
}

const BACKUP: Record<FailureFacts['backup']['fault'], string> = {
  passphrase: 'Diese Passphrase öffnet die Sicherung nicht. Nichts wurde geändert. Versuche es noch einmal.',
  weak: 'Etwas hat den Schutz dieser Sicherung geschwächt. Deine Passphrase wurde nicht benutzt.',
  'other-account': 'Diese Sicherung ist von einem anderen Konto. Nichts wurde geändert.',
  damaged: 'Diese Sicherung wurde verändert oder abgeschnitten. Was auf diesem Gerät ist, bleibt, wie es ist.',
  newer: 'Eine neuere Version von Volo hat diese Sicherung gemacht. Aktualisiere Volo und versuche es noch einmal.',
  none: 'Im Netz gibt es keine Sicherung dieses Kontos.',
  'no-passphrase': 'Wähle zuerst eine Passphrase.',
  incomplete: 'Teile der Sicherung fehlen im Netz. Was sich lesen ließ, ist hier.',
  'rolled-back':
    'Das Netz hat eine ältere Sicherung, als dieses Gerät gemacht hat. Nichts wurde geändert. Sichere noch einmal.',
  'no-room':
    'Für die Sicherung ist kein Platz: Dein Speicher ist aufgebraucht. Schaffe etwas Platz und versuche es noch einmal.',
  'storage-key':
    'Diese Sicherung liegt in deinem eigenen Iagon-Speicher. Dessen Schlüssel fehlt oder wird nicht angenommen.',
  'too-often': 'Es wurden zu viele falsche Passphrasen versucht. Versuche es in einer Stunde noch einmal.'
}

export const failures: FailureSentences = {
  'not-registered': 'Dieses Gerät hat noch kein Konto. Melde dich zuerst an.',
  'already-registered': 'Dieses Gerät hat schon ein Konto. Öffne Volo noch einmal, um es zu benutzen.',
  'invalid-name': 'Ein Benutzername hat 3 bis 24 Zeichen: Buchstaben a–z, Ziffern oder _. Versuche einen anderen.',
  'display-name': ({ fault }) => DISPLAY_NAME[fault],
  'own-account': 'Das ist dein eigenes Konto.',
  clock:
    'Die Uhren dieses Geräts und des Netzes weichen zu stark voneinander ab. Nichts wurde geändert. Stelle die Uhr dieses Geräts und versuche es noch einmal.',
  passphrase: ({ fault, limit }) =>
    fault === 'short'
      ? `Eine Passphrase braucht ${limit} Zeichen oder mehr. Mehrere Wörter merkt man sich leicht.`
      : `Eine Passphrase kann ${limit} Zeichen haben. Kürze sie.`,
  'nickname-too-long': ({ limit }) => `Ein Spitzname kann ${limit} Zeichen haben. Kürze ihn.`,
  blocked: ({ username }) =>
    `Du hast ${username === null ? 'diese Person' : `@${username}`} blockiert. Hebe das auf, um zu schreiben. Nichts wurde gesendet.`,
  picture: ({ fault }) =>
    fault === 'too-large'
      ? 'Dieses Bild ist zu groß. Nimm ein kleineres.'
      : 'Diese Datei ist kein Bild, das sich zeigen lässt. Nimm ein JPEG-, PNG- oder WebP-Bild, das sich nicht bewegt.',
  'nodes-silent':
    'Einige Orte des Netzwerks antworten nicht und behalten, was sie für dich haben. Versuch es später noch einmal. Dein Name und deine Geräte sind, wie sie waren.',
  'name-taken': ({ username }) => `@${username} ist vergeben. Versuche einen anderen Namen.`,
  'name-chosen': ({ username }) => `Du hast @${username} schon gewählt.`,
  'sign-in-failed': 'Die Anmeldung gilt nicht oder nicht mehr. Nichts wurde geändert. Melde dich noch einmal an.',
  'no-provider': 'Diese Anmeldung wird hier nicht angeboten.',
  'too-many-accounts': ({ limit }) => `Du kannst höchstens ${limit} Konten verknüpfen. Entferne zuerst eines.`,
  'too-many-messages': ({ limit }) => `Eine Meldung fasst höchstens ${limit} Nachrichten.`,
  'sign-in-elsewhere':
    'Diese Anmeldung hat nicht in diesem Browser begonnen und kann hier nicht abgeschlossen werden. Nichts wurde geändert. Du kannst dich noch einmal anmelden.',
  'sign-in-unsafe': 'Die Anmeldung würde zu einer unsicheren Adresse führen. Nichts wurde weitergegeben.',
  offline: OFFLINE,
  'other-network': ({ origin }) =>
    `${origin} gehört zu einem anderen Netz. Nichts wurde geändert. Öffne Volo an der Adresse, an der du dich angemeldet hast.`,
  'not-a-node': ({ origin }) => `${origin} antwortet nicht so, wie Volo es erwartet. ${NOT_TAKEN}`,
  'unproven-list': `Das öffentliche Register bestätigt die Stellen dieses Netzes nicht. ${NOT_TAKEN}`,
  'bad-answer': `Die Antwort stimmt nicht, deshalb wurde nichts daraus übernommen. Versuche es später noch einmal.`,
  refused: ({ refusal }) =>
    refusal === 'rate-limited' || refusal === 'busy'
      ? 'In kurzer Zeit wurde zu viel angefragt. Nichts wurde geändert. Versuche es in einer Minute noch einmal.'
      : `Das Netz hat das abgelehnt. ${NOT_TAKEN}`,
  'recovery-code': ({ fault }) =>
    fault === 'malformed'
      ? 'Das ist kein Wiederherstellungscode. Er hat acht Gruppen aus vier Buchstaben und Ziffern.'
      : 'Ein Zeichen des Codes ist falsch, oder er gehört zu einem anderen Netz. Prüfe ihn und versuche es noch einmal.',
  'no-recovery': ({ reason }) =>
    reason === 'no-code'
      ? 'Dieses Konto hat keinen Wiederherstellungscode. Ein benutzter Code gilt kein zweites Mal.'
      : reason === 'not-yet'
        ? 'Dieser Code gilt noch nicht. Er wurde vor weniger als sieben Tagen gemacht.'
        : 'Das ist nicht der Wiederherstellungscode dieses Kontos, oder nicht mehr.',
  'link-code': ({ fault }) =>
    fault === 'form'
      ? 'Das ist kein Code zum Hinzufügen eines Geräts. Er hat zwölf Wörter.'
      : 'Ein Wort des Codes ist falsch, oder zwei sind vertauscht. Prüfe ihn und versuche es noch einmal.',
  'link-unknown':
    'Dieser Code ist nicht bekannt. Er ist vertippt oder älter als zehn Minuten. Prüfe ihn, oder mach auf deinem anderen Gerät einen neuen.',
  'link-used':
    'Ein anderes Gerät hat diesen Code benutzt. Ist es nicht deins, tippe auf dem anderen Gerät auf „Nicht hinzufügen“ und mach dann einen neuen Code.',
  'link-expired':
    'Der Code ist abgelaufen. Nichts wurde geändert. Mach einen neuen. Ist er neu, stelle die Uhren dieses und des anderen Geräts.',
  'link-cancelled': ({ by }) =>
    by === 'this'
      ? 'Du hast das abgebrochen. Nichts wurde geändert.'
      : 'Das wurde auf dem anderen Gerät abgebrochen. Beginne noch einmal.',
  'link-refused': 'Die Antwort war Nein, das Gerät wurde nicht hinzugefügt.',
  'link-lost':
    'Das andere Gerät oder das Netz antwortet nicht mehr. Sieh nach, ob das Gerät hinzugefügt wurde, und beginne dann noch einmal.',
  'link-broken':
    'Etwas zwischen deinen beiden Geräten hat eine Nachricht verändert. Das Gerät wurde nicht hinzugefügt. Beginne noch einmal.',
  'link-not-accepted': 'Das Netz nimmt dieses Gerät nicht an. Es wurde nicht hinzugefügt. Beginne noch einmal.',
  'word-malformed': ({ limit }) => `Ein Wort für den ersten Kontakt hat 1 bis ${limit} Zeichen.`,
  'about-too-long': ({ limit }) => `Das ist zu lang. Eine Beschreibung hat höchstens ${limit} Zeichen.`,
  'invite-malformed': 'Das ist keine Einladung, oder ein Teil des Links fehlt. Bitte noch einmal um den Link.',
  'invite-other-network': 'Diese Einladung gehört zu einem anderen Netz als dein Konto.',
  'invite-over': 'Diese Einladung wurde benutzt, zurückgenommen oder ist zu alt. Bitte um eine neue.',
  'invite-unknown': 'Eine solche Einladung hast du nicht.',
  'invite-no-mail': 'Von hier kann keine E-Mail gesendet werden. Sende den Link selbst.',
  'site-malformed': 'Eine Website ist ein Name wie ada.example.',
  'site-not-linked': ({ url }) => `${url} nennt dein Konto nicht.`,
  'site-unreachable': ({ url }) => `${url} lässt sich nicht lesen.`,
  'too-many-sites': ({ limit }) => `Du kannst höchstens ${limit} Websites verknüpfen.`,
  'mail-address': 'Das ist keine E-Mail-Adresse.',
  'recovery-waits':
    'Ein älteres deiner Geräte hat einen Wiederherstellungscode gemacht. Er gilt in einigen Tagen. Nichts wurde geändert.',
  'no-account': 'Diese Person ist im Netz nicht bekannt. Prüfe die Schreibweise mit ihr.',
  'no-group': 'Diese Gruppe ist nicht auf diesem Gerät.',
  'not-in-group': 'Du bist nicht in dieser Gruppe, oder nicht mehr.',
  'not-admin': 'Das darf nur die Verwaltung der Gruppe.',
  'last-admin': 'Die Gruppe braucht eine Verwaltung. Ernenne zuerst ein anderes Mitglied.',
  'already-member': ({ username }) => `${username === null ? 'Diese Person' : `@${username}`} ist schon in der Gruppe.`,
  'not-member': ({ username }) => `${username === null ? 'Diese Person' : `@${username}`} ist nicht in der Gruppe.`,
  'group-full': 'Die Gruppe ist voll: Sie nimmt keine Mitglieder oder keine Änderungen mehr an.',
  'no-request': 'Diese Person hat nicht um Aufnahme gebeten, oder sie hat schon eine Antwort.',
  'group-link': 'Das ist kein Link zu einer Gruppe.',
  'no-conversation': 'Diese Unterhaltung ist nicht auf diesem Gerät.',
  'no-message': 'Diese Nachricht ist nicht mehr hier, oder das geht mit ihr nicht.',
  'not-author': 'Das kann nur, wer die Nachricht geschrieben hat.',
  emoji: 'Eine Reaktion ist ein einziges Emoji.',
  poll: 'Eine Umfrage braucht eine Frage und 2 bis 12 verschiedene Antworten.',
  vote: ({ fault }) =>
    fault === 'one-only'
      ? 'Diese Umfrage nimmt nur eine Antwort.'
      : 'Die Umfrage hat keine solche Antwort. Nichts wurde geändert.',
  timer: 'Wähle eine Zeit von höchstens einem Jahr.',
  'no-device': 'Dein Konto hat kein solches Gerät.',
  'device-name': 'Ein Gerät braucht einen Namen.',
  'name-disputed': ({ username }) =>
    `Zwei unabhängige Stellen sind sich nicht einig, wer @${username} ist. Niemand wurde gewählt. Versuche es in einer Minute noch einmal, oder frage die Person auf anderem Weg.`,
  'safety-number-changed':
    'Die Sicherheitsnummer hat sich inzwischen geändert. Nichts wurde vermerkt. Vergleicht sie noch einmal.',
  'nobody-to-compare': 'Eine Sicherheitsnummer vergleicht man mit jemand anderem.',
  held: ({ reason, username }) =>
    holds[reason]({ name: username === null ? 'diese Person' : `@${username}`, username: username ?? '' }),
  'no-keys': messageProblems['no-keys'],
  'message-empty': 'Es gibt noch nichts zu senden.',
  'message-too-long': 'Diese Nachricht ist zu lang. Teile sie in mehrere auf.',
  'file-too-large': ({ limit }) => `Eine Datei kann ${limit / 1024 / 1024} MB haben. Nichts wurde gesendet.`,
  'file-unreadable':
    'Diese Datei lässt sich nicht lesen, oder sie hat sich inzwischen geändert. Nichts wurde gesendet.',
  'no-file': 'Diese Nachricht hat keine Datei oder ist nicht auf diesem Gerät.',
  'file-not-here': 'Diese Datei ist nicht auf diesem Gerät.',
  'file-gone': ({ reason }) =>
    reason === 'expired'
      ? 'Diese Datei ist weg. Das Netz behält Dateien 30 Tage lang. Bitte darum, sie noch einmal zu senden.'
      : 'Diese Datei ist nicht mehr im Netz. Bitte darum, sie noch einmal zu senden.',
  'file-damaged':
    'Diese Datei ist nicht die, die gesendet wurde. Nichts wurde gespeichert. Bitte darum, sie noch einmal zu senden.',
  'file-stopped': 'Du hast das angehalten.',
  backup: ({ fault }) => BACKUP[fault],
  'removal-offline': 'Es gibt keine Verbindung. Das Gerät wurde nicht entfernt. Versuche es später noch einmal.',
  'removal-waits':
    'Die Verbindung ging verloren. Das Entfernen ist auf diesem Gerät vermerkt und wird mit der nächsten Verbindung eingereicht.',
  'removal-refused': 'Das Netz hat das abgelehnt. Das Gerät wurde nicht entfernt. Versuche es später noch einmal.',
  store: ({ fault }) => STORE[fault],
  'malformed-call': 'Volo hat nach etwas gefragt, das es nicht gibt. Nichts wurde geändert.',
  interrupted:
    'Volo musste währenddessen neu starten. Sieh nach, ob es geschehen ist, und versuche es dann noch einmal.',
  internal: 'In Volo ist etwas schiefgegangen. Deine Nachrichten bleiben auf diesem Gerät.'
}
