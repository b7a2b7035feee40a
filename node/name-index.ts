import { equalBytes } from '../protocol/bytes.ts'
import { bytesKey } from '../protocol/directory/order.ts'

/** Bytes of a tag by which names are grouped: what a client tells while a name is being chosen. */
const GROUP_BYTES = 2

/** Finds name tags by how they begin. Holds candidates: whether a name is held is the directory's to say. */
export class NameIndex {
  readonly #groups = new Map<string, Map<string, Uint8Array>>()

  /** @param tag - 32 bytes. */
  add(tag: Uint8Array): void {
    const key = bytesKey(tag.subarray(0, GROUP_BYTES))
    const group = this.#groups.get(key) ?? new Map<string, Uint8Array>()
    this.#groups.set(key, group.set(bytesKey(tag), tag))
  }

  /** Tags that begin so, in no order. @param prefix - at least {@link GROUP_BYTES} bytes. */
  *find(prefix: Uint8Array): Generator<Uint8Array> {
    for (const tag of this.#groups.get(bytesKey(prefix.subarray(0, GROUP_BYTES)))?.values() ?? []) {
      if (equalBytes(tag.subarray(0, prefix.length), prefix)) yield tag
    }
  }
}
