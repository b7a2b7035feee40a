import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../../../protocol/codec.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import type { NetworkId } from '../../../../protocol/network.ts'
import {
  configuredEpoch,
  epochCodec,
  replicaSet,
  type Epoch,
  type ListedNode,
  type NodeKey,
  type OperatorId
} from '../../../../protocol/wire/placement.ts'

const crypto = createNodeCrypto()
const network = new Uint8Array(32).fill(1) as NetworkId
const SHARDS = 256
const REPLICAS = 3
const bytesOf = (text: string): Uint8Array => crypto.sha256(new TextEncoder().encode(text))

/** A node of an operator of its own. */
function node(name: string): ListedNode {
  const key = bytesOf(`key ${name}`)
  return { key: key as NodeKey, operator: bytesOf(`operator ${name}`) as OperatorId, url: `https://${name}`, link: '' }
}

const nodesOf = (count: number): ListedNode[] => Array.from({ length: count }, (_, index) => node(`n${index}`))
const setsOf = (epoch: Epoch): string[][] =>
  Array.from({ length: SHARDS }, (_, shard) =>
    replicaSet(crypto, network, { replicaCount: REPLICAS }, epoch, shard).map(({ url }) => url)
  )

/** The list in which one more node comes, and one goes. */
function followed({ nodes, nodeSeeds }: Epoch, gone: number, newcomer: ListedNode): Epoch {
  const seed = bytesOf('the next boundary')
  return {
    number: 1,
    seed,
    nodes: [...nodes.filter((_, index) => index !== gone), newcomer],
    nodeSeeds: [...nodeSeeds.filter((_, index) => index !== gone), seed]
  }
}

describe('the replicas of shards', () => {
  it.each([5, 20, 100])('of a list of %i change only where a node came or went', count => {
    const before = configuredEpoch(0, bytesOf('first'), nodesOf(count))
    const gone = before.nodes[2]!.url
    const newcomer = node('newcomer')
    const [old, next] = [setsOf(before), setsOf(followed(before, 2, newcomer))]
    let moved = 0
    for (const [shard, replicas] of old.entries()) {
      const now = next[shard]!
      if (!replicas.includes(gone) && !now.includes(newcomer.url)) expect(now).toEqual(replicas)
      moved += now.filter(url => !replicas.includes(url)).length
    }
    // Places of the one that went and of the one that came: 2 of `count` shares, with room for chance.
    expect(moved / (SHARDS * REPLICAS)).toBeLessThan(2.6 / count)
  })

  it('cannot be chosen by a key: a node is ranked by a seed that was not known when it was announced', () => {
    const before = configuredEpoch(0, bytesOf('first'), nodesOf(20))
    const [one, other] = ['one', 'other'].map(seed => {
      const after = followed(before, 2, node('newcomer'))
      return setsOf({ ...after, nodeSeeds: [...after.nodeSeeds.slice(0, -1), bytesOf(seed)] })
    })
    const shardsOf = (sets: string[][]): number[] =>
      sets.flatMap((set, shard) => (set.includes('https://newcomer') ? [shard] : []))
    expect(shardsOf(one!)).not.toEqual(shardsOf(other!))
  })
})

describe('a list of nodes', () => {
  it('has a seed for each node', () => {
    const epoch = configuredEpoch(0, bytesOf('first'), nodesOf(3))
    const limits = { maxBytes: 10_000 }
    expect(decode(epochCodec, encode(epochCodec, epoch), limits)).toEqual(epoch)
    const short = { ...epoch, nodeSeeds: epoch.nodeSeeds.slice(1) }
    expect(() => decode(epochCodec, encode(epochCodec, short), limits)).toThrow('a seed for each node')
  })
})
