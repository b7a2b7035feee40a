import { createServer, type AddressInfo, type Server } from 'node:net'
import { ConfigError } from './config.ts'

/** Ports tried after the default one. */
const PORTS_TRIED = 100

/** What {@link PortReservation.reserve} is told. */
export interface PortRequest {
  host: string
  /** 0 for any free one. */
  port: number
  /** Somebody asked for this very port: another will not do. */
  isExplicit: boolean
  /** The setting to change, for messages, such as `--port`. */
  setting: string
}

/**
 * A port that is held until the real server listens: everything that is built in between can know the node's address.
 */
export class PortReservation {
  readonly port: number
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
  }

  /** @throws ConfigError with one sentence if the port, or any near a default one, cannot be had. */
  static async reserve({ host, port, isExplicit, setting }: PortRequest): Promise<PortReservation> {
    const last = isExplicit || port === 0 ? port : Math.min(port + PORTS_TRIED, 65_535)
    for (let candidate = port; ; candidate++) {
      try {
        return new PortReservation(await listen(host, candidate))
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EADDRINUSE' && candidate < last) continue
        throw explain(host, candidate, setting, code, error)
      }
    }
  }

  /** Lets go of the port, right before the real server takes it. Safe to call twice. */
  release(): Promise<void> {
    return new Promise(resolve => this.#server.close(() => resolve()))
  }
}

function listen(host: string, port: number): Promise<Server> {
  // Whoever connects too early is turned away rather than left waiting.
  const server = createServer(socket => socket.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => resolve(server))
  })
}

function explain(host: string, port: number, setting: string, code: string | undefined, cause: unknown): ConfigError {
  if (code === 'EADDRINUSE') {
    return new ConfigError(`Port ${port} on ${host} is taken: choose another with ${setting}, or stop what uses it.`, {
      cause
    })
  }
  if (code === 'EACCES') {
    return new ConfigError(
      `Port ${port} needs more rights than this user has: choose one above 1023 with ${setting}.`,
      {
        cause
      }
    )
  }
  return new ConfigError(`Cannot listen on ${host} port ${port} (${code}): check VOLO_HOST.`, { cause })
}
