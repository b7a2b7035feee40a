import type { NodeStream, Transport } from '../ports.ts'
import type { NodeKey } from '../../protocol/wire/placement.ts'

/**
 * A transport whose code is loaded by the first dial. Libp2p is most of what a command loads: one that only reads what is on
 * the device must not wait for it.
 */
export class LazyTransport implements Transport {
  readonly #load: () => Promise<Transport>
  #loaded: Promise<Transport> | undefined

  constructor(load: () => Promise<Transport>) {
    this.#load = load
  }

  async dial(url: string, key: NodeKey, options: { signal: AbortSignal }): Promise<NodeStream> {
    const transport = await (this.#loaded ??= this.#load())
    options.signal.throwIfAborted()
    return transport.dial(url, key, options)
  }

  async stop(): Promise<void> {
    await (await this.#loaded)?.stop()
  }
}
