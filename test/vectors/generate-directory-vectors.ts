/**
 * Writes test/vectors/directory.json: what a second implementation of docs/directory.md must reproduce. Everything in it
 * follows from fixed seeds. Run `node test/vectors/generate-directory-vectors.ts` after a change to the format.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toHex, utf8 } from '../../protocol/bytes.ts'
import { accountDigest, directoryDigest } from '../../protocol/directory/digest.ts'
import { Directory } from '../../protocol/directory/directory.ts'
import { encodeMetadata } from '../../protocol/directory/metadata.ts'
import type { OrderedRecord, OrderKey } from '../../protocol/directory/order.ts'
import { parseRecord } from '../../protocol/directory/parsed-record.ts'
import { checkProof, encodeProof } from '../../protocol/directory/proofs/proof.ts'
import { parseTransaction } from '../../protocol/directory/transaction.ts'
import type { AccountState } from '../../protocol/directory/account.ts'
import type { Verdict } from '../../protocol/directory/verdict.ts'
import * as build from '../../protocol/identity/build-record.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { nameCommitment } from '../../protocol/identity/name-commitment.ts'
import { signPeerAuthentication } from '../../protocol/identity/peer-authentication.ts'
import { signDeviceChallenge } from '../../protocol/identity/registration.ts'
import { signInNonce } from '../../protocol/identity/sign-in-binding.ts'
import { encodeRecord, recordSigningBytes, type DirectoryRecord } from '../../protocol/identity/record.ts'
import { DEFAULT_NAME_TAG_COST, nameTagOf, parseUsername, skeletonOf } from '../../protocol/identity/username.ts'
import { NAME_REVEAL_MAX_BLOCKS, NAME_REVEAL_MIN_BLOCKS } from '../../protocol/limits.ts'
import type { Genesis } from '../../protocol/network.ts'
import {
  bytesOf,
  castDevice,
  castKey,
  CHAIN_START,
  crypto,
  genesis,
  network,
  releaseKey
} from '../support/directory/cast.ts'
import { badBytes, badPlace, badSignatures, chain as hostileChain } from '../support/directory/hostile-records.ts'
import {
  metadataCases,
  outcome,
  record as sampleRecord,
  transactionCases
} from '../support/directory/hostile-transactions.ts'
import { rawTransaction } from '../support/directory/raw-cbor.ts'
import { proofOf, publish } from '../support/directory/published.ts'
import { createRecord, idOf, TestAccount, TestChain } from '../support/directory/test-chain.ts'

type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

const hexOrNull = (bytes: Uint8Array | null): string | null => bytes && toHex(bytes)
const orderJson = (order: OrderKey | null): Json => order && [order.blockHeight, order.txIndex, order.recordIndex]

function genesisJson({ placement: _placement, ...value }: Genesis): Json {
  return {
    ...value,
    nameTagCost: { ...value.nameTagCost },
    nameSalt: toHex(value.nameSalt),
    releaseKey: hexOrNull(value.releaseKey),
    admittedOperators: value.admittedOperators.map(toHex)
  }
}

function accountJson(account: AccountState): Json {
  return {
    accountId: toHex(account.accountId),
    head: toHex(account.head),
    recordCount: account.recordCount,
    limitedCount: account.limitedCount,
    recoveryKey: hexOrNull(account.recoveryKey),
    waitingRecovery: account.waitingRecovery && {
      key: toHex(account.waitingRecovery.key),
      by: toHex(account.waitingRecovery.by),
      from: account.waitingRecovery.from
    },
    devices: account.devices.map(({ deviceId, messagingKeyHash, added, revocation }) => ({
      deviceId: toHex(deviceId),
      messagingKeyHash: toHex(messagingKeyHash),
      addedAt: orderJson(added.order),
      revokedAt: revocation && orderJson(revocation.order),
      revokedBy: revocation && hexOrNull(revocation.by),
      counterUntil: revocation?.counterUntil ?? null
    })),
    openCommitments: account.commitments.map(({ commitment }) => toHex(commitment)),
    nameTags: account.names.map(({ nameTag }) => toHex(nameTag)),
    nodes: account.nodes.map(({ nodeKey, addresses }) => ({ nodeKey: toHex(nodeKey), addresses: [...addresses] })),
    digest: toHex(accountDigest(crypto, network, account))
  }
}

function directoryJson(directory: Directory): Json {
  const byHex = (a: string, b: string): number => (a < b ? -1 : 1)
  return {
    accounts: [...directory.accounts()].sort((a, b) => byHex(toHex(a.accountId), toHex(b.accountId))).map(accountJson),
    names: [...directory.names()]
      .sort((a, b) => byHex(toHex(a.nameTag), toHex(b.nameTag)))
      .map(({ nameTag, accountId }) => ({ nameTag: toHex(nameTag), accountId: toHex(accountId) })),
    nodes: directory.nodes().map(({ nodeKey, operator, addresses }) => ({
      nodeKey: toHex(nodeKey),
      operator: toHex(operator),
      addresses: [...addresses]
    })),
    admittedOperators: directory.admittedOperators().map(toHex).sort(byHex),
    releases: directory.releases().map(({ version, manifestHash }) => [toHex(version), toHex(manifestHash)]),
    digest: toHex(directoryDigest(crypto, network, directory))
  }
}

const verdictJson = (verdict: Verdict): Json => (verdict.kind === 'accepted' ? 'accepted' : verdict.code)

/** A record as bytes, and all that follows from it. */
function recordJson(record: DirectoryRecord): Json {
  return {
    kind: record.kind,
    bytes: toHex(encodeRecord(record)),
    id: toHex(idOf(record)),
    signedBytes: toHex(recordSigningBytes(network, record))
  }
}

/** Puts entries through a fresh directory and notes each verdict. */
async function foldJson(entries: readonly OrderedRecord[], init: Genesis): Promise<Json> {
  const directory = Directory.create(crypto, network, init)
  const records: Json[] = []
  for (const entry of entries) {
    const verdict = await directory.apply(entry)
    records.push([toHex(entry.bytes), orderJson(entry.order), entry.blockTime, verdictJson(verdict)])
  }
  return { genesis: genesisJson(init), records, directory: directoryJson(directory) }
}

async function names(): Promise<Json> {
  const usernames = ['ada', 'ada_lovelace', 'w1ll_i5', 'modern', 'rnodem', 'vvww', '007']
  const tags: Json[] = []
  for (const text of usernames) {
    const username = parseUsername(text)
    tags.push([text, skeletonOf(username), toHex(await nameTagOf(crypto, network, genesis, username))])
  }
  const atDefaultCost = await nameTagOf(
    crypto,
    network,
    { ...genesis, nameTagCost: DEFAULT_NAME_TAG_COST },
    parseUsername('ada')
  )
  const [tag, account, salt] = [bytesOf('tag'), bytesOf('account') as AccountId, bytesOf('salt')]
  return {
    usernames: tags,
    ada: { cost: { ...DEFAULT_NAME_TAG_COST }, nameTag: toHex(atDefaultCost) },
    commitment: {
      nameTag: toHex(tag),
      accountId: toHex(account),
      salt: toHex(salt),
      commitment: toHex(nameCommitment(crypto, network, tag, account, salt))
    }
  }
}

/** A chain with every kind of record, counter-revoke, recovery, a contested name, and operators. */
async function story(): Promise<{ chain: TestChain; kinds: Map<string, DirectoryRecord>; init: Genesis }> {
  const admittedOperators = await Promise.all(
    ['op-a1', 'op-b1'].map(async name => (await castDevice(name)).keys.signingKey)
  )
  const init = { ...genesis, admittedOperators }
  const chain = new TestChain(init)
  const kinds = new Map<string, DirectoryRecord>()
  const put = async (record: DirectoryRecord): Promise<void> => {
    if (!kinds.has(record.kind)) kinds.set(record.kind, record)
    await chain.accept(record)
  }
  const [opA, opB] = [await TestAccount.create(chain, 'op-a'), await TestAccount.create(chain, 'op-b')]
  chain.mine()
  const ada = await TestAccount.create(chain, 'ada', 'code')
  const bob = await TestAccount.create(chain, 'bob')
  kinds.set('create', await createRecord('ada', 'code'))
  await put(await ada.addRecord('ada1', 'ada2'))
  const commit = async (account: TestAccount, by: string): Promise<DirectoryRecord> => {
    const commitment = nameCommitment(crypto, network, bytesOf('tag'), account.accountId, bytesOf(`salt ${by}`))
    return build.buildNameCommit(network, await account.as(by), commitment)
  }
  const reveal = async (account: TestAccount, by: string): Promise<DirectoryRecord> =>
    build.buildNameReveal(network, await account.as(by), bytesOf('tag'), bytesOf(`salt ${by}`))
  await put(await commit(ada, 'ada1'))
  chain.mine()
  await put(await commit(bob, 'bob1'))
  chain.mine(NAME_REVEAL_MIN_BLOCKS - 1)
  await chain.refuse(await reveal(bob, 'bob1'))
  chain.mine()
  await put(await reveal(bob, 'bob1'))
  await put(await reveal(ada, 'ada1'))
  await put(await ada.revokeRecord('ada2', 'ada1'))
  chain.mine()
  await put(await ada.revokeRecord('ada1', 'ada2'))
  await put(await build.buildRotate(network, await ada.as('ada1'), bytesOf('fresh')))
  const { key, keys } = await castDevice('ada3')
  const recover = {
    prev: ada.state.history.previous!.recordId,
    messagingKeyHash: keys.messagingKeyHash,
    recoveryKey: null
  }
  await put(await build.buildRecover(network, await castKey('code'), key, { ...recover, time: CHAIN_START }))
  await put(await build.buildNameRelease(network, await ada.as('ada3'), bytesOf('tag')))
  await put(await build.buildSetRecovery(network, await ada.as('ada3'), (await castKey('code 2')).publicKey))
  await put(await build.buildSetRecovery(network, await ada.as('ada3'), (await castKey('code 3')).publicKey))
  chain.mine(NAME_REVEAL_MAX_BLOCKS)
  const c = await TestAccount.create(chain, 'op-c')
  await put(await build.buildVouch(network, await opA.as('op-a1'), c.accountId))
  await put(await build.buildVouch(network, await opB.as('op-b1'), c.accountId))
  await put(
    await build.buildNode(network, await c.as('op-c1'), await castKey('node'), [
      'wss://node.example/',
      `wss://${'n'.repeat(80)}.example/`
    ])
  )
  await put(
    await build.buildRelease(network, releaseKey, {
      version: utf8('1.0.0'),
      manifestHash: bytesOf('manifest'),
      time: CHAIN_START
    })
  )
  return { chain, kinds, init }
}

async function hostile(): Promise<Json> {
  const start = [...hostileChain.entries]
  const bytes: Json[] = []
  for (const [name, expected, make] of badBytes) {
    const made = await make()
    bytes.push([name, toHex(made instanceof Uint8Array ? made : encodeRecord(made)), expected])
  }
  for (const [, , make] of [...badSignatures, ...badPlace]) await hostileChain.put(await make())
  const names = [...badSignatures, ...badPlace].map(([name]) => name)
  return {
    names: [...start.map(() => 'accepted'), ...names],
    bytes,
    fold: await foldJson(hostileChain.entries, genesis)
  }
}

function transactions(): Json {
  const idOrNull = (transaction: Uint8Array): string | null => {
    try {
      return toHex(parseTransaction(transaction).id)
    } catch {
      return null
    }
  }
  const caseJson = (name: string, transaction: Uint8Array, expected: string): Json => [
    name,
    transaction.length > 8_192 ? { sha256: toHex(crypto.sha256(transaction)) } : toHex(transaction),
    idOrNull(transaction),
    expected
  ]
  return {
    note: 'name, raw transaction (its SHA-256 if long), transaction id, outcome',
    record: toHex(sampleRecord),
    metadata: toHex(encodeMetadata(genesis.metadataLabel, [sampleRecord])),
    cases: [
      ...metadataCases.map(([name, aux]) => caseJson(name, rawTransaction({ aux }), outcome(rawTransaction({ aux })))),
      ...transactionCases.map(([name, transaction, expected]) => caseJson(name, transaction, expected))
    ]
  }
}

async function proof(): Promise<Json> {
  const chain = new TestChain()
  const ada = await TestAccount.create(chain, 'ada', undefined, 2)
  const [create, add] = chain.entries.map(({ bytes }) => bytes) as [Uint8Array, Uint8Array]
  const revoke = await ada.revokeRecord('ada1', 'ada2')
  const published = [publish([sampleRecord, create], 10, 3, [1]), publish([add], 12)]
  const made = proofOf(ada.accountId, published, 40, [revoke])
  const checked = await checkProof(crypto, network, genesis.metadataLabel, ada.accountId, made)
  return {
    accountId: toHex(ada.accountId),
    proof: toHex(encodeProof(made)),
    confirmations: checked.confirmations,
    pendingCount: checked.pendingCount,
    transactionIds: checked.places.map(({ transactionId }) => hexOrNull(transactionId)),
    account: accountJson(checked.account)
  }
}

async function signatures(): Promise<Json> {
  const { key, keys, deviceId } = await castDevice('ada1')
  const [nodeKey, nonce, clientPeerKey] = [bytesOf('node'), bytesOf('nonce'), bytesOf('client')]
  const recordId = idOf(await createRecord('ada'))
  const authentication = { nodeKey, clientPeerKey, nonce, deviceId, time: CHAIN_START }
  return {
    device: {
      signingKey: toHex(keys.signingKey),
      messagingKeyHash: toHex(keys.messagingKeyHash),
      deviceId: toHex(deviceId)
    },
    nodeKey: toHex(nodeKey),
    nonce: toHex(nonce),
    clientPeerKey: toHex(clientPeerKey),
    time: CHAIN_START,
    recordId: toHex(recordId),
    deviceChallenge: toHex(await signDeviceChallenge(network, key, { nodeKey, nonce, deviceId, recordId })),
    peerAuthentication: toHex(await signPeerAuthentication(network, key, authentication)),
    signInNonce: signInNonce(crypto, network, keys, nonce, bytesOf('random'))
  }
}

/** The whole file as text. */
export async function directoryVectors(): Promise<string> {
  const { chain, kinds, init } = await story()
  const folded = await foldJson(chain.entries, init)
  for (const { bytes } of chain.entries) {
    if (parseRecord(crypto, network, bytes).kind === 'rejected')
      throw new Error('the story holds bytes that are no record')
  }
  const vectors: Json = {
    comment: 'Generated by test/vectors/generate-directory-vectors.ts. Bytes are hex; see docs/directory.md.',
    genesis: genesisJson(genesis),
    networkId: toHex(network),
    names: await names(),
    signatures: await signatures(),
    records: [...kinds.values()].map(recordJson),
    story: folded,
    hostile: await hostile(),
    transactions: transactions(),
    proof: await proof()
  }
  return `${JSON.stringify(vectors, null, 1)}\n`
}

/** Where the vectors are kept. */
export const DIRECTORY_VECTORS_FILE = join(import.meta.dirname, 'directory.json')

if (process.argv[1] === import.meta.filename) writeFileSync(DIRECTORY_VECTORS_FILE, await directoryVectors())
