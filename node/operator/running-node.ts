/** The running node, as its operator's commands reach it: through `listening.json` in the data folder. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { ConfigError } from '../config/config-error.ts'
import type { NodeConfig } from '../config/config.ts'

/** File in the data folder, for its owner only: where a node listens, and the secret for what changes something. */
export const LISTENING_FILE = 'listening.json'
const ASK_TIMEOUT_MS = 10_000

const listeningSchema = z.object({
  pid: z.number().int(),
  url: z.url(),
  adminUrl: z.url(),
  /** Missing in files of older versions. */
  secret: z.string().optional()
})
/** What {@link LISTENING_FILE} holds. */
export type Listening = z.output<typeof listeningSchema>

/** @returns undefined if no node has run with this data folder, or the file is not readable. */
export function readListening({ dataDir }: Pick<NodeConfig, 'dataDir'>): Listening | undefined {
  const file = join(dataDir, LISTENING_FILE)
  if (!existsSync(file)) return undefined
  try {
    return listeningSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}

/** A node that answers on its administration port. */
export class RunningNode {
  readonly listening: Listening

  private constructor(listening: Listening) {
    this.listening = listening
  }

  /** @returns undefined unless the node of this data folder answers; another process may have its port by now. */
  static async find(config: Pick<NodeConfig, 'dataDir'>): Promise<RunningNode | undefined> {
    const listening = readListening(config)
    if (listening === undefined) return undefined
    const node = new RunningNode(listening)
    const answer = await node.#fetch('/own', 'GET').catch(() => undefined)
    await answer?.body?.cancel()
    return answer?.ok ? node : undefined
  }

  /** @throws ConfigError if the node does not run. */
  static async require(config: Pick<NodeConfig, 'dataDir'>): Promise<RunningNode> {
    const node = await RunningNode.find(config)
    if (node) return node
    const message = `No node answers for the data folder ${config.dataDir}: start it first, or set VOLO_DATA_DIR as the running node has it.`
    throw new ConfigError(message)
  }

  /** JSON of a path of the administration port. */
  async ask(path: string): Promise<unknown> {
    const answer = await this.#fetch(path, 'GET')
    if (!answer.ok) throw await refusalOf(answer)
    return answer.json()
  }

  /** All stores at this moment, see `backup-parts.ts`. */
  async backup(): Promise<AsyncIterable<Uint8Array>> {
    const answer = await this.#fetch('/backup', 'POST', null)
    if (!answer.ok || answer.body === null) throw await refusalOf(answer)
    return answer.body
  }

  /** Asks the node to drain and end. */
  async drain(): Promise<void> {
    const answer = await this.#fetch('/drain', 'POST')
    if (!answer.ok) throw await refusalOf(answer)
    await answer.body?.cancel()
  }

  #fetch(path: string, method: string, timeoutMs: number | null = ASK_TIMEOUT_MS): Promise<Response> {
    const { adminUrl, secret = '' } = this.listening
    const signal = timeoutMs === null ? null : AbortSignal.timeout(timeoutMs)
    return fetch(adminUrl + path, { method, signal, headers: { authorization: `Bearer ${secret}` } })
  }
}

async function refusalOf(answer: Response): Promise<ConfigError> {
  const text = (await answer.text().catch(() => '')).trim()
  return new ConfigError(`The node refused this (${answer.status}): ${text.slice(0, 300)}.`)
}
