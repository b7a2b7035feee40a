/** A network's genesis and its list of nodes, as the JSON file that its operators share. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { DEVNET_MAGIC } from '../../chain/devnet/devnet.ts'
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import { createNodeCrypto } from '../../protocol/crypto/backends/node-crypto.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { DEFAULT_NAME_TAG_COST } from '../../protocol/identity/username.ts'
import {
  DEFAULT_REPLICA_COUNT,
  DEFAULT_SHARD_COUNT,
  FINAL_CONFIRMATIONS,
  MAX_LISTED_NODES,
  MAX_NAME_TAG_MEMORY_KIB,
  MAX_NAME_TAG_PASSES
} from '../../protocol/limits.ts'
import type { ChainPlacement, Genesis } from '../../protocol/network.ts'
import { configuredSeed, MAX_ADDRESS_LENGTH, type Epoch, type ListedNode } from '../../protocol/wire/placement.ts'
import { ConfigError } from './config.ts'

/** Metadata label of new networks, in the range that CIP-10 leaves to private use. */
export const DEFAULT_METADATA_LABEL = 86_070

/** What all nodes of a network agree on. */
export interface NetworkDefinition {
  genesis: Genesis
  /** Oldest first; the last is current. */
  epochs: Epoch[]
}

const hex = (length: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${2 * length}}$`), `expected ${length} bytes as lower-case hex`)
    .transform(text => fromHex(text))

const nodeUrl = z
  .string()
  .max(MAX_ADDRESS_LENGTH)
  .refine(
    url => /^https?:\/\/[^/?#@]+$/.test(url) && URL.canParse(url),
    'expected an origin such as https://node.example'
  )

const fileSchema = z.strictObject({
  version: z.literal(1),
  genesis: z.strictObject({
    cardanoMagic: z.int().min(0).max(0xffff_ffff),
    metadataLabel: z.int().min(0),
    shardCount: z.int().min(1).max(0xffff),
    replicaCount: z.int().min(1).max(64),
    nameSalt: hex(16),
    nameTagCost: z.strictObject({
      memoryKib: z.int().min(8).max(MAX_NAME_TAG_MEMORY_KIB),
      passes: z.int().min(1).max(MAX_NAME_TAG_PASSES)
    }),
    releaseKey: hex(32).nullable(),
    admittedOperators: z.array(hex(32)).max(MAX_LISTED_NODES),
    placement: z
      .strictObject({ epochBlocks: z.int().min(1), finalBlocks: z.int().min(1), firstList: hex(32) })
      .optional()
  }),
  epochs: z
    .array(
      z.strictObject({
        number: z.int().min(0),
        seed: hex(32),
        nodes: z
          .array(
            z.strictObject({
              key: hex(32),
              operator: hex(32),
              url: nodeUrl,
              link: z.string().max(MAX_ADDRESS_LENGTH)
            })
          )
          .min(1)
          .max(MAX_LISTED_NODES)
      })
    )
    .min(1)
    .max(2)
})

/**
 * Reads a network file.
 * @throws ConfigError naming the file and what is wrong with it.
 */
export function readNetworkFile(file: string): NetworkDefinition {
  try {
    const { genesis, epochs } = fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
    for (const { nodes } of epochs) {
      if (new Set(nodes.map(node => toHex(node.key))).size !== nodes.length) throw new Error('a node is listed twice')
    }
    requirePlacement({ genesis, epochs: epochs as Epoch[] })
    return { genesis, epochs: epochs as Epoch[] }
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause).replaceAll('\n', ' ') : (cause as Error).message
    throw new ConfigError(`Cannot use the network file ${file}: ${reason}.`, { cause })
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
  if (!equalBytes(hash, placement.firstList) || !equalBytes(hash, first!.seed)) {
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
  const bytesAsHex = (_key: string, value: unknown): unknown => (value instanceof Uint8Array ? toHex(value) : value)
  return `${JSON.stringify({ version: 1, genesis, epochs }, bytesAsHex, 2)}\n`
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
  return { genesis, epochs: [{ number: 0, seed, nodes }] }
}
