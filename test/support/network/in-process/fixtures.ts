/** What tests of the node's network half share: a network, deliveries, a quiet logger. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '../../../../node/ports.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import type { DeviceId } from '../../../../protocol/identity/device.ts'
import { DEFAULT_REPLICA_COUNT } from '../../../../protocol/limits.ts'
import { networkIdOf, type Genesis } from '../../../../protocol/network.ts'
import { deliveryProof } from '../../../../protocol/wire/delivery-token.ts'
import {
  deliveryIdOf,
  envelopeIdOf,
  type Delivery,
  type Envelope,
  type EnvelopeId,
  type EnvelopeClass
} from '../../../../protocol/wire/envelope.ts'

export const crypto = createNodeCrypto()

export const genesis: Genesis = {
  cardanoMagic: 42,
  metadataLabel: 7070,
  // Few: each node of a test ranks all nodes for each shard.
  shardCount: 64,
  replicaCount: DEFAULT_REPLICA_COUNT,
  nameSalt: new Uint8Array(16),
  nameTagCost: { memoryKib: 8, passes: 1 },
  releaseKey: null,
  admittedOperators: []
}

export const network = networkIdOf(crypto, genesis)

export const HOUR_MS = 3_600_000

export const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length))

export const newMailbox = (): DeviceId => random(16) as DeviceId

/** Says nothing. Set VOLO_TEST_LOG=1 to hear it. */
export const quietLogger: Logger = testLogger('')

function testLogger(name: string): Logger {
  const say =
    (level: string) =>
    (message: string, fields?: Record<string, unknown>): void => {
      if (process.env.VOLO_TEST_LOG) console.error(level, name, message, fields ?? '')
    }
  return {
    forComponent: component => testLogger(component),
    debug: () => undefined,
    info: say('info'),
    warn: say('warn'),
    error: say('error')
  }
}

export interface DeliveryOptions {
  expiry?: number
  class?: EnvelopeClass
  payload?: Uint8Array
  part?: Uint8Array
  /** Delivery token of every recipient. */
  token?: Uint8Array
}

/** A delivery to a mailbox, with its true id. */
export function makeDelivery(mailbox: DeviceId, options: DeliveryOptions = {}): Delivery {
  const fields = {
    version: 1 as const,
    expiry: options.expiry ?? Date.now() + HOUR_MS,
    class: options.class ?? 'contact',
    payload: options.payload ?? random(64)
  }
  const part = options.part ?? new Uint8Array()
  const envelopeId = envelopeIdOf(crypto, network, fields)
  const proof = proofOf(envelopeId, options.token)
  const id = deliveryIdOf(crypto, network, envelopeId, { mailbox, part, proof })
  return { id, expiry: fields.expiry, class: fields.class, part, proof, payload: fields.payload, storedAt: Date.now() }
}

/** An envelope to some mailboxes. */
export function makeEnvelope(mailboxes: DeviceId[], options: DeliveryOptions = {}): Envelope {
  const shared = {
    version: 1 as const,
    expiry: options.expiry ?? Date.now() + HOUR_MS,
    class: options.class ?? 'contact',
    payload: options.payload ?? random(64)
  }
  const proof = proofOf(envelopeIdOf(crypto, network, shared), options.token)
  return {
    ...shared,
    recipients: mailboxes.map(mailbox => ({ mailbox, part: options.part ?? new Uint8Array(), proof }))
  }
}

const proofOf = (envelopeId: EnvelopeId, token: Uint8Array | undefined): Uint8Array =>
  token === undefined ? new Uint8Array() : deliveryProof(crypto, network, token, envelopeId)

/** A temporary folder, and how to remove it. */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'volo-test-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}
