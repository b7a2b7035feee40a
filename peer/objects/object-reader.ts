import { PeerError } from '../errors.ts'
import { ObjectRefusal, type ObjectClient, type ObjectHash, type ObjectNode } from './object-client.ts'

/** None of the nodes keeps the object. */
export class ObjectGone extends Error {
  override name = 'ObjectGone'
}

/** Nodes that are asked for one object. */
const MAX_NODES_ASKED = 12

/**
 * Reads an object from whichever node has it. What a node sends counts once the caller has checked it; a node that sends
 * something else, or nothing, is left for the next.
 */
export class ObjectReader {
  readonly #client: ObjectClient
  readonly #hash: ObjectHash
  readonly #nodes: ObjectNode[]
  #wasUnreachable = false

  /** @param nodes - in the order in which they are asked. */
  constructor(client: ObjectClient, hash: ObjectHash, nodes: readonly ObjectNode[]) {
    this.#client = client
    this.#hash = hash
    this.#nodes = nodes.slice(0, MAX_NODES_ASKED)
  }

  /**
   * @param accept - throws for bytes that are not those of the object.
   * @returns what `accept` made of the bytes.
   * @throws {@link ObjectGone} if every node answers that it does not keep it; PeerError `offline` if one could not be asked; the
   * signal's reason.
   */
  async read<T>(
    range: { start: number; length: number },
    signal: AbortSignal,
    accept: (bytes: Uint8Array) => Promise<T>
  ): Promise<T> {
    for (let node = this.#nodes[0]; node; node = this.#nodes[0]) {
      try {
        return await accept(await this.#client.range(node, this.#hash, range, signal))
      } catch (error) {
        signal.throwIfAborted()
        this.#wasUnreachable ||= isUnreachable(error)
        this.#nodes.shift()
      }
    }
    throw this.#wasUnreachable ? new PeerError('offline', { origin: null }) : new ObjectGone('no node keeps the object')
  }
}

function isUnreachable(error: unknown): boolean {
  if (error instanceof ObjectRefusal) return error.code !== 'not-found'
  return error instanceof PeerError && error.code === 'offline'
}
