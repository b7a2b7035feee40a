/** The genesis parameters of a network, from a file or from the source that is asked. */
import { equalBytes, toHex } from '../../../protocol/bytes.ts'
import type { Crypto } from '../../../protocol/crypto/crypto.ts'
import { encodeCbor } from '../../../protocol/cbor.ts'
import { ProtocolError } from '../../../protocol/errors.ts'
import { readGenesis, readNetworkAnswer, type NetworkAnswer } from '../../../protocol/network-json.ts'
import type { Genesis, NetworkId } from '../../../protocol/network.ts'
import { VerifyError } from '../errors.ts'

/** What a node says about itself and its network. */
export interface NodeFacts {
  genesis: Genesis
  /** Lower-case hex. */
  nodeKey: string
  /** Who runs it, lower-case hex; `undefined` if its own list does not name it. */
  operator: string | undefined
  /** Public addresses of the nodes that it lists. */
  listedUrls: string[]
  /** The nodes that it lists, keys and operators as lower-case hex. */
  listed: { key: string; operator: string; url: string }[]
  chainLabel: string
}

/** Parses JSON of a genesis, plain or under `genesis`, as in a node's network file. @throws VerifyError `MALFORMED`. */
export function parseGenesis(json: unknown): Genesis {
  const inner = typeof json === 'object' && json !== null && 'genesis' in json ? json.genesis : json
  try {
    return readGenesis(inner)
  } catch (cause) {
    throw new VerifyError('MALFORMED', `the network parameters are malformed: ${reasonOf(cause)}`, { cause })
  }
}

/** Parses the answer of `GET /v1/network`. @throws VerifyError `BAD_ANSWER`. */
export function parseNetworkAnswer(crypto: Crypto, json: unknown): NodeFacts {
  let answer: NetworkAnswer
  try {
    answer = readNetworkAnswer(crypto, json)
  } catch (cause) {
    throw new VerifyError('BAD_ANSWER', `its description of the network is wrong: ${reasonOf(cause)}`, { cause })
  }
  const { genesis, epoch, node, chain } = answer
  if (node === undefined) throw new VerifyError('BAD_ANSWER', 'its description of the network does not name the node')
  const self = epoch.nodes.find(({ key }) => equalBytes(key, node))
  return {
    genesis,
    nodeKey: toHex(node),
    operator: self && toHex(self.operator),
    listedUrls: epoch.nodes.map(({ url }) => url),
    listed: epoch.nodes.map(({ key, operator, url }) => ({ key: toHex(key), operator: toHex(operator), url })),
    chainLabel: chain.label
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof ProtocolError) return error.message
  throw error
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
