/**
 * Answers who owns which keys and names: from the chain where it can, from what devices handed in where the chain is
 * still to come. The chain is the authority; this node only says what it has seen, and proves it.
 */
import type { ChainChange } from '../../chain/follow/chain-change.ts'
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { Clock, Crypto } from '../../protocol/crypto/crypto.ts'
import { isLive } from '../../protocol/directory/account.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { decodeBundle, requireTimely, verifyBundle, type DeviceBundle } from '../../protocol/identity/bundle.ts'
import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import { decodeRecord } from '../../protocol/identity/record.ts'
import { NAME_SETTLED_CONFIRMATIONS } from '../../protocol/limits.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { SerialQueue } from '../../protocol/serial-queue.ts'
import { MAX_NAME_MATCHES } from '../../protocol/wire/peer-frames.ts'
import type { Epoch, NodeKey } from '../../protocol/wire/placement.ts'
import { accountProof, nodeListProof, releaseProof, type TransactionLog } from './account-proof.ts'
import type { KeyDirectory } from './key-directory.ts'
import { NodeError } from '../errors.ts'
import type { KeyStore } from './key-store.ts'
import type { RecordOutbox } from './record-outbox.ts'
import type { DirectoryDevice, DirectoryPort, NameMatch } from './directory-port.ts'
import type { AuthenticatedDevice, Logger, RelayPort } from '../ports.ts'
import { RateLimiter } from '../limits/rate-limiter.ts'

/** Records that other nodes passed on and that were not looked at yet; further ones are dropped and come again. */
const MAX_INCOMING_RECORDS = 2_000
/** Bundles of accounts that no record names, from one node in an hour: a bundle may come a moment before its record. */
export const EARLY_BUNDLES_PER_HOUR = 500
/** Bundles whose signatures are not checked again at each read. */
const MAX_CHECKED_BUNDLES = 20_000
/** Records that one account may hand in within an hour; revocations are not counted. */
export const RECORDS_PER_ACCOUNT_PER_HOUR = 30
const HOUR_MS = 60 * 60 * 1000

/** What the service talks to. */
export interface KeyDistributionComponents {
  crypto: Crypto
  clock: Clock
  logger: Logger
  keyDirectory: KeyDirectory
  keyStore: KeyStore
  recordOutbox: RecordOutbox
  relay: Pick<RelayPort, 'putBundle' | 'getBundles'>
  transactions: TransactionLog
}

export class KeyDistributionService implements DirectoryPort {
  readonly #components: KeyDistributionComponents
  readonly #network: NetworkId
  readonly #log: Logger
  readonly #perAccount: RateLimiter
  readonly #incoming: { bytes: Uint8Array; from: string | undefined }[] = []
  /** Hashes of bundles whose signatures hold, with the registered key that they hold for; the oldest make room. */
  readonly #checked = new Map<string, string>()
  readonly #early: RateLimiter
  #isReading = false
  /** Proofs are put together one after the other: each may hold megabytes. */
  readonly #proofs = new SerialQueue()

  constructor(components: KeyDistributionComponents, init: { network: NetworkId }) {
    this.#components = components
    this.#network = init.network
    this.#log = components.logger.forComponent('volo:key-distribution')
    this.#early = new RateLimiter(components, { limit: EARLY_BUNDLES_PER_HOUR, windowMs: HOUR_MS })
    this.#perAccount = new RateLimiter(components, { limit: RECORDS_PER_ACCOUNT_PER_HOUR, windowMs: HOUR_MS })
  }

  /** Takes in what the follower saw, then brings own records on their way. */
  async onChainChange(change: ChainChange): Promise<void> {
    await this.#components.keyDirectory.applyChange(change)
    await this.#components.recordOutbox.advance()
  }

  async device(deviceId: DeviceId): Promise<DirectoryDevice | undefined> {
    const found = this.#components.keyDirectory.current.device(deviceId)
    if (found === undefined) return undefined
    const { account, device } = found
    const state = isLive(device) ? (device.added.order === null ? 'pending' : 'live') : 'revoked'
    return { accountId: account.accountId, keys: device.keys, state }
  }

  accountProof(accountId: AccountId, maxBytes: number): Promise<Uint8Array | undefined> {
    const { keyDirectory, transactions, clock } = this.#components
    return this.#proofs.run(() => accountProof({ keyDirectory, transactions, clock }, accountId, maxBytes))
  }

  releaseProof(): Promise<Uint8Array> {
    const { keyDirectory, transactions, clock } = this.#components
    return this.#proofs.run(() => releaseProof({ keyDirectory, transactions, clock }))
  }

  /** An encoded `NodeListProof` of an epoch. @param height - of its boundary. */
  nodeListProof(epoch: Epoch, height: number): Promise<Uint8Array> {
    const { keyDirectory, transactions, clock } = this.#components
    return this.#proofs.run(() => nodeListProof({ keyDirectory, transactions, clock }, epoch, height))
  }

  async names(tagPrefix: Uint8Array): Promise<{ matches: NameMatch[]; complete: boolean }> {
    const { keyDirectory } = this.#components
    const matches: NameMatch[] = []
    for (const { nameTag, accountId, heldSince } of keyDirectory.names(tagPrefix)) {
      if (matches.length === MAX_NAME_MATCHES) return { matches, complete: false }
      const isSettled = keyDirectory.confirmations(heldSince) >= NAME_SETTLED_CONFIRMATIONS
      matches.push({
        tag: nameTag,
        accountId,
        state: heldSince === null ? 'pending' : isSettled ? 'settled' : 'recorded'
      })
    }
    return { matches, complete: true }
  }

  async bundles(accountId: AccountId): Promise<Uint8Array[]> {
    const { keyDirectory } = this.#components
    if (keyDirectory.current.account(accountId) === undefined) return []
    const newest = new Map<string, { bundle: DeviceBundle; bytes: Uint8Array }>()
    for (const bytes of await this.#allBundles(accountId)) {
      const bundle = await this.#verified(bytes).catch(() => undefined)
      if (bundle === undefined) continue
      const device = toHex(bundle.deviceId)
      const isNewer = bundle.weeklyIndex > (newest.get(device)?.bundle.weeklyIndex ?? -1)
      if (isNewer) newest.set(device, { bundle, bytes })
    }
    // As known now: a REVOKE may have come while other nodes were asked.
    const devices = keyDirectory.current.account(accountId)?.devices.filter(isLive) ?? []
    return devices.flatMap(({ deviceId }) => newest.get(toHex(deviceId))?.bytes ?? [])
  }

  async storeBundle(bytes: Uint8Array, from: AuthenticatedDevice): Promise<void> {
    const bundle = await this.#verified(bytes)
    if (!equalBytes(bundle.deviceId, from.deviceId)) {
      throw new NodeError('refused', 'a device hands in its own bundle only')
    }
    await this.#components.relay.putBundle(from.accountId, bytes)
  }

  async publishRecords(records: Uint8Array[], from: AuthenticatedDevice): Promise<void> {
    for (const bytes of records) {
      const record = refusing(() => decodeRecord(bytes))
      const account = 'prev' in record ? this.#components.keyDirectory.current.accountOfRecord(record.prev) : undefined
      if (account === undefined || !equalBytes(account.accountId, from.accountId)) {
        throw new NodeError('refused', 'the record does not follow a record of this account')
      }
      const isExempt = record.kind === 'revoke' || record.kind === 'recover'
      if (!isExempt && !this.#perAccount.spend(toHex(from.accountId))) {
        throw new NodeError('rate-limited', 'this account has handed in too many records; try again in an hour')
      }
      await this.#components.recordOutbox.add([bytes])
    }
  }

  async storeLocalBundle(accountId: AccountId, bytes: Uint8Array, from?: NodeKey): Promise<void> {
    const { keyDirectory, keyStore } = this.#components
    const isEarly = keyDirectory.current.account(accountId) === undefined
    if (isEarly && from !== undefined && !this.#early.spend(toHex(from))) {
      throw new NodeError('rate-limited', 'too many bundles of accounts that are not recorded')
    }
    const { deviceId } = await this.#verified(bytes)
    const isKnown = (id: Uint8Array): boolean => {
      const found = keyDirectory.current.device(id)
      return found !== undefined && equalBytes(found.account.accountId, accountId)
    }
    await keyStore.put(accountId, deviceId, bytes, isKnown)
  }

  localBundles(accountId: AccountId): Promise<Uint8Array[]> {
    return this.#components.keyStore.get(accountId)
  }

  onRecords(records: Uint8Array[], node?: NodeKey): void {
    const room = MAX_INCOMING_RECORDS - this.#incoming.length
    if (records.length > room) this.#log.warn('records of other nodes were dropped', { count: records.length - room })
    const from = node && toHex(node)
    this.#incoming.push(...records.slice(0, Math.max(0, room)).map(bytes => ({ bytes, from })))
    if (!this.#isReading) void this.#readIncoming()
  }

  async #readIncoming(): Promise<void> {
    this.#isReading = true
    try {
      for (let next = this.#incoming.shift(); next !== undefined; next = this.#incoming.shift()) {
        const verdict = await this.#components.keyDirectory.addPending(next.bytes, false, next.from)
        if (verdict.kind === 'refused') this.#log.debug('a record of another node was refused', { code: verdict.code })
      }
    } catch (error) {
      this.#log.error('records of other nodes could not be read', { error })
    } finally {
      this.#isReading = false
    }
  }

  /** What this node keeps, and what the others do; a node that does not answer is done without. */
  async #allBundles(accountId: AccountId): Promise<Uint8Array[]> {
    const [local, remote] = await Promise.all([
      this.localBundles(accountId),
      this.#components.relay.getBundles(accountId).catch((error: unknown) => {
        this.#log.warn('bundles of other nodes could not be had', { error })
        return []
      })
    ])
    return [...local, ...remote]
  }

  async #verified(bytes: Uint8Array): Promise<DeviceBundle> {
    const { crypto, clock } = this.#components
    const bundle = refusing(() => decodeBundle(bytes))
    // The directory's word, where it has one: a ROTATE ends the bundles of the key before it.
    const registered = this.#components.keyDirectory.current.device(bundle.deviceId)?.device.messagingKeyHash
    const hash = toHex(crypto.sha256(bytes))
    const holdsFor = toHex(registered ?? bundle.keys.messagingKeyHash)
    if (this.#checked.get(hash) === holdsFor) {
      refusing(() => requireTimely(bundle, clock()))
      return bundle
    }
    await verifyBundle(crypto, this.#network, bundle, clock(), registered).catch(rethrowRefused)
    if (this.#checked.size >= MAX_CHECKED_BUNDLES) this.#checked.delete(this.#checked.keys().next().value!)
    this.#checked.set(hash, holdsFor)
    return bundle
  }
}

function refusing<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    return rethrowRefused(error)
  }
}

/** What is malformed or forged reaches the client as a refusal with its reason. */
function rethrowRefused(error: unknown): never {
  if (!(error instanceof ProtocolError)) throw error
  const code = error.code === 'MALFORMED' ? 'malformed' : error.code === 'TOO_LARGE' ? 'too-large' : 'refused'
  throw new NodeError(code, error.message, { cause: error })
}
