import { equalBytes } from '../../protocol/bytes.ts'
import type { ListedNode, NodeKey } from '../../protocol/wire/placement.ts'
import type { EngineContext } from '../engine-context.ts'

/** Nodes that an object is handed to, of different operators where there are so many: one node may be gone for good. */
export const OBJECT_COPIES = 2

/** Which nodes keep objects for this device, and which are asked for those of others. */
export class ObjectNodes {
  readonly #network: EngineContext['network']
  readonly #connected: () => ListedNode | undefined

  /** @param connected - the node of the connection. */
  constructor({ network }: Pick<EngineContext, 'network'>, connected: () => ListedNode | undefined) {
    this.#network = network
    this.#connected = connected
  }

  /** Where a new object goes: first the node of the connection, which answers. */
  forUpload(): ListedNode[] {
    const [first, ...others] = this.#inOrder([])
    if (!first) return []
    const isOther = ({ operator }: ListedNode): boolean => !equalBytes(operator, first.operator)
    return [first, ...others.filter(isOther)].slice(0, OBJECT_COPIES)
  }

  /** Every node, those first that are said to keep the object. A key that is not listed any more leads nowhere. */
  forDownload(keepers: readonly Uint8Array[]): ListedNode[] {
    return this.#inOrder(keepers)
  }

  /** The listed nodes of these keys. */
  listed(keys: readonly Uint8Array[]): ListedNode[] {
    return keys.flatMap(key => this.#network().epoch.nodes.filter(node => equalBytes(node.key, key)))
  }

  #inOrder(first: readonly Uint8Array[]): ListedNode[] {
    const connected = this.#connected()
    const { nodes } = this.#network().epoch
    const keys: (Uint8Array | NodeKey)[] = [
      ...first,
      ...(connected ? [connected.key] : []),
      ...nodes.map(({ key }) => key)
    ]
    return [...new Set(this.listed(keys))]
  }
}
