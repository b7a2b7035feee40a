import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { MAX_LISTED_NODES, MAX_NAME_TAG_MEMORY_KIB, MAX_NAME_TAG_PASSES } from '../../protocol/limits.ts'
import { networkIdOf, type Genesis, type NetworkId } from '../../protocol/network.ts'
import {
  MAX_ADDRESS_LENGTH,
  replicaSet,
  shardOf,
  type Epoch,
  type ListedNode,
  type NodeKey,
  type OperatorId
} from '../../protocol/wire/placement.ts'
import { PeerError } from '../peer-api.ts'
import { isLoopback } from './node-address.ts'

/** What a peer knows of its network: learned from the first node, kept for when that node is gone. */
export interface NetworkInfo {
  id: NetworkId
  genesis: Genesis
  epoch: Epoch
  /** For people, such as "preprod". */
  label: string
  /** The node says that its chain is an emulation. For people: what follows from it is {@link isLocalDevnet}'s to say. */
  emulated: boolean
  /** Origin of the node that the user chose. */
  entry: string
}

/**
 * Parses the answer of `GET /v1/network` (docs/http-api).
 *
 * @param entry - origin that was asked.
 * @throws PeerError `refused` if anything is missing, of the wrong type, out of bounds, or the id is not that of the genesis.
 */
export function parseNetworkInfo(crypto: Crypto, answer: unknown, entry: string): NetworkInfo {
  try {
    const root = object(answer, 'network')
    const genesis = parseGenesis(object(root['genesis'], 'genesis'))
    const id = networkIdOf(crypto, genesis)
    if (toHex(id) !== root['networkId']) throw new Error('"networkId" is not the hash of the genesis')
    const chain = object(root['chain'], 'chain')
    return {
      id,
      genesis,
      epoch: parseEpoch(object(root['epoch'], 'epoch')),
      label: text(chain['label'], 'chain.label', 100),
      emulated: chain['emulated'] === true,
      entry
    }
  } catch (error) {
    throw new PeerError('refused', `${entry} does not answer like a Volo node: ${(error as Error).message}`, {
      cause: error
    })
  }
}

/** The form that {@link parseNetworkInfo} reads, for the store. */
export function networkInfoToJson(info: NetworkInfo): unknown {
  const { genesis, epoch } = info
  const { placement } = genesis
  return {
    networkId: toHex(info.id),
    genesis: {
      ...genesis,
      nameSalt: toHex(genesis.nameSalt),
      releaseKey: genesis.releaseKey && toHex(genesis.releaseKey),
      admittedOperators: genesis.admittedOperators.map(toHex),
      placement: placement && { ...placement, firstList: toHex(placement.firstList) }
    },
    epoch: {
      number: epoch.number,
      seed: toHex(epoch.seed),
      nodes: epoch.nodes.map(node => ({ ...node, key: toHex(node.key), operator: toHex(node.operator) }))
    },
    chain: { label: info.label, emulated: info.emulated }
  }
}

function parseGenesis(value: Record<string, unknown>): Genesis {
  const cost = object(value['nameTagCost'], 'genesis.nameTagCost')
  const operators = array(value['admittedOperators'], 'genesis.admittedOperators', MAX_LISTED_NODES)
  const releaseKey = value['releaseKey'] ?? null
  return {
    cardanoMagic: integer(value['cardanoMagic'], 'genesis.cardanoMagic', 0xffff_ffff),
    metadataLabel: integer(value['metadataLabel'], 'genesis.metadataLabel'),
    shardCount: integer(value['shardCount'], 'genesis.shardCount', 0xffff, 1),
    replicaCount: integer(value['replicaCount'], 'genesis.replicaCount', 64, 1),
    nameSalt: hex(value['nameSalt'], 'genesis.nameSalt', 16),
    nameTagCost: {
      memoryKib: integer(cost['memoryKib'], 'genesis.nameTagCost.memoryKib', MAX_NAME_TAG_MEMORY_KIB, 8),
      passes: integer(cost['passes'], 'genesis.nameTagCost.passes', MAX_NAME_TAG_PASSES, 1)
    },
    releaseKey: releaseKey === null ? null : hex(releaseKey, 'genesis.releaseKey', 32),
    admittedOperators: operators.map(operator => hex(operator, 'genesis.admittedOperators', 32)),
    placement: parsePlacement(value['placement'])
  }
}

function parsePlacement(value: unknown): Genesis['placement'] {
  if (value === undefined) return undefined
  const placement = object(value, 'genesis.placement')
  return {
    epochBlocks: integer(placement['epochBlocks'], 'genesis.placement.epochBlocks', undefined, 1),
    finalBlocks: integer(placement['finalBlocks'], 'genesis.placement.finalBlocks', undefined, 1),
    firstList: hex(placement['firstList'], 'genesis.placement.firstList', 32)
  }
}

function parseEpoch(value: Record<string, unknown>): Epoch {
  const nodes = array(value['nodes'], 'epoch.nodes', MAX_LISTED_NODES)
  if (nodes.length === 0) throw new Error('"epoch.nodes" is empty')
  return {
    number: integer(value['number'], 'epoch.number'),
    seed: hex(value['seed'], 'epoch.seed', 32),
    nodes: nodes.map(item => {
      const node = object(item, 'epoch.nodes')
      return {
        key: hex(node['key'], 'epoch.nodes.key', 32) as NodeKey,
        operator: hex(node['operator'], 'epoch.nodes.operator', 32) as OperatorId,
        url: webOrigin(text(node['url'], 'epoch.nodes.url', MAX_ADDRESS_LENGTH)),
        link: text(node['link'] ?? '', 'epoch.nodes.link', MAX_ADDRESS_LENGTH)
      }
    })
  }
}

/** @throws Error unless it is an http(s) address; only the origin is kept. */
function webOrigin(url: string): string {
  const parsed = new URL(url)
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')
    throw new Error('"epoch.nodes.url" is no web address')
  return parsed.origin
}

const wrong = (name: string, expected: string): never => {
  throw new Error(`"${name}" must be ${expected}`)
}
const object = (value: unknown, name: string): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : wrong(name, 'an object')
const array = (value: unknown, name: string, max: number): unknown[] =>
  Array.isArray(value) && value.length <= max ? value : wrong(name, `a list of at most ${max}`)
const text = (value: unknown, name: string, max: number): string =>
  typeof value === 'string' && value.length <= max ? value : wrong(name, `text of at most ${max} characters`)
const integer = (value: unknown, name: string, max = Number.MAX_SAFE_INTEGER, min = 0): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
    ? value
    : wrong(name, `an integer from ${min} to ${max}`)
const hex = (value: unknown, name: string, length: number): Uint8Array =>
  typeof value === 'string' ? fromHex(value, length) : wrong(name, 'hex')

/** The nodes that keep a mailbox, in placement order. */
export function replicasOf(crypto: Crypto, info: NetworkInfo, mailbox: Uint8Array): ListedNode[] {
  const shard = shardOf(crypto, info.id, info.genesis, mailbox)
  return replicaSet(crypto, info.id, info.genesis, info.epoch, shard)
}

/**
 * The order in which a device tries nodes: the entry node if it keeps the mailbox (people expect to use the node they
 * opened), the mailbox's other nodes in placement order, then all others, which can at least take messages.
 */
export function candidateNodes(crypto: Crypto, info: NetworkInfo, mailbox: Uint8Array): ListedNode[] {
  const replicas = replicasOf(crypto, info, mailbox)
  const isEntry = (node: ListedNode): boolean => node.url === info.entry
  const others = info.epoch.nodes.filter(node => !replicas.includes(node))
  return [
    ...replicas.filter(isEntry),
    ...replicas.filter(node => !isEntry(node)),
    ...others.filter(isEntry),
    ...others.filter(node => !isEntry(node))
  ]
}

/** Whether this is a devnet of this machine: an emulated chain, learned from a node here. Nobody else's word makes it one. */
export function isLocalDevnet({ emulated, entry }: Pick<NetworkInfo, 'emulated' | 'entry'>): boolean {
  return emulated && isLoopback(new URL(entry).hostname)
}

/**
 * Whether a told list of nodes is worth looking at. The number only rises; on a devnet of this machine the same number may
 * come with other addresses, since a restart may change ports. Who may replace the list is `epoch-agreement.ts`'s to say.
 */
export function isNewerEpoch(info: NetworkInfo, told: Epoch): boolean {
  if (told.number !== info.epoch.number) return told.number > info.epoch.number
  return isLocalDevnet(info) && !isSameEpoch(info.epoch, told)
}

/** Whether two lists are the same: number, seed and nodes. */
export function isSameEpoch(a: Epoch, b: Epoch): boolean {
  const sameNode = (x: ListedNode, y: ListedNode | undefined): boolean =>
    y !== undefined && equalBytes(x.key, y.key) && equalBytes(x.operator, y.operator) && x.url === y.url
  return (
    a.number === b.number &&
    equalBytes(a.seed, b.seed) &&
    a.nodes.length === b.nodes.length &&
    a.nodes.every((node, i) => sameNode(node, b.nodes[i]))
  )
}
