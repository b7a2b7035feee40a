/** Runs `volo-node` as operators do: a process of its own, with a folder and ports of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { openKeyFile } from '../../../../node/config/key-file.ts'
import { createNetwork, networkFileText } from '../../../../node/config/network-file.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import type { NodeKey, OperatorId } from '../../../../protocol/wire/placement.ts'

/** The folder with package.json, whether this file runs from its source or from `dist`. */
export const root = checkoutOf(import.meta.dirname)
const isBuilt = import.meta.filename.endsWith('.js')
/** A name tag takes a tenth of a second of a processor elsewhere, and every command of a person makes some. */
export const QUICK_NAME_TAGS = { memoryKib: 8, passes: 1 }
const START_DEADLINE_MS = 90_000
const STOP_DEADLINE_MS = 60_000

/** The pinned Node.js, also where another version runs the tests. */
export const pinnedNode = join(root, 'node_modules/node/bin/node')

function checkoutOf(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : checkoutOf(dirname(folder))
}

/** Commands that are bundled by the build, see `scripts/build.js`. */
const BUNDLED: Record<string, string> = {
  'node/main.ts': 'node/main.js',
  'peer/cli/main.ts': 'peer/main.js',
  'chain/verify/main.ts': 'verify/main.js',
  'chain/devnet/main.ts': 'devnet/main.js'
}

/**
 * A file of ours in the form that this process runs in: its source, or what was built from it. `npm test` builds first, and has
 * commands run as people run them; a test that is run by itself takes the sources as they are.
 */
export function runnable(file: string): string {
  const bundled = process.env['VOLO_TEST_BUILT'] && BUNDLED[file]
  if (bundled) return join(root, 'dist', 'bundled', bundled)
  return isBuilt ? join(root, 'dist', file.replace(/\.ts$/, '.js')) : join(root, file)
}

/** How a command ended. */
export interface CommandResult {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** An empty folder below the system's temporary one. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'volo-test-'))
}

/** Settings of the machine, but none of ours: a test names every setting of its nodes. */
function inherited(): Record<string, string | undefined> {
  const names = ['PATH', 'HOME', 'NODE_OPTIONS', 'NODE_COMPILE_CACHE']
  return Object.fromEntries(names.map(name => [name, process.env[name]]))
}

/** A command of ours, built if this process is. */
export class CommandProcess {
  readonly child: ChildProcess
  readonly ended: Promise<CommandResult>
  #stdout = ''
  #stderr = ''
  readonly #waiters = new Set<() => void>()

  /** @param file - below the checkout, such as `node/main.ts`. */
  constructor(file: string, args: string[], options: { env?: Record<string, string>; cwd?: string } = {}) {
    this.child = spawn(pinnedNode, [runnable(file), ...args], {
      cwd: options.cwd ?? root,
      // Nodes and ledgers end when the channel closes: nothing outlives a test runner that was killed.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...inherited(), ...options.env }
    })
    this.child.stdout!.setEncoding('utf8').on('data', text => this.#grow(() => (this.#stdout += text)))
    this.child.stderr!.setEncoding('utf8').on('data', text => this.#grow(() => (this.#stderr += text)))
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject)
      this.child.once('close', (code, signal) => {
        this.#grow(() => undefined)
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr })
      })
    })
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** Waits until stdout matches. @throws if the command ends, or takes too long, before that. */
  async printed(pattern: RegExp, deadlineMs = START_DEADLINE_MS): Promise<RegExpExecArray> {
    const deadline = Date.now() + deadlineMs
    for (;;) {
      const match = pattern.exec(this.#stdout)
      if (match) return match
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`the command ended with ${this.child.exitCode}: ${this.#stderr}`)
      }
      if (Date.now() > deadline) throw new Error(`not printed in time: ${pattern}\n${this.#stdout}\n${this.#stderr}`)
      await this.#change(deadline - Date.now())
    }
  }

  /** Asks the command to end, and kills it if it does not. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<CommandResult> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal)
    const cut = setTimeout(() => this.child.kill('SIGKILL'), STOP_DEADLINE_MS)
    try {
      return await this.ended
    } finally {
      clearTimeout(cut)
    }
  }

  #grow(change: () => void): void {
    change()
    for (const wake of this.#waiters) wake()
  }

  #change(deadlineMs: number): Promise<void> {
    return new Promise(resolve => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#waiters.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, deadlineMs)
      this.#waiters.add(wake)
    })
  }
}

/** A node that runs; a port and a folder of its own unless said otherwise. */
export class NodeProcess extends CommandProcess {
  readonly dataDir: string
  #url = ''

  private constructor(dataDir: string, flags: string[], env: Record<string, string>) {
    super('node/main.ts', ['start', '--data', dataDir, ...flags], { env })
    this.dataDir = dataDir
  }

  /**
   * Starts a node and waits until it says that it is ready.
   * @param options - `isBare`: its folder holds nothing before, and names cost what they cost everywhere.
   */
  static async start(
    options: { dataDir?: string; flags?: string[]; env?: Record<string, string>; isBare?: boolean } = {}
  ): Promise<NodeProcess> {
    const dataDir = options.dataDir ?? temporaryFolder()
    if (!options.isBare) await prepareNetwork(dataDir)
    const flags = options.flags ?? ['--port', '0', '--admin-port', '0']
    const node = new NodeProcess(dataDir, flags, options.env ?? {})
    try {
      node.#url = (await node.printed(/ready at (http:\S+)/))[1]!
      return node
    } catch (error) {
      await node.stop('SIGKILL')
      throw error
    }
  }

  /** Origin of its HTTP API. */
  get url(): string {
    return this.#url
  }

  /** Origin of its administration port. */
  get adminUrl(): string {
    const file = join(this.dataDir, 'listening.json')
    return (JSON.parse(readFileSync(file, 'utf8')) as { adminUrl: string }).adminUrl
  }

  /** Ends the node and removes its folder. */
  async dispose(): Promise<void> {
    await this.stop()
    if (existsSync(this.dataDir)) rmSync(this.dataDir, { recursive: true, force: true })
  }
}

/** Leaves a network of one node in its folder, as the node itself does, but with {@link QUICK_NAME_TAGS}. */
async function prepareNetwork(dataDir: string): Promise<void> {
  const file = join(dataDir, 'network.json')
  if (existsSync(file)) return
  const crypto = createNodeCrypto()
  mkdirSync(dataDir, { recursive: true })
  const { publicKey } = await crypto.signingKeyFromSeed(openKeyFile(join(dataDir, 'node.key')))
  const self = { key: publicKey as NodeKey, operator: publicKey as Uint8Array as OperatorId }
  const { genesis, epochs } = createNetwork(crypto, [{ ...self, url: 'http://127.0.0.1:8787', link: '' }])
  writeFileSync(file, networkFileText({ genesis: { ...genesis, nameTagCost: QUICK_NAME_TAGS }, epochs }))
}
