import { describe, expect, it } from 'vitest'
import {
  buildCreate,
  buildNode,
  buildRelease,
  buildVouch,
  signRecord
} from '../../../../protocol/identity/build-record.ts'
import type { RecordOf } from '../../../../protocol/identity/record.ts'
import { utf8 } from '../../../../protocol/bytes.ts'
import {
  bytesOf,
  castDevice,
  castKey,
  CHAIN_START,
  genesis,
  network,
  releaseKey
} from '../../../support/directory/cast.ts'
import { idOf, TestAccount, TestChain } from '../../../support/directory/test-chain.ts'

/** A chain whose genesis admits the operators `op-a` and `op-b`. */
async function admittingChain(): Promise<{ chain: TestChain; a: TestAccount; b: TestAccount; c: TestAccount }> {
  const admittedOperators = await Promise.all(
    ['op-a1', 'op-b1'].map(async name => (await castDevice(name)).keys.signingKey)
  )
  const chain = new TestChain({ ...genesis, admittedOperators })
  const [a, b] = [await TestAccount.create(chain, 'op-a'), await TestAccount.create(chain, 'op-b')]
  return { chain, a, b, c: await TestAccount.create(chain, 'op-c') }
}

async function nodeRecord(
  account: TestAccount,
  by: string,
  node: string,
  addresses: string[]
): Promise<RecordOf<'node'>> {
  return buildNode(network, await account.as(by), await castKey(node), addresses)
}

describe('a node', () => {
  it('is listed with its addresses once its operator and its own key have signed', async () => {
    const { chain, a } = await admittingChain()
    const long = `wss://${'n'.repeat(120)}.example/`
    await chain.accept(await nodeRecord(a, 'op-a1', 'node', ['wss://node.example/', long]))
    const nodeKey = (await castKey('node')).publicKey
    expect(chain.directory.node(nodeKey)).toMatchObject({
      operator: a.accountId,
      addresses: ['wss://node.example/', long]
    })
    expect(chain.directory.nodes()).toHaveLength(1)
  })

  it('is not listed without the signature of its key', async () => {
    const { chain, a } = await admittingChain()
    const record = await nodeRecord(a, 'op-a1', 'node', ['wss://node.example/'])
    const forged = await signRecord(network, record, 'nodeSignature', await castKey('thief'))
    expect(await chain.refuse(forged)).toBe('BAD_SIGNATURE')
    expect(chain.directory.nodes()).toHaveLength(0)
  })

  it('has printable addresses', async () => {
    const { chain, a } = await admittingChain()
    const record = await nodeRecord(a, 'op-a1', 'node', ['wss://node.example/'])
    const odd = { ...record, addresses: [[utf8('wss://nöde.example/')]] }
    expect(await chain.refuse(odd)).toBe('BAD_ADDRESS')
  })

  it('changes its addresses, moves to another operator, and is withdrawn by none but that one', async () => {
    const { chain, a, b } = await admittingChain()
    const nodeKey = (await castKey('node')).publicKey
    await chain.accept(await nodeRecord(a, 'op-a1', 'node', ['wss://one.example/']))
    await chain.accept(await nodeRecord(a, 'op-a1', 'node', ['wss://two.example/']))
    expect(chain.directory.node(nodeKey)!.addresses).toEqual(['wss://two.example/'])
    await chain.accept(await nodeRecord(b, 'op-b1', 'node', ['wss://three.example/']))
    expect(chain.directory.node(nodeKey)!.operator).toEqual(b.accountId)
    await chain.accept(await nodeRecord(a, 'op-a1', 'node', []))
    expect(chain.directory.node(nodeKey)!.operator).toEqual(b.accountId)
    await chain.accept(await nodeRecord(b, 'op-b1', 'node', []))
    expect(chain.directory.node(nodeKey)).toBeUndefined()
  })
})

describe('an operator', () => {
  it('of genesis is the first account whose first device has the key that genesis names, and no later one', async () => {
    const key = await castKey('op-a1')
    const chain = new TestChain({ ...genesis, admittedOperators: [key.publicKey] })
    const hash = bytesOf('messaging key')
    const create = (time: number) => buildCreate(network, key, { messagingKeyHash: hash, recoveryKey: null, time })
    const first = idOf(await create(CHAIN_START))
    expect(chain.directory.isAdmitted(first)).toBe(false)
    const verdict = await chain.put(await create(CHAIN_START))
    expect(verdict).toMatchObject({ effects: [{}, {}, { kind: 'operatorAdmitted', operator: first }] })
    const second = await create(CHAIN_START + 1)
    await chain.accept(second)
    expect(chain.directory.isAdmitted(first)).toBe(true)
    expect(chain.directory.isAdmitted(idOf(second))).toBe(false)
    const [one, two] = [first, idOf(second)].map(id => chain.directory.account(id)!)
    expect(chain.directory.operatorIdOf(one!)).toEqual(key.publicKey)
    expect(chain.directory.operatorIdOf(two!)).toEqual(idOf(second))
  })

  it('is admitted by two admitted operators, not by one twice', async () => {
    const { chain, a, b, c } = await admittingChain()
    await chain.accept(await buildVouch(network, await a.as('op-a1'), c.accountId))
    await chain.accept(await buildVouch(network, await a.as('op-a1'), c.accountId))
    expect(chain.directory.isAdmitted(c.accountId)).toBe(false)
    const verdict = await chain.put(await buildVouch(network, await b.as('op-b1'), c.accountId))
    expect(verdict).toMatchObject({ kind: 'accepted', effects: [{ kind: 'operatorAdmitted' }] })
    expect(chain.directory.isAdmitted(c.accountId)).toBe(true)
    expect(chain.directory.admittedOperators()).toHaveLength(3)
  })

  it('is not admitted by vouchers that are not admitted when they vouch', async () => {
    const { chain, a, b, c } = await admittingChain()
    const d = await TestAccount.create(chain, 'op-d')
    await chain.accept(await buildVouch(network, await c.as('op-c1'), d.accountId))
    await chain.accept(await buildVouch(network, await a.as('op-a1'), c.accountId))
    await chain.accept(await buildVouch(network, await b.as('op-b1'), c.accountId))
    await chain.accept(await buildVouch(network, await a.as('op-a1'), d.accountId))
    expect(chain.directory.isAdmitted(d.accountId)).toBe(false)
    await chain.accept(await buildVouch(network, await c.as('op-c1'), d.accountId))
    expect(chain.directory.isAdmitted(d.accountId)).toBe(true)
  })
})

describe('a release', () => {
  const release = { version: utf8('1.0.0'), manifestHash: bytesOf('manifest'), time: CHAIN_START }

  it('is listed when the release key of genesis signed it', async () => {
    const chain = new TestChain()
    await chain.accept(await buildRelease(network, releaseKey, release))
    chain.mine()
    await chain.accept(await buildRelease(network, releaseKey, { ...release, version: utf8('1.1.0') }))
    expect(chain.directory.releases().map(({ version }) => Buffer.from(version).toString())).toEqual(['1.0.0', '1.1.0'])
    expect(await chain.refuse(await buildRelease(network, releaseKey, release))).toBe('DUPLICATE')
  })

  it('is refused under any other key, and where the network has none', async () => {
    const record = await buildRelease(network, await castKey('thief'), release)
    expect(await new TestChain().refuse(record)).toBe('BAD_SIGNATURE')
    const genuine = await buildRelease(network, releaseKey, release)
    expect(await new TestChain({ ...genesis, releaseKey: null }).refuse(genuine)).toBe('NO_RELEASE_KEY')
  })

  it('is no record that an account can follow', async () => {
    const chain = new TestChain()
    const ada = await TestAccount.create(chain, 'ada')
    const id = await chain.accept(await buildRelease(network, releaseKey, release))
    expect(await chain.refuse(await ada.revokeRecord('ada1', 'ada1', id))).toBe('UNKNOWN_PREV')
  })
})
