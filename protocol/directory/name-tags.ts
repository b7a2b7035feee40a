/** Tags of names that begin alike, one after the other in rising order: a few bytes each, and found by bisection. */
import { compareBytes, concatBytes } from '../bytes.ts'

const TAG_BYTES = 32
const EMPTY = new Uint8Array(0)

const tagAt = (tags: Uint8Array, index: number): Uint8Array => tags.subarray(index * TAG_BYTES, (index + 1) * TAG_BYTES)

/** Index of the first tag that is not below `prefix`. */
function indexOf(tags: Uint8Array, prefix: Uint8Array): number {
  let low = 0
  let high = tags.length / TAG_BYTES
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareBytes(tagAt(tags, middle), prefix) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** The list with a tag that is not in it. */
export function withTag(tags: Uint8Array = EMPTY, tag: Uint8Array): Uint8Array {
  const at = TAG_BYTES * indexOf(tags, tag)
  return concatBytes(tags.subarray(0, at), tag, tags.subarray(at))
}

/** The list without a tag that is in it. */
export function withoutTag(tags: Uint8Array = EMPTY, tag: Uint8Array): Uint8Array {
  const at = TAG_BYTES * indexOf(tags, tag)
  return concatBytes(tags.subarray(0, at), tags.subarray(at + TAG_BYTES))
}

/** The tags that begin so, by rising tag. */
export function* tagsBeginningWith(tags: Uint8Array = EMPTY, prefix: Uint8Array): Generator<Uint8Array> {
  for (let index = indexOf(tags, prefix); index * TAG_BYTES < tags.length; index++) {
    const tag = tagAt(tags, index)
    if (compareBytes(tag.subarray(0, prefix.length), prefix) !== 0) return
    yield tag
  }
}
