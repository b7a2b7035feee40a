import { beforeEach, describe, expect, it } from 'vitest'
import type { Block } from '../../../../chain/source/chain-source.ts'
import type { ChainStore } from '../../../../chain/chain-store.ts'
import { ChainEpochs } from '../../../../node/network/chain-epochs.ts'
import { equalBytes, toHex } from '../../../../protocol/bytes.ts'
import { buildNode } from '../../../../protocol/identity/build-record.ts'
import { configuredEpoch, configuredSeed, type Epoch, type OperatorId } from '../../../../protocol/wire/placement.ts'
import { castDevice, castKey, crypto, genesis, network } from '../../../support/directory/cast.ts'
import { blockHashOf } from '../../../support/directory/published.ts'
import { TestAccount, TestChain } from '../../../support/directory/test-chain.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

const OPERATORS = ['op-a', 'op-b']

let chain: TestChain
let accounts: TestAccount[]
let configured: Epoch
let stored: Map<string, string>
let inForce: Epoch[][]

const addresses = (name: string): string[] => [`https://${name}.example`, `/dns4/${name}.example/tcp/4001`]

async function announce(
  index: number,
  where = addresses(OPERATORS[index]!),
  key = `node ${OPERATORS[index]!}`
): Promise<void> {
  const name = OPERATORS[index]!
  const signer = await accounts[index]!.as(`${name}1`)
  await chain.accept(await buildNode(network, signer, await castKey(key), where))
}

function open(): Promise<ChainEpochs> {
  const store = {
    get: async (key: string) => stored.get(key),
    put: async (key: string, value: string) => void stored.set(key, value)
  } as unknown as ChainStore
  const placement = { epochBlocks: 10, finalBlocks: 5, firstList: configured.seed }
  return ChainEpochs.open({ logger: silentLogger, store }, { network, genesis, placement, configured })
}

const block = (height: number): Block => ({ hash: toHex(blockHashOf(height)), height }) as Block

/** Brings into force what the node has come to; the source answers for these heights only. */
function settle(epochs: ChainEpochs, knows: (height: number) => boolean = () => true): Promise<void> {
  return epochs.settle({
    blockAt: async height => (knows(height) ? block(height) : undefined),
    setEpochs: lists => inForce.push(lists)
  })
}
const numbers = (lists: Epoch[]): number[] => lists.map(({ number }) => number)

beforeEach(async () => {
  const keys = await Promise.all(OPERATORS.map(async name => (await castDevice(`${name}1`)).keys.signingKey))
  chain = new TestChain({ ...genesis, admittedOperators: keys })
  accounts = []
  for (const name of OPERATORS) accounts.push(await TestAccount.create(chain, name))
  const nodes = keys.map((key, index) => ({
    key: key as Epoch['nodes'][0]['key'],
    operator: key as Uint8Array as OperatorId,
    url: `https://${OPERATORS[index]!}.example`,
    link: ''
  }))
  configured = configuredEpoch(0, configuredSeed(crypto, nodes), nodes)
  stored = new Map()
  inForce = []
})

describe('lists of nodes from the chain', () => {
  it('are seeded by the block at their boundary, and hold beside the one before until the next', async () => {
    const epochs = await open()
    for (const index of [0, 1]) await announce(index)
    epochs.reach(chain.directory, 9)
    await settle(epochs)
    expect(inForce).toEqual([])
    epochs.reach(chain.directory, 12)
    await settle(epochs)
    epochs.reach(chain.directory, 21)
    await settle(epochs)
    await settle(epochs)
    expect(inForce.map(numbers)).toEqual([[0, 1], [1]])
    expect(inForce[1]![0]!.seed).toEqual(blockHashOf(10))
  })

  it('keep the seed with which each node came', async () => {
    const epochs = await open()
    for (const index of [0, 1]) await announce(index)
    epochs.reach(chain.directory, 12)
    await settle(epochs)
    const [first] = inForce[0]!.at(-1)!.nodeSeeds
    expect(inForce[0]!.at(-1)!.nodeSeeds).toEqual([blockHashOf(10), blockHashOf(10)])
    // One node moves to another address, and one more comes.
    await announce(1, addresses('elsewhere'))
    await announce(0, addresses('second'), 'second node')
    epochs.reach(chain.directory, 20)
    // The block of the list before is known.
    await settle(epochs, height => height === 20)
    const { nodes, nodeSeeds } = inForce.at(-1)!.at(-1)!
    expect(nodes).toHaveLength(3)
    expect(nodeSeeds.filter(seed => equalBytes(seed, first!))).toHaveLength(2)
    expect(nodeSeeds.filter(seed => equalBytes(seed, blockHashOf(20)))).toHaveLength(1)
  })

  it('that are older do not come into force after newer ones, though their seed is told later', async () => {
    const epochs = await open()
    for (const index of [0, 1]) await announce(index)
    epochs.reach(chain.directory, 12)
    const slow = Promise.withResolvers<void>()
    const older = epochs.settle({
      blockAt: async height => (await slow.promise, block(height)),
      setEpochs: lists => inForce.push(lists)
    })
    epochs.reach(chain.directory, 21)
    const newer = settle(epochs)
    slow.resolve()
    await Promise.all([older, newer])
    expect(numbers(inForce.at(-1)!)).toEqual([1])
    expect(numbers(epochs.inForce)).toEqual([1])
  })

  it('wait for a block that the source does not tell, and say so', async () => {
    const epochs = await open()
    for (const index of [0, 1]) await announce(index)
    epochs.reach(chain.directory, 10)
    await settle(epochs, () => false)
    expect(inForce).toEqual([])
    expect(epochs.warnings()).toMatchObject([{ code: 'list-delayed' }])
    await settle(epochs)
    expect(inForce.map(numbers)).toEqual([[0, 1]])
    expect(epochs.warnings()).toEqual([])
  })

  it('say when a list has too few operators and the one in force stays', async () => {
    const epochs = await open()
    await announce(0)
    epochs.reach(chain.directory, 10)
    await settle(epochs)
    expect(inForce).toEqual([])
    expect(epochs.warnings()).toMatchObject([{ code: 'list-held-back' }])
    expect(epochs.metrics().find(({ name }) => name === 'volo_placement_held_back')!.value).toBe(1)
  })

  it('go on after a restart, without the chain, and never go back to an older list', async () => {
    const first = await open()
    for (const index of [0, 1]) await announce(index)
    first.reach(chain.directory, 20)
    await settle(first)
    expect(inForce.map(numbers)).toEqual([[1]])
    const second = await open()
    expect(numbers(second.inForce)).toEqual([1])
    expect(second.inForce).toEqual(first.inForce)
    // A source that is behind: less of the chain is final there than was before.
    second.reach(chain.directory, 9)
    await settle(second)
    second.reach(chain.directory, 25)
    await settle(second, () => false)
    expect(inForce.map(numbers)).toEqual([[1]])
    expect(second.warnings()).toEqual([])
  })
})
