import type { Logger } from '../logger.ts'
import { Devnet } from './devnet.ts'
import { DevnetHttpApi } from './http-api.ts'

export interface StartDevnetOptions {
  /** Folder of the chain; made if absent. */
  dataDir: string
  /** Loopback port of the HTTP API; 0 (the default) for any free one. */
  port?: number
  /** Milliseconds between blocks; default DEFAULT_BLOCK_MS, 0 for blocks on demand only. */
  blockMs?: number
  clock?: () => number
  logger?: Logger
}

/** A devnet with its API, which the caller stops. */
export interface RunningDevnet {
  devnet: Devnet
  /** Base URL, to be given to `createChainSource`. */
  url: string
  stop(): Promise<void>
}

/**
 * Starts the local devnet: emulated ledger rules behind Blockfrost's API on loopback.
 * @throws when the port is taken or the folder is held by another process; nothing is left running.
 */
export async function startDevnet(options: StartDevnetOptions): Promise<RunningDevnet> {
  const { port = 0, logger, ...init } = options
  const devnet = new Devnet(logger ? { ...init, logger } : init)
  await devnet.start()
  const api = new DevnetHttpApi(devnet, logger)
  try {
    const url = await api.listen(port)
    const stop = async (): Promise<void> => {
      await api.close()
      await devnet.stop()
    }
    return { devnet, url, stop }
  } catch (error) {
    await devnet.stop()
    throw error
  }
}
