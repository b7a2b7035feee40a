import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { toHex } from '../../protocol/bytes.ts'
import type { Genesis, NetworkId } from '../../protocol/network.ts'
import type { Epoch } from '../../protocol/wire/placement.ts'
import { networkSchema } from './schemas.ts'

/** What `GET /v1/network` tells. */
export interface NetworkFacts {
  networkId: NetworkId
  genesis: Genesis
  epoch(): Epoch
  nodeKey: Uint8Array
  chain: { label: string; emulated: boolean }
  version: string
}

/** The network as a client needs it to find nodes and to check what they say. */
export function networkRoutes(app: FastifyInstance, facts: NetworkFacts): void {
  app
    .withTypeProvider<ZodTypeProvider>()
    .get(
      '/v1/network',
      { schema: { summary: 'The network this node belongs to', response: { 200: networkSchema } } },
      async (_request, reply) => reply.header('cache-control', 'no-cache').send(describe(facts))
    )
}

function describe({ networkId, genesis, epoch, nodeKey, chain, version }: NetworkFacts) {
  const { number, seed, nodes } = epoch()
  const { placement } = genesis
  return {
    networkId: toHex(networkId),
    genesis: {
      ...genesis,
      nameSalt: toHex(genesis.nameSalt),
      releaseKey: genesis.releaseKey && toHex(genesis.releaseKey),
      admittedOperators: genesis.admittedOperators.map(toHex),
      placement: placement && { ...placement, firstList: toHex(placement.firstList) }
    },
    epoch: {
      number,
      seed: toHex(seed),
      nodes: nodes.map(node => ({ ...node, key: toHex(node.key), operator: toHex(node.operator) }))
    },
    node: toHex(nodeKey),
    chain,
    version
  }
}
