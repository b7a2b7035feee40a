/** Turns what was named on the command line into sources that answer, and a network that they are of. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { createNodeCrypto } from '../../protocol/crypto/backends/node-crypto.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { networkIdOf, type Genesis } from '../../protocol/network.ts'
import { judgeFailure } from './checks/answer.ts'
import type { BlockfrostArgument, Invocation } from './arguments.ts'
import { Checklist } from './report/checklist.ts'
import { VerifyError } from './errors.ts'
import { isSameGenesis, parseGenesis, type NetworkUnderTest } from './sources/network-parameters.ts'
import { readBounded, readProofFile, type ReadProof } from './sources/proof-file.ts'
import type { TrustLevel, VerificationReport } from './report/report.ts'
import type { AccountSource } from './sources/account-source.ts'
import { FileSource } from './sources/file-source.ts'
import { NodeSource } from './sources/node-source.ts'
import { ReplaySource } from './sources/replay-source.ts'
import { Verification } from './checks/verification.ts'

const MAX_NETWORK_FILE_BYTES = 1024 * 1024
const MAX_PROJECT_ID_BYTES = 256
/** Requests for one answer of a Blockfrost server, and the pause after the first failure in milliseconds. */
const ATTEMPTS = 3
const RETRY_MS = 300

/** What a command may do besides asking. */
export interface Surroundings {
  /** Shows a report before the last one, as `monitor` does. */
  emit(report: VerificationReport): void
  /** A remark for the person who waits; not part of the result. */
  note(text: string): void
  signal?: AbortSignal | undefined
  /** Milliseconds before sources that disagree are asked again: {@link DISAGREEMENT_PAUSE_MS}. */
  pauseMs?: number
}

/** Long enough for a node that is a little behind, short enough to wait for. */
export const DISAGREEMENT_PAUSE_MS = 1_500

/**
 * Opens the sources and lets a command work with those that answer. Without any network parameters there is nothing to
 * check against, and the report says which source is missing.
 *
 * @throws VerifyError `USAGE`, `MALFORMED` for wrong arguments and files.
 */
export async function withSources(
  invocation: Invocation,
  surroundings: Surroundings,
  work: (run: Verification) => Promise<VerificationReport>
): Promise<VerificationReport> {
  const opening = new Opening(invocation, surroundings)
  const run = await opening.open()
  return run ? work(run) : opening.failureReport()
}

class Opening {
  readonly #invocation: Invocation
  readonly #surroundings: Surroundings
  readonly #crypto: Crypto = createNodeCrypto()
  readonly #checklist = new Checklist()

  constructor(invocation: Invocation, surroundings: Surroundings) {
    this.#invocation = invocation
    this.#surroundings = surroundings
  }

  async open(): Promise<Verification | undefined> {
    const { nodes, blockfrosts, proofs, others, networkFile, command, positionals, options } = this.#invocation
    const namedSources = nodes.length + blockfrosts.length + others.length + Math.min(1, proofs.length)
    if (namedSources === 0) throw new VerifyError('USAGE', 'a source is missing: --node, --blockfrost or --proof')
    const fromFile = networkFile === undefined ? undefined : await readNetwork(networkFile)
    const files = await Promise.all(proofs.map(readProofFile))
    const opened = await Promise.all([...nodes, ...others].map(url => this.#openNode(url, others.includes(url))))
    const answering = opened.filter(node => node instanceof NodeSource)
    const network = this.#chooseNetwork(fromFile, answering, files)
    if (!network) {
      if (this.#checklist.checks.length > 0) return undefined
      throw new VerifyError('USAGE', 'the network parameters are missing: name their file with --network')
    }
    const rest = opened.filter(other => other !== undefined && !(other instanceof NodeSource))
    const servers: BlockfrostArgument[] = [...blockfrosts, ...(rest as BlockfrostArgument[])]
    const replays = await Promise.all(servers.map(server => this.#openBlockfrost(server, network)))
    const sources: AccountSource[] = [
      ...answering.filter(node => this.#requireNetwork(node.name, node.facts.genesis, network.genesis)),
      ...replays.filter(replay => replay !== undefined),
      ...this.#openFiles(files, network)
    ]
    return new Verification({
      command,
      subject: positionals,
      options,
      crypto: this.#crypto,
      clock: Date.now,
      network,
      sources,
      namedSources,
      checklist: this.#checklist,
      pauseMs: this.#surroundings.pauseMs ?? DISAGREEMENT_PAUSE_MS,
      signal: this.#surroundings.signal
    })
  }

  /** The report of a run that could not even begin. */
  failureReport(): VerificationReport {
    const { command, positionals, options } = this.#invocation
    const asked: TrustLevel = options.trustLevel ?? 1
    return {
      command,
      subject: positionals,
      network: null,
      sources: [],
      trust: { asked, reached: 0 },
      tips: [],
      checkedAt: Date.now(),
      checks: this.#checklist.checks,
      facts: {},
      lines: []
    }
  }

  /** @param orServer - if it is not a node, it may be a Blockfrost server. */
  async #openNode(url: string, orServer: boolean): Promise<NodeSource | BlockfrostArgument | undefined> {
    try {
      return await NodeSource.open(this.#crypto, url, { signal: this.#surroundings.signal })
    } catch (error) {
      const isNoNode = error instanceof VerifyError && error.code === 'UNREACHABLE'
      if (orServer && isNoNode) return { url, projectIdFile: undefined }
      this.#recordFailure(new URL(url).host, error)
      return undefined
    }
  }

  async #openBlockfrost(
    { url, projectIdFile }: BlockfrostArgument,
    network: NetworkUnderTest
  ): Promise<ReplaySource | undefined> {
    const projectId = projectIdFile === undefined ? undefined : await readProjectId(projectIdFile)
    // The client of Blockfrost is large; runs without one need not wait for it.
    const { createChainSource } = await import('../source/blockfrost-source.ts')
    const connection = { url, attempts: ATTEMPTS, retryMs: RETRY_MS }
    const source = createChainSource(projectId === undefined ? connection : { ...connection, projectId })
    const { signal } = this.#surroundings
    const components = { source, crypto: this.#crypto, network: network.id, genesis: network.genesis }
    try {
      const { magic } = await source.identity(signal ? { signal } : {})
      const isRight = magic === network.genesis.cardanoMagic
      const claim = "the source is of the network's chain"
      this.#checklist.add('network', isRight ? 'passed' : 'failed', claim, {
        detail: isRight ? `magic ${magic}` : `magic ${magic}, not ${network.genesis.cardanoMagic}`,
        source: source.name
      })
      if (!isRight) return undefined
    } catch (error) {
      this.#recordFailure(source.name, error)
      return undefined
    }
    const { note } = this.#surroundings
    return new ReplaySource(components, {
      url,
      untilHeight: this.#invocation.options.atHeight,
      onProgress: transactions => note(`${source.name}: ${transactions} transactions replayed`)
    })
  }

  #openFiles(files: readonly ReadProof[], network: NetworkUnderTest): FileSource[] {
    if (files.length === 0) return []
    const name = this.#invocation.proofs.map(path => basename(path)).join(', ')
    const isRight = files.every(({ genesis }) => !genesis || this.#requireNetwork(name, genesis, network.genesis))
    return isRight ? [new FileSource(name, files)] : []
  }

  #chooseNetwork(
    fromFile: Genesis | undefined,
    nodes: readonly NodeSource[],
    files: readonly ReadProof[]
  ): NetworkUnderTest | undefined {
    const under = (genesis: Genesis, from: string): NetworkUnderTest => ({
      id: networkIdOf(this.#crypto, genesis),
      genesis,
      from
    })
    if (fromFile) return under(fromFile, basename(this.#invocation.networkFile!))
    const [node] = nodes
    if (node) return under(node.facts.genesis, `the source asked, ${node.name}`)
    const genesis = files.find(file => file.genesis)?.genesis
    return genesis && under(genesis, 'the proof file itself')
  }

  #requireNetwork(source: string, genesis: Genesis, expected: Genesis): boolean {
    const isSame = isSameGenesis(genesis, expected)
    this.#checklist.add('network', isSame ? 'passed' : 'failed', 'the source is of this network', { source })
    return isSame
  }

  #recordFailure(source: string, error: unknown): void {
    const judged = judgeFailure(error)
    if (!judged) throw error
    const outcome = judged.kind === 'refused' ? 'failed' : judged.kind
    this.#checklist.add('source', outcome, 'the source answers', { detail: judged.reason, source })
  }
}

/** The genesis in a network file. @throws VerifyError `MALFORMED`. */
export async function readNetwork(path: string): Promise<Genesis> {
  const text = new TextDecoder().decode(await readBounded(path, MAX_NETWORK_FILE_BYTES))
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new VerifyError('MALFORMED', `${path} is not JSON`, { cause })
  }
  return parseGenesis(json)
}

async function readProjectId(path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8')
    if (text.length <= MAX_PROJECT_ID_BYTES && text.trim() !== '') return text.trim()
  } catch (cause) {
    throw new VerifyError('MALFORMED', `the project id file ${path} cannot be read`, { cause })
  }
  throw new VerifyError('MALFORMED', `the project id file ${path} does not hold a project id`)
}
