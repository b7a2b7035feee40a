import { createServer, type AddressInfo, type Server } from 'node:net'
import { ConfigError } from './config-error.ts'

/** Ports tried after the default one. */
const PORTS_TRIED = 100

/** Which port to reserve. */
export interface PortRequest {
  host: string
  /** 0 for any free one. */
  port: number
  /** The operator chose this port: no other is taken instead. */
  isExplicit: boolean
  /** The setting to change, for messages, such as `--port`. */
  setting: string
}

/**
 * A port that is held until the real server listens: the parts that are built in between know the node's address.
 */
export class PortReservation {
  readonly port: number
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
  }

  /** @throws ConfigError with one sentence if neither the port nor, for a default one, any of the next is free. */
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
  // A client that connects too early is turned away rather than left waiting.
  const server = createServer(socket => socket.on('error', () => undefined).destroy())
  return new Promise((resolve, reject) => {
    // Stays for as long as the server: an error without a listener would end the process.
    server.on('error', reject)
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
