import { beforeEach, describe, expect, it } from 'vitest'
import { EpochSchedule } from '../../../../protocol/directory/epoch-schedule.ts'
import { nodeListOf } from '../../../../protocol/directory/node-list.ts'
import {
  checkNodeList,
  decodeNodeListProof,
  encodeNodeListProof,
  nodeListRecords,
  type NodeListProof
} from '../../../../protocol/directory/proofs/node-list-proof.ts'
import { buildNode, buildVouch } from '../../../../protocol/identity/build-record.ts'
import type { DirectoryRecord } from '../../../../protocol/identity/record.ts'
import { MAX_NODES_PER_OPERATOR } from '../../../../protocol/limits.ts'
import { networkIdOf } from '../../../../protocol/network.ts'
import {
  configuredEpoch,
  configuredSeed,
  type Epoch,
  type ListedNode,
  type OperatorId
} from '../../../../protocol/wire/placement.ts'
import { castDevice, castKey, crypto, genesis, network } from '../../../support/directory/cast.ts'
import { blockHashOf, publish } from '../../../support/directory/published.ts'
import { TestAccount, TestChain } from '../../../support/directory/test-chain.ts'

const FOUNDERS = ['op-a', 'op-b', 'op-c']
const EPOCH_BLOCKS = 10
const REPLICAS = 3

let chain: TestChain
let accounts: Map<string, TestAccount>
let configured: ListedNode[]

const addresses = (name: string): string[] => [`https://${name}.example`, `/dns4/${name}.example/tcp/4001`]
const keyOf = async (name: string): Promise<Uint8Array> => (await castDevice(`${name}1`)).keys.signingKey

async function announce(name: string, node = `node ${name}`, where = addresses(name)): Promise<void> {
  const account = accounts.get(name)!
  await chain.accept(await buildNode(network, await account.as(`${name}1`), await castKey(node), where))
}

async function vouch(by: string, name: string): Promise<void> {
  const { accountId } = accounts.get(name)!
  await chain.accept(await buildVouch(network, await accounts.get(by)!.as(`${by}1`), accountId))
}

/** Operators in a list, by name. */
async function namesIn(nodes: readonly ListedNode[]): Promise<string[]> {
  const names: string[] = []
  for (const name of [...accounts.keys()]) {
    const key = (await castKey(`node ${name}`)).publicKey
    if (nodes.some(node => Buffer.compare(node.key, key) === 0)) names.push(name)
  }
  return names
}

beforeEach(async () => {
  const admittedOperators = await Promise.all(FOUNDERS.map(keyOf))
  chain = new TestChain({ ...genesis, admittedOperators })
  accounts = new Map()
  chain.mine()
  for (const name of [...FOUNDERS, 'op-d']) accounts.set(name, await TestAccount.create(chain, name))
  configured = await Promise.all(
    FOUNDERS.map(async name => ({
      key: (await castKey(`node ${name}`)).publicKey as ListedNode['key'],
      operator: (await keyOf(name)) as OperatorId,
      url: `https://${name}.example`,
      link: `/dns4/${name}.example/tcp/4001`
    }))
  )
})

describe('the list of nodes', () => {
  it('names announced nodes of admitted operators, by their key in genesis or by their account', async () => {
    await announce('op-a')
    await announce('op-d')
    expect(await namesIn(nodeListOf(chain.directory))).toEqual(['op-a'])
    await vouch('op-a', 'op-d')
    expect(await namesIn(nodeListOf(chain.directory))).toEqual(['op-a'])
    await vouch('op-b', 'op-d')
    const list = nodeListOf(chain.directory)
    expect(await namesIn(list)).toEqual(['op-a', 'op-d'])
    const operators = list.map(({ operator }) => Buffer.from(operator).toString('hex'))
    expect(operators).toContain(Buffer.from(await keyOf('op-a')).toString('hex'))
    expect(operators).toContain(Buffer.from(accounts.get('op-d')!.accountId).toString('hex'))
  })

  it('leaves out nodes that nobody could reach, and what is too much of one operator', async () => {
    await announce('op-a', 'no link', ['https://a.example'])
    await announce('op-a', 'no origin', ['/ip4/192.0.2.1/tcp/4001'])
    await announce('op-a', 'no number', ['http://1.2.3', '/ip4/192.0.2.1/tcp/4001'])
    await announce('op-a', 'default port', ['https://a.example:443', '/ip4/192.0.2.1/tcp/4001'])
    expect(nodeListOf(chain.directory)).toEqual([])
    for (let i = 0; i <= MAX_NODES_PER_OPERATOR; i++) await announce('op-a', `node ${i}`)
    await announce('op-b')
    const list = nodeListOf(chain.directory)
    expect(list).toHaveLength(MAX_NODES_PER_OPERATOR + 1)
    const last = (await castKey(`node ${MAX_NODES_PER_OPERATOR}`)).publicKey
    expect(list.some(({ key }) => Buffer.compare(key, last) === 0)).toBe(false)
  })

  it('loses a node that its operator withdraws', async () => {
    await announce('op-a')
    await announce('op-a', 'node op-a', [])
    expect(nodeListOf(chain.directory)).toEqual([])
  })
})

describe('the schedule of epochs', () => {
  const numbers = (schedule: EpochSchedule): number[] => schedule.inForce().map(({ number }) => number)

  it('begins an epoch at the first boundary after a change, beside the one before until the next boundary', async () => {
    const schedule = new EpochSchedule({ epochBlocks: EPOCH_BLOCKS }, REPLICAS, configured)
    schedule.reach(chain.directory, 29)
    expect(numbers(schedule)).toEqual([0])
    for (const name of [...FOUNDERS, 'op-d']) await announce(name)
    await vouch('op-a', 'op-d')
    await vouch('op-b', 'op-d')
    expect(numbers(schedule)).toEqual([0])
    schedule.reach(chain.directory, 30)
    expect(numbers(schedule)).toEqual([0, 3])
    expect(schedule.inForce()[1]!.height).toBe(30)
    expect(await namesIn(schedule.inForce()[1]!.nodes)).toEqual([...FOUNDERS, 'op-d'])
    schedule.reach(chain.directory, 39)
    expect(numbers(schedule)).toEqual([0, 3])
    schedule.reach(chain.directory, 40)
    expect(numbers(schedule)).toEqual([3])
  })

  it('is the same for who passes boundaries one by one and for who catches up over many', async () => {
    const [slow, quick] = [1, 2].map(() => new EpochSchedule({ epochBlocks: EPOCH_BLOCKS }, REPLICAS, configured))
    for (const name of FOUNDERS) await announce(name)
    for (let height = 1; height <= 75; height++) slow!.reach(chain.directory, height)
    quick!.reach(chain.directory, 75)
    expect(slow!.inForce()).toEqual(quick!.inForce())
    expect(numbers(slow!)).toEqual([1])
  })

  it('never goes back', async () => {
    const schedule = new EpochSchedule({ epochBlocks: EPOCH_BLOCKS }, REPLICAS, configured)
    for (const name of FOUNDERS) await announce(name)
    schedule.reach(chain.directory, 25)
    await announce('op-a', 'node op-a', [])
    schedule.reach(chain.directory, 19)
    expect(numbers(schedule)).toEqual([1])
    expect(schedule.heldBack).toBeUndefined()
  })

  it('keeps its list, and says so, while the next one has too few operators', async () => {
    const schedule = new EpochSchedule({ epochBlocks: EPOCH_BLOCKS }, REPLICAS, configured)
    await announce('op-a')
    await announce('op-b')
    schedule.reach(chain.directory, 10)
    expect(numbers(schedule)).toEqual([0])
    expect(schedule.heldBack).toEqual({ operators: 2, required: 3 })
    await announce('op-c')
    schedule.reach(chain.directory, 20)
    expect(schedule.heldBack).toBeUndefined()
    expect(numbers(schedule)).toEqual([0, 2])
  })

  it('lets two operators replace one of them by a third', async () => {
    const schedule = new EpochSchedule({ epochBlocks: EPOCH_BLOCKS }, REPLICAS, configured.slice(0, 2))
    await announce('op-a')
    await announce('op-c')
    schedule.reach(chain.directory, 10)
    expect(await namesIn(schedule.inForce().at(-1)!.nodes)).toEqual(['op-a', 'op-c'])
  })
})

describe('the proof of a list', () => {
  const NUMBER = 2
  const HEIGHT = NUMBER * EPOCH_BLOCKS
  let admitting: typeof genesis & { placement: NonNullable<typeof genesis.placement> }
  let epoch: Epoch
  let proof: NodeListProof

  /** The recorded entries as transactions of their own; the test network's id stands in for the genesis'. */
  const check = (told: Epoch, shown: NodeListProof | undefined): Promise<void> =>
    checkNodeList(crypto, network, admitting, told, shown)

  beforeEach(async () => {
    for (const name of [...FOUNDERS, 'op-d']) await announce(name)
    chain.mine(14)
    await vouch('op-a', 'op-d')
    await vouch('op-b', 'op-d')
    const firstList = configuredSeed(crypto, configured)
    const placement = { epochBlocks: EPOCH_BLOCKS, finalBlocks: 5, firstList }
    admitting = { ...genesis, admittedOperators: await Promise.all(FOUNDERS.map(keyOf)), placement }
    epoch = configuredEpoch(NUMBER, blockHashOf(HEIGHT), nodeListOf(chain.directory))
    proof = {
      version: 1,
      transactions: nodeListRecords(chain.directory, epoch.nodes, HEIGHT).map(({ blockHeight, txIndex }) => {
        const entry = chain.entries.find(
          ({ order }) => order?.txIndex === txIndex && order.blockHeight === blockHeight
        )!
        return publish([entry.bytes], blockHeight, txIndex)
      })
    }
  })

  it('holds for the list that the records make', async () => {
    await check(epoch, decodeNodeListProof(encodeNodeListProof(proof)))
  })

  it('does not hold for a list with another key, operator, address, or one node more', async () => {
    const [first, ...rest] = epoch.nodes
    const thief = (await castKey('thief')).publicKey
    const lies: ListedNode[][] = [
      [{ ...first!, key: thief as ListedNode['key'] }, ...rest],
      [{ ...first!, operator: thief as Uint8Array as OperatorId }, ...rest],
      [{ ...first!, url: 'https://thief.example' }, ...rest],
      [{ ...first!, link: '/ip4/192.0.2.9/tcp/1' }, ...rest],
      [...epoch.nodes, { ...first!, key: thief as ListedNode['key'] }],
      [first!, ...epoch.nodes]
    ]
    for (const nodes of lies) await expect(check({ ...epoch, nodes }, proof)).rejects.toMatchObject({ code: 'INVALID' })
  })

  it('holds still when a listed node was withdrawn, or went to somebody unknown, after the boundary', async () => {
    chain.mine(HEIGHT)
    await announce('op-a', 'node op-a', [])
    await announce('op-d', 'node op-d', [])
    const places = nodeListRecords(chain.directory, epoch.nodes, HEIGHT)
    expect(places).toHaveLength(proof.transactions.length)
  })

  it('does not hold without one of the vouchers', async () => {
    const { transactions } = proof
    for (const index of [transactions.length - 1, transactions.length - 2]) {
      const shortened = { ...proof, transactions: transactions.filter((_, i) => i !== index) }
      await expect(check(epoch, shortened)).rejects.toMatchObject({ code: 'INVALID' })
    }
  })

  it('does not hold with what stands above the boundary, or with a forged entry', async () => {
    const earlier = { ...epoch, number: NUMBER - 1, seed: blockHashOf(EPOCH_BLOCKS) }
    await expect(check(earlier, proof)).rejects.toMatchObject({ code: 'INVALID' })
    const thief = await castDevice('op-a2')
    const forged: DirectoryRecord = await buildNode(
      network,
      { ...(await accounts.get('op-a')!.as('op-a1')), key: thief.key },
      await castKey('thief'),
      addresses('thief')
    )
    const transactions = [...proof.transactions, publish([forged], HEIGHT - 1)]
    await expect(check(epoch, { ...proof, transactions })).rejects.toMatchObject({ code: 'INVALID' })
    await expect(check(epoch, undefined)).rejects.toMatchObject({ code: 'INVALID' })
  })

  it('is not needed for the first list, which genesis names', async () => {
    const seed = admitting.placement.firstList
    await check(configuredEpoch(0, seed, configured), undefined)
    const forged = configured.map(node => ({ ...node, key: new Uint8Array(32) as ListedNode['key'] }))
    await expect(check(configuredEpoch(0, seed, forged), undefined)).rejects.toMatchObject({ code: 'INVALID' })
    const own = configuredEpoch(0, configuredSeed(crypto, forged), forged)
    await expect(check(own, undefined)).rejects.toMatchObject({ code: 'INVALID' })
  })

  it('cannot be escaped: whether lists follow the chain is part of the id of the network', () => {
    const { placement, ...without } = admitting
    const ids = [without, admitting, { ...admitting, placement: { ...placement, finalBlocks: 4 } }].map(value =>
      Buffer.from(networkIdOf(crypto, value)).toString('hex')
    )
    expect(new Set(ids).size).toBe(3)
  })
})
