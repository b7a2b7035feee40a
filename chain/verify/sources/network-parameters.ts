/** The genesis parameters of a network, from a file or from the source that is asked. */
import { z } from 'zod'
import { equalBytes, fromHex, toHex } from '../../../protocol/bytes.ts'
import type { Crypto } from '../../../protocol/crypto/crypto.ts'
import { encodeCbor } from '../../../protocol/cbor.ts'
import { networkIdOf, type Genesis, type NetworkId } from '../../../protocol/network.ts'
import { VerifyError } from '../errors.ts'

/** A source must not make this machine work without end to hash one name. */
const MAX_NAME_MEMORY_KIB = 256 * 1024
const MAX_NAME_PASSES = 16
const MAX_OPERATORS = 1_024
const MAX_NODES = 1_024

const hex = (bytes: number): z.ZodString => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`))
const count = z.int().nonnegative()

const genesisSchema = z.object({
  cardanoMagic: count,
  metadataLabel: count,
  shardCount: count,
  replicaCount: count,
  nameSalt: hex(16),
  nameTagCost: z.object({
    memoryKib: z.int().min(8).max(MAX_NAME_MEMORY_KIB),
    passes: z.int().min(1).max(MAX_NAME_PASSES)
  }),
  releaseKey: hex(32).nullable(),
  admittedOperators: z.array(hex(32)).max(MAX_OPERATORS),
  placement: z
    .object({ epochBlocks: z.int().positive(), finalBlocks: z.int().positive(), firstList: hex(32) })
    .optional()
})

const networkAnswerSchema = z.object({
  networkId: hex(32),
  genesis: genesisSchema,
  epoch: z.object({
    nodes: z.array(z.object({ key: hex(32), operator: hex(32), url: z.string().max(256) })).max(MAX_NODES)
  }),
  node: hex(32),
  chain: z.object({ label: z.string().max(200), emulated: z.boolean() })
})

/** What a node says about itself and its network. */
export interface NodeFacts {
  genesis: Genesis
  /** Lower-case hex. */
  nodeKey: string
  /** Who runs it, lower-case hex; `undefined` if its own list does not name it. */
  operator: string | undefined
  /** Public addresses of the nodes that it lists. */
  listedUrls: string[]
  chainLabel: string
}

function toGenesis(written: z.infer<typeof genesisSchema>): Genesis {
  const { nameSalt, releaseKey, admittedOperators, placement, ...rest } = written
  return {
    ...rest,
    ...(placement && { placement: { ...placement, firstList: fromHex(placement.firstList) } }),
    nameSalt: fromHex(nameSalt),
    releaseKey: releaseKey === null ? null : fromHex(releaseKey),
    admittedOperators: admittedOperators.map(operator => fromHex(operator))
  }
}

/** Parses JSON of a genesis, plain or under `genesis`, as in a node's network file. @throws VerifyError `MALFORMED`. */
export function parseGenesis(json: unknown): Genesis {
  const inner = typeof json === 'object' && json !== null && 'genesis' in json ? json.genesis : json
  const result = genesisSchema.safeParse(inner)
  if (result.success) return toGenesis(result.data)
  const path = result.error.issues[0]?.path.join('.') ?? ''
  throw new VerifyError('MALFORMED', `the network parameters are malformed at "${path}"`)
}

/** Parses the answer of `GET /v1/network`. @throws VerifyError `BAD_ANSWER`. */
export function parseNetworkAnswer(crypto: Crypto, json: unknown): NodeFacts {
  const result = networkAnswerSchema.safeParse(json)
  if (!result.success) {
    const path = result.error.issues[0]?.path.join('.') ?? ''
    throw new VerifyError('BAD_ANSWER', `its description of the network is malformed at "${path}"`)
  }
  const { networkId, genesis: written, epoch, node, chain } = result.data
  const genesis = toGenesis(written)
  if (toHex(networkIdOf(crypto, genesis)) !== networkId) {
    throw new VerifyError('BAD_ANSWER', 'its network id does not follow from its network parameters')
  }
  return {
    genesis,
    nodeKey: node,
    operator: epoch.nodes.find(({ key }) => key === node)?.operator,
    listedUrls: epoch.nodes.map(({ url }) => url),
    chainLabel: chain.label
  }
}

/** Whether two genesis blocks are the same in everything, not only in what makes the network's id. */
export function isSameGenesis(a: Genesis, b: Genesis): boolean {
  return equalBytes(genesisBytes(a), genesisBytes(b))
}

function genesisBytes(genesis: Genesis): Uint8Array {
  const { cardanoMagic, metadataLabel, shardCount, replicaCount, nameSalt, nameTagCost, placement } = genesis
  return encodeCbor([
    [cardanoMagic, metadataLabel, shardCount, replicaCount],
    [nameSalt, nameTagCost.memoryKib, nameTagCost.passes],
    genesis.releaseKey,
    genesis.admittedOperators,
    placement ? [placement.epochBlocks, placement.finalBlocks, placement.firstList] : null
  ])
}

/** A network that everything is checked for. */
export interface NetworkUnderTest {
  readonly id: NetworkId
  readonly genesis: Genesis
  /** Where the parameters were taken from, in words. */
  readonly from: string
}
