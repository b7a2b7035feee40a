/** Checks of the chain source and the clock, and what the running node says of itself. */
import { z } from 'zod'
import { CLOCK_TOLERANCE_MS } from '../../../protocol/limits.ts'
import type { NodeConfig } from '../../config/config.ts'
import { durationText } from '../table.ts'
import { fail, ok, reasonOf, warn, type Finding } from './finding.ts'

const TIMEOUT_MS = 5_000
/** HTTP dates have whole seconds, and the answer took a while. */
const CLOCK_WARN_MS = 30_000
const MAX_BLOCK_AGE_MS = 60 * 60 * 1000

const blockSchema = z.object({ height: z.number(), time: z.number() })
const reason = z.object({ code: z.string(), message: z.string() })
const statusSchema = z.object({ readiness: z.object({ reasons: z.array(reason), warnings: z.array(reason) }) })

/** Asks the chain source for its newest block; its date says what time it is elsewhere. */
export async function chainChecks({ chainUrl, chainProjectId }: NodeConfig): Promise<Finding[]> {
  if (chainUrl === undefined) {
    const change = 'Set VOLO_CHAIN_URL (and VOLO_NETWORK_FILE) for a network with real people.'
    return [warn('chain', 'The node keeps an embedded devnet: its records prove nothing.', change)]
  }
  try {
    const headers = chainProjectId === undefined ? {} : { project_id: chainProjectId }
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const answer = await fetch(`${chainUrl.replace(/\/$/, '')}/blocks/latest`, { headers, signal })
    if (!answer.ok) return [refusedChain(answer.status)]
    const { height, time } = blockSchema.parse(await answer.json())
    return [blockFinding(height, Date.now() - 1000 * time), clockFinding(answer.headers.get('date'), time)]
  } catch (error) {
    const change = 'Check VOLO_CHAIN_URL, and that this machine reaches it.'
    return [fail('chain', `The chain source does not answer (${reasonOf(error)}).`, change)]
  }
}

function refusedChain(status: number): Finding {
  const change =
    status === 401 || status === 403
      ? 'Set VOLO_CHAIN_PROJECT_ID or VOLO_CHAIN_PROJECT_ID_FILE to a project of this network.'
      : 'Check VOLO_CHAIN_URL: it is the base address, such as https://cardano-mainnet.blockfrost.io/api/v0.'
  return fail('chain', `The chain source refuses (${status}).`, change)
}

function blockFinding(height: number, age: number): Finding {
  const message = `The chain source answers; block ${height} is ${durationText(Math.max(0, age))} old.`
  return age > MAX_BLOCK_AGE_MS
    ? warn('chain', message, 'Look at the chain source: it may have stopped following the chain.')
    : ok('chain', message)
}

function clockFinding(date: string | null, blockSeconds: number): Finding {
  const change = 'Set the clock, and keep it set by NTP (systemd-timesyncd, chrony).'
  // No block is made in the future.
  const elsewhere = Math.max(date === null ? 0 : Date.parse(date) || 0, 1000 * blockSeconds)
  const isOnlyLowerBound = date === null
  const error = Date.now() - elsewhere
  if (isOnlyLowerBound && error > 0) return ok('clock', 'The clock is not behind the newest block.')
  const message = `The clock differs from that of the chain source by ${durationText(Math.abs(error))}.`
  if (Math.abs(error) > CLOCK_TOLERANCE_MS) return fail('clock', message, change)
  return Math.abs(error) > CLOCK_WARN_MS ? warn('clock', message, change) : ok('clock', message)
}

/** What the running node would answer on `/readyz`; the clock against other nodes is among it. */
export function readinessFindings(status: unknown): Finding[] {
  const { reasons, warnings } = statusSchema.parse(status).readiness
  const change = 'See the table of reasons in docs/operating.md.'
  const found = [
    ...reasons.map(({ code, message }) => fail('node', `${code}: ${message}`, change)),
    ...warnings.map(({ code, message }) => warn('node', `${code}: ${message}`, change))
  ]
  return found.length > 0 ? found : [ok('node', 'The node runs, and people can chat through it.')]
}
