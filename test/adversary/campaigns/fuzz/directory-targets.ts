/** Parsers of records, transactions, proofs and what devices hand in. */
import {
  decodeMetadata,
  decodeMetadatum,
  encodeMetadata,
  encodeMetadatum,
  recordsOfTransaction
} from '../../../../protocol/directory/metadata.ts'
import { parseTransaction } from '../../../../protocol/directory/transaction.ts'
import { checkProof, decodeProof, encodeProof } from '../../../../protocol/directory/proofs/proof.ts'
import { parseRecord } from '../../../../protocol/directory/parsed-record.ts'
import {
  checkReleaseProof,
  decodeReleaseProof,
  encodeReleaseProof
} from '../../../../protocol/directory/proofs/release-proof.ts'
import { decodeRevokeMemory, encodeRevokeMemory } from '../../../../protocol/directory/revoke-memory.ts'
import { decodeAttestation, encodeAttestation, signAttestation } from '../../../../protocol/identity/attestation.ts'
import { decodeBundle, encodeBundle, signBundle } from '../../../../protocol/identity/bundle.ts'
import {
  buildCreate,
  buildNameCommit,
  buildNode,
  buildRelease,
  buildRotate
} from '../../../../protocol/identity/build-record.ts'
import { deviceIdOf, messagingKeyHash, type AccountId } from '../../../../protocol/identity/device.ts'
import { decodeRecord, encodeRecord } from '../../../../protocol/identity/record.ts'
import {
  decodeRegistration,
  encodeRegistration,
  signDeviceChallenge,
  verifyRegistration
} from '../../../../protocol/identity/registration.ts'
import { parseUsername } from '../../../../protocol/identity/username.ts'
import { fromHex, toHex, utf8 } from '../../../../protocol/bytes.ts'
import { bytesOf, castDevice, castKey, crypto, genesis, network, releaseKey } from '../../../support/directory/cast.ts'
import { proofOf, publish } from '../../../support/directory/published.ts'
import { arr, int, map, tag } from '../../../support/directory/raw-cbor.ts'
import { createRecord, idOf, TestAccount, TestChain } from '../../../support/directory/test-chain.ts'
import { bytesTarget, textTarget, type FuzzTarget } from './fuzz-target.ts'

const NOW = 1_790_000_000_000

const chain = new TestChain()
const create = await createRecord('fuzz')
const account = await TestAccount.create(chain, 'fuzz')
const accountId = idOf(create) as Uint8Array as AccountId
const device = await castDevice('fuzz1')
const nodeKey = await castKey('fuzz node')

/** Records that make up a proof, in order. */
export const sampleRecords = [
  create,
  await account.addRecord('fuzz1', 'fuzz2'),
  await account.revokeRecord('fuzz1', 'fuzz1')
].map(encodeRecord)

const allRecords = [
  ...sampleRecords,
  ...[
    await buildRotate(network, await account.as('fuzz1'), bytesOf('rotated')),
    await buildNameCommit(network, await account.as('fuzz1'), bytesOf('commitment')),
    await buildNode(network, await account.as('fuzz1'), nodeKey, ['/dns4/node.example/tcp/443/wss']),
    await buildRelease(network, releaseKey, { version: utf8('1.2.3'), manifestHash: bytesOf('manifest'), time: NOW })
  ].map(encodeRecord)
]

const transaction = publish(sampleRecords, 10)
const { tip } = proofOf(accountId, [])
const releases = { version: 1 as const, transactions: [publish([allRecords.at(-1)!], 20)], tip }
const shelley = encodeMetadata(genesis.metadataLabel, sampleRecords)
const memory = { accountId, seen: [{ device: device.deviceId, by: null, recordId: bytesOf('revoke') }] }

const registeredKey = new Uint8Array(1216).fill(3)
const bundledKeys = {
  signingKey: device.key.publicKey,
  messagingKeyHash: messagingKeyHash(crypto, network, registeredKey)
}
const bundledId = deviceIdOf(crypto, network, bundledKeys)
const bundle = await signBundle(network, device.key, {
  deviceId: bundledId,
  keys: bundledKeys,
  registeredKey,
  weeklyIndex: 7,
  weeklyKey: new Uint8Array(1216).fill(4),
  weeklyExpiry: NOW + 1_000
})
const registered = await buildCreate(network, device.key, {
  messagingKeyHash: bundledKeys.messagingKeyHash,
  recoveryKey: null,
  time: NOW
})
const nonce = bytesOf('nonce')
const registration = {
  nonce,
  signature: await signDeviceChallenge(network, device.key, {
    nodeKey: nodeKey.publicKey,
    nonce,
    deviceId: bundledId,
    recordId: idOf(registered)
  }),
  record: encodeRecord(registered),
  bundle: encodeBundle(bundle),
  signInCode: 'code',
  nameCommit: null
}
const attestation = await signAttestation(network, nodeKey, {
  provider: 'demo',
  subjectCommitment: bytesOf('subject'),
  accountId,
  deviceKeyHash: bytesOf('device keys'),
  time: NOW
})

export const directoryTargets: readonly FuzzTarget[] = [
  bytesTarget('record', allRecords, decodeRecord, encodeRecord),
  bytesTarget('record in the fold', allRecords, bytes => parseRecord(crypto, network, bytes)),
  bytesTarget('metadatum', [encodeMetadatum(sampleRecords), encodeMetadatum([])], decodeMetadatum),
  bytesTarget('auxiliary data', [shelley, arr(shelley, arr()), tag(259, map([int(0), shelley]))], bytes =>
    decodeMetadata(bytes, genesis.metadataLabel)
  ),
  bytesTarget('transaction', [transaction.transaction], parseTransaction),
  bytesTarget('records of a transaction', [transaction.transaction], bytes =>
    recordsOfTransaction(bytes, genesis.metadataLabel)
  ),
  bytesTarget('proof', [encodeProof(proofOf(accountId, [transaction]))], decodeProof, encodeProof),
  bytesTarget('checked proof', [encodeProof(proofOf(accountId, [transaction]))], bytes =>
    checkProof(crypto, network, genesis.metadataLabel, accountId, decodeProof(bytes))
  ),
  bytesTarget('proof of releases', [encodeReleaseProof(releases)], decodeReleaseProof, encodeReleaseProof),
  bytesTarget('checked proof of releases', [encodeReleaseProof(releases)], bytes =>
    checkReleaseProof(crypto, network, genesis, decodeReleaseProof(bytes))
  ),
  bytesTarget('revoke memory', [encodeRevokeMemory(memory)], decodeRevokeMemory, encodeRevokeMemory),
  bytesTarget('registration', [encodeRegistration(registration)], decodeRegistration, encodeRegistration),
  bytesTarget('verified registration', [encodeRegistration(registration)], bytes =>
    verifyRegistration(crypto, network, nodeKey.publicKey, decodeRegistration(bytes), NOW)
  ),
  bytesTarget('bundle', [encodeBundle(bundle)], decodeBundle, encodeBundle),
  bytesTarget('attestation', [encodeAttestation(attestation)], decodeAttestation, encodeAttestation),
  textTarget('username', ['ada', '@ada_lovelace', 'a'.repeat(24)], parseUsername),
  textTarget('hex', [toHex(bytesOf('hex'))], text => fromHex(text, 32)),
  textTarget('hex of any length', ['00ff', ''], text => fromHex(text))
]
