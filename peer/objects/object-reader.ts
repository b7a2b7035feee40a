import { PeerError } from '../errors.ts'
import type { ObjectClient, ObjectHash, ObjectRange } from './object-client.ts'
import { ObjectRefusal, type ObjectNode } from './signed-requests.ts'

/** None of the nodes keeps the object. */
export class ObjectGone extends Error {
  override name = 'ObjectGone'
}

/** What the nodes keep under the name of the object is something else. */
export class ObjectDamaged extends Error {
  override name = 'ObjectDamaged'
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
  #wasWrong = false

  /** @param nodes - in the order in which they are asked. */
  constructor(client: ObjectClient, hash: ObjectHash, nodes: readonly ObjectNode[]) {
    this.#client = client
    this.#hash = hash
    this.#nodes = nodes.slice(0, MAX_NODES_ASKED)
  }

  /**
   * @param accept - throws for bytes that are not those of the object.
   * @returns what `accept` made of the bytes.
   * @throws {@link ObjectGone} if every node answers that it does not keep it; {@link ObjectDamaged} if one has something else; PeerError `offline` if one could not be asked; the
   * signal's reason.
   */
  async read<T>(range: ObjectRange, signal: AbortSignal, accept: (bytes: Uint8Array) => Promise<T>): Promise<T> {
    for (let node = this.#nodes[0]; node; node = this.#nodes[0]) {
      try {
        return await accept(await this.#client.range(node, this.#hash, range, signal))
      } catch (error) {
        signal.throwIfAborted()
        this.#wasUnreachable ||= isUnreachable(error)
        this.#wasWrong ||= !(error instanceof ObjectRefusal || error instanceof PeerError)
        // Another read may have left the node already.
        if (this.#nodes[0] === node) this.#nodes.shift()
      }
    }
    if (this.#wasUnreachable) throw new PeerError('offline', { origin: null })
    throw this.#wasWrong ? new ObjectDamaged('no node has it unchanged') : new ObjectGone('no node keeps the object')
  }
}

function isUnreachable(error: unknown): boolean {
  if (error instanceof ObjectRefusal) return error.code !== 'not-found'
  return error instanceof PeerError && error.code === 'offline'
}
