/** Shapes of what the HTTP API takes and gives; they check requests and make the OpenAPI document. */
import { z } from 'zod'

/** Bytes as lower-case hex. */
export const hex = (bytes: number): z.ZodString =>
  z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `expected ${bytes} bytes as lower-case hex`)

/** What every error looks like. */
export const errorSchema = z.object({ error: z.string(), message: z.string() })

/** One reason why `/readyz` is not ready, or a warning. */
export const reasonSchema = z.object({ code: z.string(), message: z.string() })

/** Answer of `GET /v1/network`. */
export const networkSchema = z.object({
  networkId: hex(32),
  genesis: z.object({
    cardanoMagic: z.int(),
    metadataLabel: z.int(),
    shardCount: z.int(),
    replicaCount: z.int(),
    nameSalt: hex(16),
    nameTagCost: z.object({ memoryKib: z.int(), passes: z.int() }),
    releaseKey: hex(32).nullable(),
    admittedOperators: z.array(hex(32)),
    placement: z.object({ epochBlocks: z.int(), finalBlocks: z.int(), firstList: hex(32) }).optional()
  }),
  epoch: z.object({
    number: z.int(),
    seed: hex(32),
    nodes: z.array(z.object({ key: hex(32), operator: hex(32), url: z.string(), link: z.string() })),
    /** For each node the seed that it is placed by; left out where all of them came with this list. */
    nodeSeeds: z.array(hex(32)).optional()
  }),
  node: hex(32),
  chain: z.object({ label: z.string(), emulated: z.boolean() }),
  version: z.string()
})
