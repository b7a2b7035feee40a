/** Devices that speak with nodes frame by frame: load without the work that a whole peer does. */
import { randomBytes } from 'node:crypto'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import type { SigningKey } from '../../protocol/crypto/crypto.ts'
import { buildAdd } from '../../protocol/identity/build-record.ts'
import { deviceIdOf, type DeviceId, type DevicePublicKeys, type RecordId } from '../../protocol/identity/device.ts'
import { signPeerAuthentication } from '../../protocol/identity/peer-authentication.ts'
import { encodeRecord, recordIdOf } from '../../protocol/identity/record.ts'
import type { NetworkId } from '../../protocol/network.ts'
import type { NodeKey } from '../../protocol/wire/placement.ts'
import { MAX_PUBLISHED_RECORDS } from '../../protocol/wire/peer-frames.ts'
import { platformTimers } from '../../peer/ports.ts'
import { nodeNoiseCrypto } from '../../protocol/crypto/backends/node-noise.ts'
import { Libp2pTransport } from '../../peer/network/libp2p-transport.ts'
import { NodeConnection } from '../../peer/network/node-connection.ts'
import { crypto, nodeFacts, registerDevice, type NodeFacts } from '../support/sign-in.ts'

/** ADD records of one account that may wait for the chain, beside its CREATE. */
const MAX_ADDED = 15
const DIAL_TIMEOUT_MS = 30_000

/** What it takes to be a device; plain data, so that another process can be it. */
export interface DeviceSecret {
  /** Hex of the seed of its signing key. */
  seed: string
  /** Hex. */
  messagingKeyHash: string
}

/** A node to connect to. */
export interface NodeEnd {
  url: string
  /** Hex of its key. */
  key: string
  /** Hex of the network id. */
  network: string
}

/** Devices of as many accounts as it takes, known to a node. */
export async function makeDevices(url: string, count: number): Promise<DeviceSecret[]> {
  const devices: DeviceSecret[] = []
  for (let account = 0; devices.length < count; account++) {
    devices.push(...(await makeAccount(url, `load_${account}`, Math.min(MAX_ADDED, count - devices.length))))
  }
  return devices
}

/** Registers one device, which then adds the others. */
async function makeAccount(url: string, login: string, count: number): Promise<DeviceSecret[]> {
  const first = await registerDevice(url, login)
  const { facts, deviceId } = first
  const devices: DeviceSecret[] = []
  const records: Uint8Array[] = []
  let prev = first.accountId as Uint8Array as RecordId
  for (let i = 0; i < count; i++) {
    const seed = new Uint8Array(randomBytes(32))
    const messagingKeyHash = crypto.sha256(seed)
    const signer = { key: first.signing, deviceId, prev, time: Date.now() }
    const add = await buildAdd(facts.network, signer, await crypto.signingKeyFromSeed(seed), messagingKeyHash)
    prev = recordIdOf(crypto, facts.network, add)
    records.push(encodeRecord(add))
    devices.push({ seed: toHex(seed), messagingKeyHash: toHex(messagingKeyHash) })
  }
  const client = await connect(nodeEnd(facts), { key: first.signing, keys: first.keys, deviceId })
  while (records.length > 0) {
    const some = records.splice(0, MAX_PUBLISHED_RECORDS)
    await client.connection.request({ kind: 'publishRecords', records: some }, 'done')
  }
  await client.close()
  return devices
}

/** A node's address and keys, as other processes need them. */
export const nodeEnd = ({ url, nodeKey, network }: NodeFacts): NodeEnd => ({
  url,
  key: toHex(nodeKey),
  network: toHex(network)
})

export const nodeEndAt = async (url: string): Promise<NodeEnd> => nodeEnd(await nodeFacts(url))

/** An authenticated connection with a libp2p identity of its own. */
export interface BenchClient {
  connection: NodeConnection
  deviceId: DeviceId
  close(): Promise<void>
}

interface Device {
  key: SigningKey
  keys: DevicePublicKeys
  deviceId: DeviceId
}

/** Connects a device that {@link makeDevices} made. */
export async function connectDevice(node: NodeEnd, secret: DeviceSecret): Promise<BenchClient> {
  const key = await crypto.signingKeyFromSeed(fromHex(secret.seed))
  const keys = { signingKey: key.publicKey, messagingKeyHash: fromHex(secret.messagingKeyHash) }
  return connect(node, { key, keys, deviceId: deviceIdOf(crypto, networkOf(node), keys) })
}

const networkOf = (node: NodeEnd): NetworkId => fromHex(node.network) as NetworkId

async function connect(node: NodeEnd, { key, keys, deviceId }: Device): Promise<BenchClient> {
  const network = networkOf(node)
  const transport = new Libp2pTransport({ allowPlain: () => true, noiseCrypto: nodeNoiseCrypto })
  const signal = AbortSignal.timeout(DIAL_TIMEOUT_MS)
  const stream = await transport.dial(node.url, fromHex(node.key) as NodeKey, { signal })
  const connection = await NodeConnection.open(stream, {
    network,
    timers: platformTimers,
    authenticate: async (hello, ends) => {
      const time = Date.now()
      const proof = { nodeKey: ends.node, clientPeerKey: ends.client, nonce: hello.nonce, deviceId, time }
      return {
        kind: 'authenticate',
        version: 1,
        keys,
        time,
        signature: await signPeerAuthentication(network, key, proof)
      }
    }
  })
  const close = async (): Promise<void> => {
    connection.close()
    await transport.stop()
  }
  return { connection, deviceId, close }
}
