import type { trust as English } from '../en/trust.ts'

/** A person, their public record, their devices and the safety number. */
export const trust: typeof English = {
  person: {
    title: 'Über diese Person',
    notFound: 'Diese Person ist auf diesem Gerät nicht bekannt und wurde im Netz nicht gefunden.',
    publicRecord: 'Öffentliches Register',
    verified: 'Verifiziert',
    details: 'Einzelheiten',
    checkAgain: 'Noch einmal prüfen',
    checking: 'Wird geprüft …',
    checkFailed: 'Das Prüfen ging gerade nicht. Was du siehst, ist vom letzten Mal.',
    technical: 'Technische Einzelheiten'
  },

  record: {
    pending: 'Wird ins öffentliche Register eingetragen',
    pendingText: 'Das dauert ein wenig; schreiben kannst du schon.',
    recorded: 'Im öffentlichen Register',
    recordedSince: when => `Im öffentlichen Register seit ${when}.`,
    recordedText: 'Niemand, auch wir nicht, kann das unbemerkt ändern.',
    settling: 'Es festigt sich noch: Ganz neue Einträge können sich verschieben.',
    emulated: 'Das ist ein Übungsnetz. Sein öffentliches Register ist nachgebildet und beweist außerhalb davon nichts.',
    notFound: 'Nicht im öffentlichen Register gefunden',
    notFoundText:
      'Das Gerät dieser Person war im öffentlichen Register noch nicht zu finden. Du kannst schreiben; teile keine Geheimnisse, bis es erscheint.',
    undoneText: when =>
      `Es stand im öffentlichen Register, aber seine neuesten Einträge wurden rückgängig gemacht (${when}). Es wird von selbst wieder eingetragen. Die Geräte sind dieselben wie vorher; du musst nichts tun.`,
    mismatch: 'Widerspruch',
    mismatchText: name =>
      `Zwei unabhängige Stellen geben verschiedene Antworten über ${name}. Das Senden ist angehalten, und nichts ging mit einem falschen Schlüssel hinaus. Gleich nach einer Änderung vergeht das in einer Minute; bleibt es, frage ${name} auf anderem Weg.`,
    changed: 'Geändert: bitte prüfen',
    alertKey: name =>
      `Einträge über die Geräte von ${name} standen im öffentlichen Register und sind daraus verschwunden. Nachrichten gehen jetzt an die verbliebenen Geräte. Frage ${name} auf anderem Weg, ob diese stimmen.`,
    alertRecovered: name =>
      `${name} hat alle Geräte mit einem Wiederherstellungscode ersetzt. Vergleicht eure Sicherheitsnummer noch einmal, bevor du Geheimnisse teilst.`,
    alertLostName: (name, username) =>
      `@${username} führt nicht mehr zu ${name}. Deine Nachrichten gehen weiterhin an dieselben Geräte wie vorher.`,
    alertNewHolder: (name, username) =>
      `@${username} führte vorher zu jemand anderem. Vergewissere dich, wer ${name} ist, bevor du Geheimnisse teilst.`,
    alertWithheld: name =>
      `Die einzige Stelle, die antwortet, lässt Einträge über ${name} weg, die vorher da waren. Was gesehen wurde, gilt hier weiter; es klärt sich von selbst, sobald eine zweite Stelle gefragt werden kann.`,
    letStand: 'Ich habe es geprüft, weiter',
    compare: 'Sicherheitsnummer vergleichen',
    removed: 'Gerät entfernt',
    removedText: name =>
      `${name} hat alle Geräte entfernt. Das Senden ist angehalten, bis es ein anderes gibt; was du vorher geschrieben hast, bleibt hier.`,
    removedOwn: 'Alle Geräte deines Kontos wurden entfernt. Was auf diesem Gerät ist, bleibt darauf.',
    alertLabel: 'Etwas hat sich geändert',
    checkedTwo: ago => `Auf diesem Gerät geprüft; zwei Betreiber stimmen überein · ${ago}`,
    checkedOne: 'Auf diesem Gerät geprüft. Ein zweiter Betreiber würde es stärker machen.',
    checkedLast: ago => `Auf diesem Gerät geprüft; zuletzt stimmten zwei Betreiber überein: ${ago}`,
    checkedNone: ago => `Auf diesem Gerät noch nicht geprüft · ${ago}`
  },

  publicRecord: {
    title: 'Öffentliches Register',
    open: 'Öffentliches Register öffnen',
    intro:
      'Eine öffentliche Liste, die niemand allein führt, sagt, welche Geräte wem gehören. Wer dir ein falsches Gerät gibt, fliegt hier auf.',
    who: 'Wer',
    names: username => `Bekannt als @${username}`,
    noName: 'Ohne Benutzernamen',
    devices: 'Geräte',
    checked: 'Wie das geprüft wurde',
    checkedHere: 'Dieses Gerät ist selbst jeden Eintrag durchgegangen, vom ersten an.',
    agreeTwo: 'Zwei Betreiber gaben dieselben Einträge.',
    agreeOne: 'Ein zweiter Betreiber würde es stärker machen: Einer allein könnte die neuesten Einträge weglassen.',
    ago: ago => `Zuletzt geprüft: ${ago}.`,
    safety: 'Sicherheitsnummer',
    safetyText: name => `Vergleiche sie mit ${name}, um zu wissen, dass niemand zwischen euch steht.`,
    verifiedOn: when => `Verglichen am ${when}.`,
    failed: 'Das öffentliche Register ließ sich nicht öffnen. Deine Chats betrifft das nicht.'
  },

  safetyCheck: {
    title: 'Sicherheitsnummer',
    intro: name =>
      `Triff ${name} oder ruf an, und vergleicht diese Ziffern mit denen auf dem anderen Bildschirm. Sind alle gleich, steht niemand zwischen euch.`,
    groupIntro:
      'Trefft euch und vergleicht diese Ziffern, oder scannt eure Codes. Sind sie gleich, sehen alle dieselben Personen und Geräte.',
    people: 'Nummern der Personen',
    code: {
      title: 'Mit einem Code vergleichen',
      intro: 'Eine Person zeigt diesen Code, die andere scannt ihn. Volo vergleicht jedes Gerät in diesem Chat.',
      qr: 'QR-Code zum Vergleichen',
      tooMany: 'Hier sind zu viele Geräte für einen Code. Vergleicht die Ziffern.',
      same: name => `Du und ${name} seht dasselbe`,
      sameText: name => `Jedes Gerät in diesem Chat ist auf beiden Seiten dasselbe. ${name} ist verifiziert.`,
      sameOwn: 'Deine beiden Geräte sehen dasselbe',
      sameOwnText: 'Jedes Gerät in diesem Chat ist auf beiden dasselbe.',
      differs: name => `Du und ${name} seht nicht dasselbe`,
      differsOwn: 'Deine beiden Geräte sehen nicht dasselbe',
      notIn: 'Wer diesen Code zeigt, ist auf deinem Gerät nicht in diesem Chat',
      differsText:
        'Teile hier vorerst keine Geheimnisse. Stellt sicher, dass beide Apps aktuell und verbunden sind, und vergleicht noch einmal.',
      here: (name, device) => `Nur du siehst ein Gerät von ${name}: ${device}`,
      there: (name, device) => `Nur die andere Seite sieht ein Gerät von ${name}: ${device}`,
      you: 'dir',
      somebody: 'jemandem, der auf deinem Gerät nicht in diesem Chat ist',
      elsewhere: 'Das ist der Code eines anderen Chats. Öffnet auf beiden Seiten denselben Chat.',
      done: 'Fertig',
      scanner: {
        otherCode: 'Dieser QR-Code ist keiner zum Vergleichen.',
        noPicture: 'In diesem Bild ist kein Code zu lesen. Nimm ein scharfes, oder vergleicht die Ziffern.',
        cameraForbidden:
          'Dieser Browser lässt Volo die Kamera nicht benutzen. Erlaube es für diese Adresse, oder nimm ein Bild.',
        cameraMissing:
          'Es gibt keine Kamera, die sich benutzen lässt. Nimm ein Bild des Codes, oder vergleicht die Ziffern.',
        cameraFailed: 'Die Kamera geht gerade nicht. Vielleicht benutzt sie ein anderes Programm. Nimm ein Bild.'
      }
    },
    digits: 'Sechzig Ziffern in zwölf Gruppen',
    match: 'Sie sind gleich',
    mismatch: 'Sie sind verschieden',
    verified: name => `Du hast diese Nummer verglichen. ${name} ist verifiziert.`,
    verifiedHint:
      'Neue Geräte brauchen keinen neuen Vergleich. Passt etwas nicht mehr, hält das Senden an, und du erfährst es.',
    unverify: 'Nicht mehr verifiziert',
    differ: name =>
      `Teile hier vorerst keine Geheimnisse. Stellt zuerst sicher, dass ihr beide dieselbe Unterhaltung anseht und beide Apps aktuell sind, und vergleicht noch einmal. Sind die Ziffern dann noch verschieden, ist ${name} vielleicht nicht, für wen du die Person hältst.`,
    again: 'Noch einmal vergleichen',
    failed: 'Die Sicherheitsnummer ließ sich nicht berechnen.'
  }
}
