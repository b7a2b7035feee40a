/** Parses what is POSTed under `/devnet`, and spoils lists on demand. */
import { z } from 'zod'
import { ChainError } from '../errors.ts'
import type { DevnetFaults } from './devnet.ts'

/** How a list is spoilt: cut off, or with a row left out, twice, or in the place of its neighbour. */
export type ListFlaw = z.infer<typeof listFlawSchema>

const listFlawSchema = z.enum(['short', 'missing', 'repeated', 'reordered'])

/** A fault in answering, for paths that start with `path`. */
export interface HttpFault {
  /** Answer with this status instead. */
  status: number | undefined
  /** Wait this many milliseconds first. */
  latencyMs: number | undefined
  /** Spoil the rows of an answer that is a list. */
  list: ListFlaw | undefined
  path: string
  /** Requests that it still applies to; all without. */
  count: number | undefined
}

/** One control, checked. */
export type Control =
  | { kind: 'fund'; address: string; lovelace: bigint | undefined }
  | { kind: 'forge'; blocks: number }
  | { kind: 'rollback'; depth: number; drop: boolean }
  | { kind: 'faults'; http: HttpFault | undefined; chain: DevnetFaults }

const MAX_FORGED_BLOCKS = 10_000
const MAX_LATENCY_MS = 60_000
/** Where a list is spoilt unless said otherwise. */
const LABEL_LISTS = '/metadata/txs/labels/'

const fundSchema = z.strictObject({ address: z.string().max(200), lovelace: z.number().int().positive().optional() })
const forgeSchema = z.strictObject({ blocks: z.number().int().min(1).max(MAX_FORGED_BLOCKS).default(1) })
const rollbackSchema = z.strictObject({ depth: z.number().int().positive(), drop: z.boolean().default(false) })
const faultsSchema = z.strictObject({
  status: z.number().int().min(400).max(599).optional(),
  latencyMs: z.number().int().min(0).max(MAX_LATENCY_MS).optional(),
  list: listFlawSchema.optional(),
  path: z.string().max(100).optional(),
  count: z.number().int().positive().optional(),
  pauseBlocks: z.boolean().default(false),
  dropSubmissions: z.boolean().default(false)
})

/**
 * @param path - the whole path, such as `/devnet/fund`.
 * @returns `undefined` for an unknown path.
 * @throws {@link ChainError} `MALFORMED` for a body that is not as described in docs.
 */
export function parseControl(path: string, body: Uint8Array): Control | undefined {
  switch (path) {
    case '/devnet/fund': {
      const { address, lovelace } = parse(fundSchema, body)
      return { kind: 'fund', address, lovelace: lovelace === undefined ? undefined : BigInt(lovelace) }
    }
    case '/devnet/forge':
      return { kind: 'forge', ...parse(forgeSchema, body) }
    case '/devnet/rollback':
      return { kind: 'rollback', ...parse(rollbackSchema, body) }
    case '/devnet/faults': {
      const { status, latencyMs, list, path: prefix, count, ...chain } = parse(faultsSchema, body)
      const isQuiet = status === undefined && latencyMs === undefined && list === undefined
      const start = prefix ?? (list === undefined ? '/' : LABEL_LISTS)
      return { kind: 'faults', http: isQuiet ? undefined : { status, latencyMs, list, path: start, count }, chain }
    }
    default:
      return undefined
  }
}

/** Spoils a list. @returns the rows as they are if there are too few for the flaw. */
export function spoilList<T>(rows: T[], flaw: ListFlaw): T[] {
  const at = Math.floor(rows.length / 3)
  if (flaw === 'short') return rows.slice(0, Math.floor(rows.length / 2))
  if (flaw === 'missing') return rows.filter((_, row) => row !== at)
  if (rows.length < 2) return rows
  const spoilt = rows.with(at, rows[at + 1]!)
  return flaw === 'repeated' ? spoilt : spoilt.with(at + 1, rows[at]!)
}

function parse<T>(schema: z.ZodType<T>, body: Uint8Array): T {
  let json: unknown
  try {
    json = body.length === 0 ? {} : JSON.parse(Buffer.from(body).toString('utf8'))
  } catch (cause) {
    throw new ChainError('MALFORMED', 'the body is not JSON', { cause })
  }
  const result = schema.safeParse(json)
  if (result.success) return result.data
  throw new ChainError('MALFORMED', z.prettifyError(result.error))
}
