import { describe, expect, it } from 'vitest'
import { NetworkView } from '../../../../node/network/network-view.ts'
import {
  configuredEpoch,
  type Epoch,
  type ListedNode,
  type NodeKey,
  type OperatorId
} from '../../../../protocol/wire/placement.ts'
import { crypto, genesis, network, newMailbox, random } from '../../../support/network/in-process/fixtures.ts'

const node = (operator: Uint8Array = random(32)): ListedNode => ({
  key: random(32) as NodeKey,
  operator: operator as OperatorId,
  url: 'http://127.0.0.1:1',
  link: '/ip4/127.0.0.1/tcp/1'
})
const epoch = (number: number, nodes: ListedNode[]): Epoch => configuredEpoch(number, random(32), nodes)
const viewOf = (self: ListedNode, epochs: Epoch[]): NetworkView =>
  new NetworkView({ crypto, network, genesis, nodeKey: self.key }, epochs)

describe('the network view', () => {
  it('is the same at every node: three replicas of different operators for every shard', () => {
    const shared = random(32)
    const nodes = [node(), node(), node(shared), node(shared), node()]
    const only = epoch(0, nodes)
    const views = nodes.map(self => viewOf(self, [only]))
    for (let shard = 0; shard < 64; shard++) {
      const sets = views.map(view => view.replicas(only, shard).map(replica => replica.url + replica.key.join()))
      expect(new Set(sets.map(set => set.join())).size).toBe(1)
      const operators = views[0]!.replicas(only, shard).map(replica => replica.operator.join())
      expect(new Set(operators).size).toBe(3)
    }
    const kept = views.map(view => view.keptShards().length)
    expect(kept.reduce((sum, count) => sum + count, 0)).toBe(3 * 64)
  })

  it('lets the shards of one replica set travel together, and no others', () => {
    const nodes = Array.from({ length: 5 }, () => node())
    const only = epoch(0, nodes)
    const view = viewOf(nodes[0]!, [only])
    const setOf = (shard: number): string =>
      view
        .replicas(only, shard)
        .map(replica => replica.key.join())
        .sort()
        .join('|')
    for (let shard = 0; shard < 64; shard++) {
      const group = view.groupOf(only, shard)
      expect(setOf(group)).toBe(setOf(shard))
      expect(view.groupOf(only, group)).toBe(group)
    }
    const groups = new Set(Array.from({ length: 64 }, (_, shard) => view.groupOf(only, shard)))
    expect(groups.size).toBe(new Set(Array.from({ length: 64 }, (_, shard) => setOf(shard))).size)
    // Three nodes have one set: what used to be 64 batches is one.
    const three = epoch(0, nodes.slice(0, 3))
    const small = viewOf(nodes[0]!, [three])
    expect(new Set(Array.from({ length: 64 }, (_, shard) => small.groupOf(three, shard))).size).toBe(1)
  })

  it('has nobody that is not listed, and one dialer for each pair', () => {
    const nodes = [node(), node()]
    const [a, b] = nodes.map(self => viewOf(self, [epoch(0, nodes)]))
    expect(a!.listed(random(32))).toBeUndefined()
    expect(a!.others.map(other => other.key)).toEqual([nodes[1]!.key])
    expect(a!.isDialer(nodes[1]!.key)).toBe(!b!.isDialer(nodes[0]!.key))
  })

  it('counts the replicas of both lists while one follows the other', () => {
    const nodes = Array.from({ length: 6 }, () => node())
    const [old, next] = [epoch(0, nodes.slice(0, 4)), epoch(1, nodes.slice(2))]
    const view = viewOf(nodes[2]!, [old, next])
    expect(view.current).toBe(next)
    expect(view.epoch(0)).toBe(old)
    const shard = view.keptShards()[0]!
    const union = new Set(
      [...view.replicas(old, shard), ...view.replicas(next, shard)].map(replica => replica.key.join())
    )
    const others = view.otherReplicas(shard).map(replica => replica.key.join())
    expect(new Set([...others, nodes[2]!.key.join()])).toEqual(new Set([...union, nodes[2]!.key.join()]))
  })

  it('tells of changes, and forgets the placement of lists that ended', () => {
    const nodes = Array.from({ length: 4 }, () => node())
    const view = viewOf(nodes[0]!, [epoch(0, nodes)])
    let changes = 0
    view.onChange(() => (changes += 1))
    view.setEpochs([epoch(1, nodes.slice(0, 1))])
    expect(changes).toBe(1)
    expect(view.keptShards()).toHaveLength(64)
    expect(view.epoch(0)).toBeUndefined()
    expect(view.shardOf(newMailbox())).toBeLessThan(64)
  })

  it('keeps the placement of a list that stays while another one comes or goes', () => {
    const nodes = Array.from({ length: 6 }, () => node())
    const [old, next] = [epoch(0, nodes.slice(0, 4)), epoch(1, nodes.slice(2))]
    const view = viewOf(nodes[2]!, [old])
    const [before, group] = [view.replicas(old, 5), view.groupOf(old, 5)]
    view.setEpochs([old, next])
    expect(view.replicas(old, 5)).toBe(before)
    expect(view.groupOf(old, 5)).toBe(group)
    const after = view.replicas(next, 5)
    view.setEpochs([next])
    expect(view.replicas(next, 5)).toBe(after)
  })

  it('refuses lists that are none, too many, or out of order', () => {
    const nodes = [node()]
    const view = viewOf(nodes[0]!, [epoch(3, nodes)])
    for (const epochs of [[], [epoch(2, nodes), epoch(1, nodes)], [1, 2, 3].map(number => epoch(number, nodes))]) {
      expect(() => view.setEpochs(epochs)).toThrow()
    }
    expect(view.current.number).toBe(3)
  })
})
