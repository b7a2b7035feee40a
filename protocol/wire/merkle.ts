/** The Merkle tree of RFC 9162, section 2.1, over SHA-256. */
import { concatBytes } from '../bytes.ts'
import type { Crypto } from '../crypto/crypto.ts'

const LEAF_PREFIX = Uint8Array.of(0)
const NODE_PREFIX = Uint8Array.of(1)

const hashLeaf = (crypto: Crypto, leaf: Uint8Array): Uint8Array => crypto.sha256(concatBytes(LEAF_PREFIX, leaf))
const hashPair = (crypto: Crypto, left: Uint8Array, right: Uint8Array): Uint8Array =>
  crypto.sha256(concatBytes(NODE_PREFIX, left, right))

/** All levels, leaves first. An odd node at the end of a level moves up unchanged, which is RFC 9162's shape. */
function levelsOf(crypto: Crypto, leaves: Uint8Array[]): Uint8Array[][] {
  let level = leaves.map(leaf => hashLeaf(crypto, leaf))
  const levels = [level]
  while (level.length > 1) {
    const next: Uint8Array[] = []
    for (let i = 0; i < level.length; i += 2) {
      const right = level[i + 1]
      next.push(right === undefined ? level[i]! : hashPair(crypto, level[i]!, right))
    }
    levels.push(next)
    level = next
  }
  return levels
}

/** Tree hash of a list of leaves; SHA-256 of nothing for none. */
export function merkleRoot(crypto: Crypto, leaves: Uint8Array[]): Uint8Array {
  return rootOf(crypto, levelsOf(crypto, leaves))
}

/** Inclusion paths of every leaf at once, siblings from the leaf upwards. */
export function merklePaths(crypto: Crypto, leaves: Uint8Array[]): Uint8Array[][] {
  return pathsIn(levelsOf(crypto, leaves))
}

/** {@link merkleRoot} and {@link merklePaths} from one computation. */
export function merkleTree(crypto: Crypto, leaves: Uint8Array[]): { root: Uint8Array; paths: Uint8Array[][] } {
  const levels = levelsOf(crypto, leaves)
  return { root: rootOf(crypto, levels), paths: pathsIn(levels) }
}

const rootOf = (crypto: Crypto, levels: Uint8Array[][]): Uint8Array =>
  levels.at(-1)![0] ?? crypto.sha256(new Uint8Array())

function pathsIn(levels: Uint8Array[][]): Uint8Array[][] {
  return levels[0]!.map((_, leafIndex) => {
    const path: Uint8Array[] = []
    let index = leafIndex
    for (const level of levels.slice(0, -1)) {
      const sibling = level[index ^ 1]
      if (sibling !== undefined) path.push(sibling)
      index >>= 1
    }
    return path
  })
}

/** The root that a path leads to, or undefined if the path does not fit a tree of `count` leaves. */
export function rootFromPath(
  crypto: Crypto,
  leaf: Uint8Array,
  leafIndex: number,
  count: number,
  path: Uint8Array[]
): Uint8Array | undefined {
  if (leafIndex >= count) return undefined
  let hash = hashLeaf(crypto, leaf)
  let index = leafIndex
  let width = count
  let used = 0
  while (width > 1) {
    if ((index ^ 1) < width) {
      const sibling = path[used++]
      if (sibling === undefined) return undefined
      hash = index % 2 === 0 ? hashPair(crypto, hash, sibling) : hashPair(crypto, sibling, hash)
    }
    index >>= 1
    width = (width + 1) >> 1
  }
  return used === path.length ? hash : undefined
}
