/** A network's genesis and its list of nodes, as the JSON file that its operators share. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { DEVNET_MAGIC } from '../../chain/devnet/devnet.ts'
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { createNodeCrypto } from '../../protocol/crypto/backends/node-crypto.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { DEFAULT_NAME_TAG_COST } from '../../protocol/identity/username.ts'
import { DEFAULT_REPLICA_COUNT, DEFAULT_SHARD_COUNT, FINAL_CONFIRMATIONS } from '../../protocol/limits.ts'
import { isNodeOrigin } from '../../protocol/node-origin.ts'
import { epochToJson, genesisToJson, readEpoch, readGenesis } from '../../protocol/network-json.ts'
import type { ChainPlacement, Genesis } from '../../protocol/network.ts'
import { configuredEpoch, configuredSeed, type Epoch, type ListedNode } from '../../protocol/wire/placement.ts'
import { ConfigError } from './config-error.ts'

/** Metadata label of new networks, in the range that CIP-10 leaves to private use. */
export const DEFAULT_METADATA_LABEL = 86_070

const FILE_VERSION = 1

/** What all nodes of a network agree on. */
export interface NetworkDefinition {
  genesis: Genesis
  /** Oldest first; the last is current. */
  epochs: Epoch[]
}

/**
 * Reads a network file.
 * @throws ConfigError naming the file and what is wrong with it.
 */
export function readNetworkFile(file: string): NetworkDefinition {
  try {
    const definition = parseDefinition(JSON.parse(readFileSync(file, 'utf8')))
    for (const { nodes } of definition.epochs) {
      if (new Set(nodes.map(node => toHex(node.key))).size !== nodes.length) throw new Error('a node is listed twice')
      const wrong = nodes.find(({ url }) => !isNodeOrigin(url))
      if (wrong) throw new Error(`"${wrong.url}" is not an address that apps and browsers can use for a node`)
    }
    requirePlacement(definition)
    return definition
  } catch (cause) {
    throw new ConfigError(`Cannot use the network file ${file}: ${(cause as Error).message}.`, { cause })
  }
}

function parseDefinition(json: unknown): NetworkDefinition {
  const { version, genesis, epochs, ...unknown } = (json ?? {}) as Record<string, unknown>
  if (version !== FILE_VERSION) throw new Error(`"version" must be ${FILE_VERSION}`)
  for (const field of Object.keys(unknown)) throw new Error(`"${field}" is not a known field`)
  if (!Array.isArray(epochs) || epochs.length < 1 || epochs.length > 2) {
    throw new Error('"epochs" must be a list of one or two lists of nodes')
  }
  const isStrict = true
  return {
    genesis: readGenesis(genesis, { isStrict }),
    epochs: epochs.map(epoch => readEpoch(epoch, { isStrict }))
  }
}

/** Where lists follow the chain, the file holds the first one only, which genesis names. @throws Error saying what is wrong. */
function requirePlacement({ genesis, epochs }: NetworkDefinition): void {
  const { placement, cardanoMagic } = genesis
  if (placement === undefined) return
  const [first, second] = epochs
  if (first!.number !== 0 || second !== undefined) {
    throw new Error('with "placement" in its genesis it holds one epoch, number 0: the others come from the chain')
  }
  const hash = configuredSeed(createNodeCrypto(), first!.nodes)
  const seeds = [placement.firstList, first!.seed, ...first!.nodeSeeds]
  if (!seeds.every(seed => equalBytes(seed, hash))) {
    throw new Error(`"firstList" in its genesis and the seed of epoch 0 must be ${toHex(hash)}, the hash of its list`)
  }
  const founders = new Set(genesis.admittedOperators.map(toHex))
  if (first!.nodes.some(({ operator }) => !founders.has(toHex(operator)))) {
    throw new Error('the operator of each node is one of "admittedOperators" in its genesis: two names are two voices')
  }
  if (cardanoMagic !== DEVNET_MAGIC && placement.finalBlocks < FINAL_CONFIRMATIONS) {
    throw new Error(`"finalBlocks" is at least ${FINAL_CONFIRMATIONS}: a list must never be rolled back`)
  }
}

/** The text of a network file. */
export function networkFileText({ genesis, epochs }: NetworkDefinition): string {
  const json = { version: FILE_VERSION, genesis: genesisToJson(genesis), epochs: epochs.map(epochToJson) }
  return `${JSON.stringify(json, null, 2)}\n`
}

/**
 * A new network of these nodes on a devnet, whose operators are all admitted.
 *
 * @param placement - given if lists of nodes shall follow the chain; operators are named by their keys then.
 */
export function createNetwork(
  crypto: Crypto,
  nodes: ListedNode[],
  placement?: Omit<ChainPlacement, 'firstList'>
): NetworkDefinition {
  const seed = configuredSeed(crypto, nodes)
  const genesis: Genesis = {
    cardanoMagic: DEVNET_MAGIC,
    metadataLabel: DEFAULT_METADATA_LABEL,
    shardCount: DEFAULT_SHARD_COUNT,
    replicaCount: DEFAULT_REPLICA_COUNT,
    nameSalt: Uint8Array.from(randomBytes(16)),
    nameTagCost: DEFAULT_NAME_TAG_COST,
    releaseKey: null,
    admittedOperators: [...new Map(nodes.map(({ operator }) => [toHex(operator), operator])).values()],
    ...(placement && { placement: { ...placement, firstList: seed } })
  }
  return { genesis, epochs: [configuredEpoch(0, seed, nodes)] }
}
