/** A TCP proxy in front of a node that keeps every byte of both directions: what somebody on the way sees. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export class WireTap {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #streams: Buffer[][] = []
  #port = 0

  private constructor() {
    this.#server = createServer(client => this.#pass(client))
  }

  /** Listens; {@link WireTap.leadTo} says where it leads, before the first connection. */
  static async start(): Promise<WireTap> {
    const tap = new WireTap()
    await once(tap.#server.listen(0, '127.0.0.1'), 'listening')
    return tap
  }

  /** Origin under which clients find the node. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  leadTo(url: string): void {
    this.#port = Number(new URL(url).port)
  }

  /** What went through, a buffer for each connection and direction. */
  captured(): Buffer[] {
    return this.#streams.map(parts => Buffer.concat(parts))
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #pass(client: Socket): void {
    const node = connect(this.#port, '127.0.0.1')
    for (const [from, to] of [
      [client, node],
      [node, client]
    ] as const) {
      const parts: Buffer[] = []
      this.#streams.push(parts)
      this.#sockets.add(from)
      from.on('data', (bytes: Buffer) => void parts.push(bytes))
      from.on('error', () => to.destroy())
      from.on('close', () => this.#sockets.delete(from))
      from.pipe(to)
    }
  }
}
