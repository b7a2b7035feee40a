import { pluralizer } from '../plural.ts'

const plural = pluralizer('en')

/** "Technical details": the one place where expert words are allowed. */
export const technical = {
  technical: {
    devices: 'Devices and keys',
    signingKey: 'Signing key (Ed25519)',
    messagingKeyHash: 'Hash of the messaging key',
    entries: 'Records',
    recordId: 'Record id',
    pending: 'not in a block yet',
    inBlock: (block: number, n: number) =>
      `block ${block}, ${plural(n, { one: '{n} confirmation', other: '{n} confirmations' })}`,
    tip: 'Newest block seen',
    checkYourself: 'Check it yourself',
    checkYourselfHint: 'On any computer with Node.js; it asks the nodes itself and believes none of them.',
    theirNumber: 'Their part of the safety number',
    myNumber: 'Your part of the safety number',
    create: 'CREATE: account and first device',
    add: 'ADD: another device',
    revoke: 'REVOKE: a device removed',
    rotate: 'ROTATE: new messaging key',
    nameCommit: 'NAME: reserved',
    nameReveal: 'NAME: opened',
    nameRelease: 'NAME: given back',
    recover: 'RECOVER: all devices replaced',
    setRecovery: 'SETRECOVERY: a recovery code was made or taken back',
    nodeRecord: 'NODE: announced',
    vouch: 'VOUCH: an operator admitted',
    otherRecord: 'Another record',
    accountId: 'Account id',
    deviceId: 'Device id',
    network: 'Network',
    transaction: 'Transaction id',
    block: 'Block height',
    confirmations: 'Confirmations',
    confirmationsSettling: (n: number) => `${n} (settling)`,
    confirmationsSafe: (n: number) => `${n} (very unlikely to be undone)`,
    trust: 'Trust level',
    L0: 'L0: a node’s word',
    L1: 'L1: transaction bytes hashed and signatures checked on this device, one source',
    L2: 'L2: as L1, and two operators agree on transaction and block',
    checkedAt: 'Last checked',
    none: 'not yet',
    release: 'Release (SHA-256 of its manifest)',
    releaseHint:
      'What this address serves now. An app cannot vouch for itself: compare it with the published one from another computer, with “volo-verify bundle”.',
    node: 'Connected node',
    epoch: 'Placement epoch',
    listedNodes: 'Listed nodes',
    networkId: 'Network id'
  }
}
