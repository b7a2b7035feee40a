import { once } from 'node:events'
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import type { StoreSnapshot } from '../../chain/store/store-dump.ts'
import type { Logger } from '../ports.ts'

const STOP_DEADLINE_MS = 5_000

/** Where the chain is, and its pace. */
export interface EmbeddedDevnetInit {
  /** Folder of the chain. */
  dataDir: string
  /** Milliseconds between blocks. */
  blockMs: number
}

/** What the devnet's thread is told: to end, or to send its store over a port. */
export type DevnetMessage = 'stop' | { snapshot: MessagePort }

/** A devnet inside this process, in a thread of its own; spoken to over loopback HTTP like any other chain. */
export class EmbeddedDevnet {
  /** Base URL of its Blockfrost-shaped API. */
  readonly url: string
  readonly #worker: Worker
  readonly #ended: Promise<void>

  private constructor(url: string, worker: Worker, ended: Promise<void>) {
    this.url = url
    this.#worker = worker
    this.#ended = ended
  }

  /** @throws the devnet's error if it cannot start. */
  static async start(
    components: { logger: Logger; onFatal(error: Error): void },
    init: EmbeddedDevnetInit
  ): Promise<EmbeddedDevnet> {
    const log = components.logger.forComponent('volo:devnet')
    // TypeScript when this runs unbuilt, JavaScript when it is built.
    const extension = import.meta.filename.endsWith('.ts') ? 'ts' : 'js'
    const worker = new Worker(new URL(`devnet-worker.${extension}`, import.meta.url), { workerData: init })
    const ended = new Promise<void>(resolve => worker.once('exit', () => resolve()))
    const { url } = await new Promise<{ url: string }>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    worker.on('error', error => {
      log.error('the devnet failed', { error })
      // A store that cannot be written ends the node; without its chain for another reason it goes on, and /readyz says so.
      if (error instanceof Error && error.name === 'StoreError') components.onFatal(error)
    })
    return new EmbeddedDevnet(url, worker, ended)
  }

  /** The chain's store at this moment, for a backup. */
  async snapshot(): Promise<StoreSnapshot> {
    const { port1: port, port2 } = new MessageChannel()
    this.#worker.postMessage({ snapshot: port2 } satisfies DevnetMessage, [port2])
    const [version] = (await once(port, 'message')) as [number]
    return { version, chunks: () => chunksFrom(port), release: async () => port.close() }
  }

  /** Closes the chain's folder and ends the thread. Safe to call twice. */
  async stop(): Promise<void> {
    this.#worker.postMessage('stop' satisfies DevnetMessage)
    const cut = setTimeout(() => void this.#worker.terminate(), STOP_DEADLINE_MS)
    await this.#ended
    clearTimeout(cut)
  }
}

/** One chunk for each message, so that a slow reader is waited for. */
async function* chunksFrom(port: MessagePort): AsyncGenerator<Buffer> {
  for (;;) {
    port.postMessage('next')
    const [chunk] = (await once(port, 'message')) as [Uint8Array | null]
    if (chunk === null) return
    yield Buffer.from(chunk)
  }
}
