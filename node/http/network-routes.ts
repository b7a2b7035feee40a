import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { toHex } from '../../protocol/bytes.ts'
import { epochToJson, genesisToJson } from '../../protocol/network-json.ts'
import type { Genesis, NetworkId } from '../../protocol/network.ts'
import type { Epoch } from '../../protocol/wire/placement.ts'
import { z } from 'zod'
import { NodeError } from '../errors.ts'
import { networkSchema } from './schemas.ts'

/** What `GET /v1/network` tells. */
export interface NetworkFacts {
  networkId: NetworkId
  genesis: Genesis
  epoch(): Epoch
  /** An encoded `NodeListProof` of a list in force. */
  listProof(epoch: Epoch): Promise<Uint8Array>
  nodeKey: Uint8Array
  chain: { label: string; emulated: boolean }
  version: string
}

/** The network as a client needs it to find nodes and to check what they say. */
export function networkRoutes(app: FastifyInstance, facts: NetworkFacts): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  let proven: { number: number; proof: Promise<Uint8Array> } | undefined
  typed.get(
    '/v1/network/lists/:number/proof',
    {
      schema: {
        summary: 'The records that make the list of nodes in force',
        description: 'An encoded NodeListProof, as application/cbor, where lists of nodes follow the chain.',
        params: z.object({ number: z.coerce.number().int().min(1) })
      }
    },
    async (request, reply) => {
      const epoch = facts.epoch()
      const isInForce = facts.genesis.placement !== undefined && epoch.number === request.params.number
      if (!isInForce) throw new NodeError('not-found', 'This is not the list in force.')
      if (proven?.number !== epoch.number) {
        const proof = facts.listProof(epoch)
        const kept = { number: epoch.number, proof }
        proven = kept
        proof.catch(() => (proven = proven === kept ? undefined : proven))
      }
      return reply.type('application/cbor').send(Buffer.from(await proven!.proof))
    }
  )
  typed.get(
    '/v1/network',
    { schema: { summary: 'The network this node belongs to', response: { 200: networkSchema } } },
    async (_request, reply) => reply.header('cache-control', 'no-cache').send(describe(facts))
  )
}

function describe({ networkId, genesis, epoch, nodeKey, chain, version }: NetworkFacts) {
  return {
    networkId: toHex(networkId),
    genesis: genesisToJson(genesis),
    epoch: epochToJson(epoch()),
    node: toHex(nodeKey),
    chain,
    version
  }
}
