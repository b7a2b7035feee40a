/** Looks into a node's memory through its inspector, so that what is measured is the program that operators run. */

/** Bytes, after a full garbage collection. */
export interface Memory {
  /** JavaScript objects. */
  heap: number
  /** Buffers outside of it. */
  external: number
  /** All that the system gave the process. */
  rss: number
}

interface Answer {
  id: number
  result?: { result?: { value?: string } }
  error?: { message: string }
}

/** `NODE_OPTIONS` of a process that {@link HeapProbe.open} can look into. */
export const inspectOption = (port: number): string => `--inspect=127.0.0.1:${port}`

export class HeapProbe {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #calls = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer
      this.#waiting.get(answer.id)?.(answer)
      this.#waiting.delete(answer.id)
    })
  }

  static async open(port: number): Promise<HeapProbe> {
    const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
      webSocketDebuggerUrl: string
    }[]
    const socket = new WebSocket(targets[0]!.webSocketDebuggerUrl)
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true })
      socket.addEventListener('error', () => reject(new Error('the inspector does not answer')), { once: true })
    })
    return new HeapProbe(socket)
  }

  async memory(): Promise<Memory> {
    // Twice: the first collection runs finalizers that let go of more.
    for (let i = 0; i < 2; i++) await this.#call('HeapProfiler.collectGarbage')
    const answer = await this.#call('Runtime.evaluate', { expression: 'JSON.stringify(process.memoryUsage())' })
    const usage = JSON.parse(answer.result!.result!.value!) as NodeJS.MemoryUsage
    return { heap: usage.heapUsed, external: usage.external, rss: usage.rss }
  }

  close(): void {
    this.#socket.close()
  }

  async #call(method: string, params: object = {}): Promise<Answer> {
    const id = ++this.#calls
    const answer = new Promise<Answer>(resolve => this.#waiting.set(id, resolve))
    this.#socket.send(JSON.stringify({ id, method, params }))
    const { error, ...rest } = await answer
    if (error) throw new Error(`${method}: ${error.message}`)
    return rest
  }
}
