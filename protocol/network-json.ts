/**
 * The JSON of a network: its genesis and its lists of nodes, in network files, in the answer of `GET /v1/network`, and in
 * the store of a peer. Every reader and writer of that JSON is here.
 */
import { equalBytes, fromHex, toHex } from './bytes.ts'
import type { Crypto } from './crypto/crypto.ts'
import { ProtocolError } from './errors.ts'
import { MAX_LISTED_NODES, MAX_NAME_TAG_MEMORY_KIB, MAX_NAME_TAG_PASSES } from './limits.ts'
import { networkIdOf, type ChainPlacement, type Genesis, type NetworkId } from './network.ts'
import { MAX_ADDRESS_LENGTH, type Epoch, type ListedNode, type NodeKey, type OperatorId } from './wire/placement.ts'

/** Longest name of a chain for people, such as "preprod". */
const MAX_LABEL_LENGTH = 100

/** How a reader treats what a later version may add. */
export interface ReadOptions {
  /**
   * For files that an operator writes: refuses unknown fields, missing fields and addresses that are not plain origins,
   * because each of them is a typing error.
   */
  isStrict?: boolean
}

/** What a node says about its network. */
export interface NetworkAnswer {
  id: NetworkId
  genesis: Genesis
  epoch: Epoch
  /** The node that answers; `undefined` where the JSON does not say. */
  node: NodeKey | undefined
  /** `label` is for people, such as "preprod". */
  chain: { label: string; emulated: boolean }
}

/** @returns JSON that {@link readGenesis} reads. */
export function genesisToJson(genesis: Genesis) {
  const { placement } = genesis
  return {
    ...genesis,
    nameSalt: toHex(genesis.nameSalt),
    releaseKey: genesis.releaseKey && toHex(genesis.releaseKey),
    admittedOperators: genesis.admittedOperators.map(toHex),
    placement: placement && { ...placement, firstList: toHex(placement.firstList) }
  }
}

/** @returns JSON that {@link readEpoch} reads. */
export function epochToJson({ number, seed, nodes, nodeSeeds }: Epoch) {
  const listed = nodes.map(node => ({ ...node, key: toHex(node.key), operator: toHex(node.operator) }))
  const isFirst = nodeSeeds.every(nodeSeed => equalBytes(nodeSeed, seed))
  return { number, seed: toHex(seed), nodes: listed, ...(isFirst ? {} : { nodeSeeds: nodeSeeds.map(toHex) }) }
}

/**
 * Reads the answer of `GET /v1/network`.
 * @throws {@link ProtocolError} `MALFORMED` if a field is missing, of the wrong type or out of bounds; `INVALID` if the
 * network id is not that of the genesis.
 */
export function readNetworkAnswer(crypto: Crypto, json: unknown): NetworkAnswer {
  const answer = object(json, 'network')
  const genesis = readGenesis(answer['genesis'])
  const id = networkIdOf(crypto, genesis)
  if (toHex(id) !== answer['networkId']) throw new ProtocolError('INVALID', 'the network id is not that of the genesis')
  const chain = object(answer['chain'], 'chain')
  return {
    id,
    genesis,
    epoch: readEpoch(answer['epoch']),
    node: answer['node'] === undefined ? undefined : (hex(answer['node'], 'node', 32) as NodeKey),
    chain: { label: text(chain['label'], 'chain.label', MAX_LABEL_LENGTH), emulated: chain['emulated'] === true }
  }
}

/** @throws {@link ProtocolError} `MALFORMED` with the path of the wrong field. */
export function readGenesis(json: unknown, { isStrict = false }: ReadOptions = {}): Genesis {
  const value = object(json, 'genesis', isStrict && GENESIS_FIELDS)
  const cost = object(value['nameTagCost'], 'genesis.nameTagCost', isStrict && ['memoryKib', 'passes'])
  const operators = array(value['admittedOperators'], 'genesis.admittedOperators', MAX_LISTED_NODES)
  const releaseKey = value['releaseKey'] ?? (isStrict ? value['releaseKey'] : null)
  const placement = value['placement']
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
    ...(placement !== undefined && { placement: readPlacement(placement, isStrict) })
  }
}

/** Reads a list of nodes; without `nodeSeeds` all of them came with it. @throws {@link ProtocolError} `MALFORMED` with the path of the wrong field. */
export function readEpoch(json: unknown, { isStrict = false }: ReadOptions = {}): Epoch {
  const value = object(json, 'epoch', isStrict && ['number', 'seed', 'nodes', 'nodeSeeds'])
  const nodes = array(value['nodes'], 'epoch.nodes', MAX_LISTED_NODES)
  if (nodes.length === 0) throw malformed('epoch.nodes', 'a list of at least one node')
  const seed = hex(value['seed'], 'epoch.seed', 32)
  const nodeSeeds = value['nodeSeeds'] === undefined ? nodes.map(() => seed) : readSeeds(value['nodeSeeds'])
  if (nodeSeeds.length !== nodes.length) throw malformed('epoch.nodeSeeds', 'a seed for each node')
  return {
    number: integer(value['number'], 'epoch.number'),
    seed,
    nodes: nodes.map(node => readNode(node, isStrict)),
    nodeSeeds
  }
}

function readSeeds(json: unknown): Uint8Array[] {
  const seeds = array(json, 'epoch.nodeSeeds', MAX_LISTED_NODES)
  return seeds.map(seed => hex(seed, 'epoch.nodeSeeds', 32))
}

const GENESIS_FIELDS = [
  'cardanoMagic',
  'metadataLabel',
  'shardCount',
  'replicaCount',
  'nameSalt',
  'nameTagCost',
  'releaseKey',
  'admittedOperators',
  'placement'
]

const WEB_ADDRESS = /^https?:\/\/[^/?#\s]+/
const ORIGIN = /^https?:\/\/[^/?#@\s]+$/

function readPlacement(json: unknown, isStrict: boolean): ChainPlacement {
  const value = object(json, 'genesis.placement', isStrict && ['epochBlocks', 'finalBlocks', 'firstList'])
  return {
    epochBlocks: integer(value['epochBlocks'], 'genesis.placement.epochBlocks', undefined, 1),
    finalBlocks: integer(value['finalBlocks'], 'genesis.placement.finalBlocks', undefined, 1),
    firstList: hex(value['firstList'], 'genesis.placement.firstList', 32)
  }
}

function readNode(json: unknown, isStrict: boolean): ListedNode {
  const value = object(json, 'epoch.nodes', isStrict && ['key', 'operator', 'url', 'link'])
  const url = text(value['url'], 'epoch.nodes.url', MAX_ADDRESS_LENGTH)
  return {
    key: hex(value['key'], 'epoch.nodes.key', 32) as NodeKey,
    operator: hex(value['operator'], 'epoch.nodes.operator', 32) as OperatorId,
    url: webAddress(url, isStrict),
    link: text(value['link'] ?? (isStrict ? undefined : ''), 'epoch.nodes.link', MAX_ADDRESS_LENGTH)
  }
}

/** Checks the form only: `URL` is not part of the language, and this folder needs nothing but the language. */
function webAddress(url: string, isStrict: boolean): string {
  if ((isStrict ? ORIGIN : WEB_ADDRESS).test(url)) return url
  throw malformed('epoch.nodes.url', isStrict ? 'an origin such as https://node.example' : 'a web address')
}

function malformed(path: string, expected: string): ProtocolError {
  return new ProtocolError('MALFORMED', `"${path}" must be ${expected}`)
}

/** @param fields - the only ones that are allowed; `false` allows any. */
function object(value: unknown, path: string, fields: readonly string[] | false = false): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(path, 'an object')
  const unknown = fields && Object.keys(value).find(field => !fields.includes(field))
  if (unknown) throw new ProtocolError('MALFORMED', `"${path}.${unknown}" is not a known field`)
  return value as Record<string, unknown>
}

function array(value: unknown, path: string, max: number): unknown[] {
  if (Array.isArray(value) && value.length <= max) return value
  throw malformed(path, `a list of at most ${max}`)
}

function text(value: unknown, path: string, max: number): string {
  if (typeof value === 'string' && value.length <= max) return value
  throw malformed(path, `text of at most ${max} characters`)
}

function integer(value: unknown, path: string, max = Number.MAX_SAFE_INTEGER, min = 0): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
  throw malformed(path, `an integer from ${min} to ${max}`)
}

function hex(value: unknown, path: string, length: number): Uint8Array {
  const isHex = typeof value === 'string' && value.length === 2 * length && /^[0-9a-f]*$/.test(value)
  if (!isHex) throw malformed(path, `${length} bytes as lower-case hex`)
  return fromHex(value, length)
}
