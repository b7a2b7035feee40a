import { setTimeout as sleep } from 'node:timers/promises'
import { equalBytes, toHex, utf8 } from '../../protocol/bytes.ts'
import type { Clock, Crypto, SigningKey } from '../../protocol/crypto/crypto.ts'
import { buildRelease } from '../../protocol/identity/build-record.ts'
import type { RecordId } from '../../protocol/identity/device.ts'
import { encodeRecord } from '../../protocol/identity/record.ts'
import { networkIdOf, type Genesis } from '../../protocol/network.ts'
import type { ChainSource } from '../source/chain-source.ts'
import { ChainError } from '../errors.ts'
import type { ChainStore } from '../chain-store.ts'
import { Publisher } from '../publish/publisher.ts'
import { replayChain } from '../verify/sources/replay.ts'
import type { Wallet } from '../publish/wallet.ts'
import type { BuiltApp } from './built-app.ts'
import { ReleaseError } from '../verify/manifest-errors.ts'

export interface PublishReleaseComponents {
  readonly crypto: Crypto
  readonly clock: Clock
  readonly source: ChainSource
  readonly wallet: Wallet
  /** For this run alone. */
  readonly store: ChainStore
  readonly key: SigningKey
}

export interface PublishReleaseInit {
  readonly genesis: Genesis
  readonly app: BuiltApp
  /** Blocks that must hold it, its own included. */
  readonly minConf: number
  /** Milliseconds between looks at the chain. */
  readonly lookMs: number
  readonly signal: AbortSignal
}

/** A RELEASE record on the chain. */
export interface PublishedRelease {
  /** `false` if the newest release was of this very manifest already, and nothing was published. */
  readonly isNew: boolean
  /** Lower-case hex. */
  readonly recordId: string
  readonly version: string
  /** Lower-case hex. */
  readonly manifestHash: string
  readonly block: number
}

/**
 * Signs and publishes a RELEASE of a built app, waits until it is recorded, and reads it back as everybody does.
 *
 * @throws ReleaseError `WRONG_KEY`, `NOT_ACCEPTED`; ChainError, `UNREACHABLE` also if the time is over.
 */
export async function publishRelease(
  components: PublishReleaseComponents,
  init: PublishReleaseInit
): Promise<PublishedRelease> {
  const { crypto, key, clock, source } = components
  const { genesis, app, signal } = init
  if (genesis.releaseKey === null || !equalBytes(genesis.releaseKey, key.publicKey)) {
    const named = genesis.releaseKey ? toHex(genesis.releaseKey) : 'none'
    throw new ReleaseError('WRONG_KEY', `genesis names release key ${named}, the file holds ${toHex(key.publicKey)}`)
  }
  const { magic } = await source.identity({ signal })
  if (magic !== genesis.cardanoMagic) {
    throw new ChainError('WRONG_CHAIN', `${source.name} tells of network ${magic}, not of ${genesis.cardanoMagic}`)
  }
  const before = await newestRelease(components, init)
  if (before?.manifestHash === toHex(app.manifestHash)) return { ...before, isNew: false }
  const network = networkIdOf(crypto, genesis)
  const version = utf8(app.manifest.version)
  const record = await buildRelease(network, key, { version, manifestHash: app.manifestHash, time: clock() })
  const recordId = await publishRecord(components, init, encodeRecord(record))
  const after = await newestRelease(components, init)
  if (after?.recordId !== recordId) {
    throw new ReleaseError('NOT_ACCEPTED', `record ${recordId} is on the chain, and is not the newest release`)
  }
  return { ...after, isNew: true }
}

async function newestRelease(
  { source, crypto }: PublishReleaseComponents,
  { genesis, signal }: PublishReleaseInit
): Promise<Omit<PublishedRelease, 'isNew'> | undefined> {
  const network = networkIdOf(crypto, genesis)
  const { directory } = await replayChain({ source, crypto, network, genesis }, { signal })
  const newest = directory.releases().at(-1)
  return (
    newest && {
      recordId: toHex(newest.recordId),
      version: Buffer.from(newest.version).toString(),
      manifestHash: toHex(newest.manifestHash),
      block: newest.order!.blockHeight
    }
  )
}

async function publishRecord(
  { source, wallet, store, crypto, clock }: PublishReleaseComponents,
  { genesis, minConf, lookMs, signal }: PublishReleaseInit,
  bytes: Uint8Array
): Promise<string> {
  const network = networkIdOf(crypto, genesis)
  const publisher = new Publisher(
    { source, wallet, store, crypto, clock },
    { network, label: genesis.metadataLabel, batchWaitMs: 0, checkMs: lookMs }
  )
  await publisher.start()
  try {
    const recordId = await publisher.enqueue(bytes)
    while (!(await isRecorded(publisher, recordId, minConf))) {
      if (signal.aborted) {
        const { reasons } = publisher.health()
        throw new ChainError('UNREACHABLE', `not recorded in time. ${reasons.join(' ')}`.trim())
      }
      await sleep(lookMs, undefined, { signal }).catch(() => undefined)
    }
    return toHex(recordId)
  } finally {
    await publisher.stop()
  }
}

async function isRecorded(publisher: Publisher, recordId: RecordId, minConf: number): Promise<boolean> {
  const status = await publisher.status(recordId)
  if (status?.state === 'refused') throw new ReleaseError('NOT_ACCEPTED', `the chain refused it: ${status.reason}`)
  return status?.state === 'recorded' && status.confirmations + 1 >= minConf
}
