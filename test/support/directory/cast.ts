/** People, devices and nodes with keys that follow from their names, so that every run and every vector is the same. */
import { utf8 } from '../../../protocol/bytes.ts'
import type { SigningKey } from '../../../protocol/crypto/crypto.ts'
import { createNodeCrypto } from '../../../protocol/crypto/backends/node-crypto.ts'
import { deviceIdOf, type DeviceId, type DevicePublicKeys } from '../../../protocol/identity/device.ts'
import type { RecordId } from '../../../protocol/identity/device.ts'
import type { RecordSigner } from '../../../protocol/identity/build-record.ts'
import { networkIdOf, type Genesis } from '../../../protocol/network.ts'

/** The backend that the tests run on. */
export const crypto = createNodeCrypto()

/** Start of the test chain, milliseconds. */
export const CHAIN_START = 1_750_000_000_000
/** Time between its blocks, milliseconds. */
export const BLOCK_MS = 20_000

/** Bytes that follow from a text. */
export function bytesOf(text: string): Uint8Array {
  return crypto.sha256(utf8(`volo test ${text}`))
}

/** Signs releases of the test network. */
export const releaseKey = await crypto.signingKeyFromSeed(bytesOf('release key'))

/** Of the test network: name tags cost next to nothing. */
export const genesis: Genesis = {
  cardanoMagic: 42,
  metadataLabel: 86070,
  shardCount: 64,
  replicaCount: 3,
  nameSalt: bytesOf('name salt').slice(0, 16),
  nameTagCost: { memoryKib: 64, passes: 1 },
  releaseKey: releaseKey.publicKey,
  admittedOperators: []
}
export const network = networkIdOf(crypto, genesis)
/** Differs from the test network in its Cardano network. */
export const otherNetwork = networkIdOf(crypto, { ...genesis, cardanoMagic: 1 })

/** A device with its keys. */
export interface CastDevice {
  name: string
  key: SigningKey
  keys: DevicePublicKeys
  deviceId: DeviceId
}

const devices = new Map<string, CastDevice>()

/** The device of this name, always the same. */
export async function castDevice(name: string): Promise<CastDevice> {
  const known = devices.get(name)
  if (known) return known
  const key = await crypto.signingKeyFromSeed(bytesOf(`device ${name}`))
  const keys = { signingKey: key.publicKey, messagingKeyHash: bytesOf(`messaging key ${name}`) }
  const device = { name, key, keys, deviceId: deviceIdOf(crypto, network, keys) }
  devices.set(name, device)
  return device
}

/** A signing key of its own: recovery key or node key. */
export function castKey(name: string): Promise<SigningKey> {
  return crypto.signingKeyFromSeed(bytesOf(`key ${name}`))
}

/** What a builder needs to let a device sign after `prev`. */
export function signer(device: CastDevice, prev: Uint8Array, time = CHAIN_START): RecordSigner {
  return { key: device.key, deviceId: device.deviceId, prev: prev as RecordId, time }
}
