/** A device learns the genesis from one node. What that node can change unnoticed, it can use against the device. */
import { describe, expect, it } from 'vitest'
import { toHex } from '../../protocol/bytes.ts'
import { nameTagOf, parseUsername } from '../../protocol/identity/username.ts'
import { networkIdOf, type Genesis } from '../../protocol/network.ts'
import { bytesOf, crypto, genesis } from '../support/directory/cast.ts'

const changes: [string, Partial<Genesis>][] = [
  ['Cardano network', { cardanoMagic: genesis.cardanoMagic + 1 }],
  ['metadata label', { metadataLabel: genesis.metadataLabel + 1 }],
  ['shard count', { shardCount: genesis.shardCount + 1 }],
  ['replica count', { replicaCount: genesis.replicaCount + 1 }],
  ['name salt', { nameSalt: bytesOf('another salt').slice(0, 16) }],
  ['memory of a name tag', { nameTagCost: { ...genesis.nameTagCost, memoryKib: 8 } }],
  ['passes of a name tag', { nameTagCost: { ...genesis.nameTagCost, passes: 2 } }],
  ['release key', { releaseKey: null }],
  ['admitted operators', { admittedOperators: [bytesOf('sybil')] }]
]

describe('the id of a network', () => {
  const id = toHex(networkIdOf(crypto, genesis))

  it.each(changes)('changes with its %s', (_, change) => {
    expect(toHex(networkIdOf(crypto, { ...genesis, ...change }))).not.toBe(id)
  })

  it('does not depend on the order of its operators', () => {
    const [a, b] = [bytesOf('operator a'), bytesOf('operator b')]
    const either = [
      [a, b],
      [b, a]
    ].map(admittedOperators => networkIdOf(crypto, { ...genesis, admittedOperators }))
    expect(either[0]).toEqual(either[1])
  })

  it('tells a node that hands out a salt under which a name has its own tag from one of the network', async () => {
    const foreign = { ...genesis, nameSalt: bytesOf('another salt').slice(0, 16) }
    const networks = [genesis, foreign].map(each => networkIdOf(crypto, each))
    const name = parseUsername('bob')
    // Under the same network id this tag, claimed on chain, would be found as Bob by every honest node.
    expect(await nameTagOf(crypto, networks[1]!, foreign, name)).not.toEqual(
      await nameTagOf(crypto, networks[0]!, genesis, name)
    )
    expect(networks[1]).not.toEqual(networks[0])
  })
})
