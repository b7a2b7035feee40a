import type { technical as English } from '../en/technical.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('de')

/** "Technical details": the one place where expert words are allowed. */
export const technical: typeof English = {
  technical: {
    devices: 'Geräte und Schlüssel',
    signingKey: 'Signaturschlüssel (Ed25519)',
    messagingKeyHash: 'Hash des Nachrichtenschlüssels',
    entries: 'Einträge',
    recordId: 'Kennung des Eintrags',
    pending: 'noch in keinem Block',
    inBlock: (block, n) => `Block ${block}, ${plural(n, { one: '{n} Bestätigung', other: '{n} Bestätigungen' })}`,
    tip: 'Neuester gesehener Block',
    checkYourself: 'Selbst prüfen',
    checkYourselfHint: 'Auf jedem Computer mit Node.js; das Programm fragt die Knoten selbst und glaubt keinem.',
    theirNumber: 'Der Teil der anderen Person an der Sicherheitsnummer',
    myNumber: 'Dein Teil der Sicherheitsnummer',
    create: 'CREATE: Konto und erstes Gerät',
    add: 'ADD: ein weiteres Gerät',
    revoke: 'REVOKE: ein Gerät entfernt',
    rotate: 'ROTATE: neuer Nachrichtenschlüssel',
    nameCommit: 'NAME: vorgemerkt',
    nameReveal: 'NAME: offengelegt',
    nameRelease: 'NAME: zurückgegeben',
    recover: 'RECOVER: alle Geräte ersetzt',
    setRecovery: 'SETRECOVERY: ein Wiederherstellungscode wurde gemacht oder zurückgenommen',
    nodeRecord: 'NODE: angekündigt',
    vouch: 'VOUCH: ein Betreiber zugelassen',
    otherRecord: 'Ein anderer Eintrag',
    accountId: 'Kennung des Kontos',
    deviceId: 'Kennung des Geräts',
    network: 'Netz',
    transaction: 'Kennung der Transaktion',
    block: 'Blockhöhe',
    confirmations: 'Bestätigungen',
    confirmationsSettling: n => `${n} (noch nicht gefestigt)`,
    confirmationsSafe: n => `${n} (wird sehr wahrscheinlich nicht mehr rückgängig)`,
    trust: 'Vertrauensstufe',
    L0: 'L0: das Wort eines Knotens',
    L1: 'L1: Transaktionsbytes gehasht und Signaturen auf diesem Gerät geprüft, eine Quelle',
    L2: 'L2: wie L1, und zwei Betreiber stimmen in Transaktion und Block überein',
    checkedAt: 'Zuletzt geprüft',
    none: 'noch keiner',
    release: 'Ausgabe (SHA-256 ihres Manifests)',
    releaseHint:
      'Was diese Adresse gerade ausliefert. Eine App kann nicht für sich selbst bürgen: Vergleiche es von einem anderen Computer aus mit der veröffentlichten Ausgabe, mit „volo-verify bundle“.',
    node: 'Verbundener Knoten',
    epoch: 'Verteilungsepoche',
    listedNodes: 'Gelistete Knoten',
    networkId: 'Kennung des Netzes'
  }
}
