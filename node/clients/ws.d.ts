/** The part of `ws` that the node uses; the package brings no types of its own. */
declare module 'ws' {
  import type { EventEmitter } from 'node:events'
  import type { IncomingMessage } from 'node:http'
  import type { Duplex } from 'node:stream'

  export interface ServerOptions {
    noServer: true
    maxPayload: number
    perMessageDeflate: false
    clientTracking: boolean
    skipUTF8Validation: boolean
  }

  export class WebSocket extends EventEmitter {
    readonly bufferedAmount: number
    readonly readyState: number
    send(data: Uint8Array, options: { binary: true }, callback: (error?: Error) => void): void
    close(code?: number): void
    terminate(): void
    pause(): void
    resume(): void
    on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): this
    on(event: 'close', listener: (code: number) => void): this
    on(event: 'error', listener: (error: Error) => void): this
  }

  export class WebSocketServer extends EventEmitter {
    constructor(options: ServerOptions)
    handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, callback: (socket: WebSocket) => void): void
    close(): void
  }
}
