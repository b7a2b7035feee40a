import { afterEach, describe, expect, test } from 'vitest'
import { decodeRecord } from '../../../../protocol/identity/record.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const running: TestPeer[] = []

async function registered(network: FakeNetwork, name: string): Promise<TestPeer> {
  const peer = new TestPeer(network)
  // Polls of the record come faster, nothing else here depends on time.
  peer.speed = 100
  await peer.register(name)
  running.push(peer)
  return peer
}

const nameState = async (peer: TestPeer) => (await peer.engine.snapshot()).me!.nameState
const kinds = (network: FakeNetwork, peer: TestPeer) =>
  network.ledger.recordsOf(peer.me.accountId).map(record => decodeRecord(record).kind)

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

describe('a chosen name', () => {
  test('is told to nobody before its commitment stands in a block', async () => {
    const network = await FakeNetwork.create()
    const ada = await registered(network, 'ada')
    expect(kinds(network, ada)).toEqual(['create', 'nameCommit'])
    expect(await ada.engine.account.settleName(1_000)).toBe(false)
    expect(kinds(network, ada)).toEqual(['create', 'nameCommit'])
    network.ledger.mine()
    await eventually(() => kinds(network, ada).includes('nameReveal'), 'it is revealed')
    expect(await ada.engine.account.settleName(1_000)).toBe(true)
    expect(await nameState(ada)).toBe('reserving')
  })

  test('goes from reserving to reserved to recorded as blocks come', async () => {
    const network = await FakeNetwork.create()
    const ada = await registered(network, 'ada')
    network.ledger.mine()
    await eventually(() => kinds(network, ada).includes('nameReveal'), 'it is revealed')
    network.ledger.mine(2, { empty: true })
    network.ledger.mine()
    await eventually(async () => (await nameState(ada)) === 'reserved', 'reserved')
    const record = (await ada.engine.snapshot()).me!.record
    expect(record).toMatchObject({ state: 'recorded', trust: 'L1' })
    network.ledger.mine(112, { empty: true })
    await eventually(async () => (await nameState(ada)) === 'recorded', 'recorded')
  })

  test('gives way to another one only once it is taken by somebody else', async () => {
    const network = await FakeNetwork.create()
    const ada = await registered(network, 'ada')
    await expect(ada.engine.account.claimName('ada_two')).rejects.toMatchObject({ code: 'name-chosen' })
    network.ledger.mine()
    await eventually(() => kinds(network, ada).includes('nameReveal'), 'it is revealed')
    const eve = await registered(network, 'eve')
    network.ledger.giveName('ada', eve.me.accountId)
    network.ledger.mine(2, { empty: true })
    network.ledger.mine()
    await eventually(async () => (await nameState(ada)) === 'taken', 'taken')
    // Eve's own name may be told in the next block, too.
    network.ledger.mine(3, { empty: true })
    await expect(ada.engine.account.claimName('no name')).rejects.toMatchObject({ code: 'invalid-name' })
    await expect(ada.engine.account.claimName('ada')).rejects.toMatchObject({ code: 'name-taken' })
    expect(await ada.engine.account.claimName('ada_two')).toMatchObject({ username: 'ada_two', nameState: 'reserving' })
    await eventually(() => kinds(network, ada).includes('nameCommit'), 'committed to')
    await ada.restart()
    network.ledger.mine()
    await eventually(() => kinds(network, ada).includes('nameReveal'), 'revealed')
    network.ledger.mine(2, { empty: true })
    network.ledger.mine()
    await eventually(async () => (await nameState(ada)) === 'reserved', 'reserved')
    expect((await ada.engine.snapshot()).me).toMatchObject({ username: 'ada_two' })
  })

  test('is finished by the next process if the first one ends too early', async () => {
    const network = await FakeNetwork.create()
    const ada = await registered(network, 'ada')
    await ada.engine.stop()
    network.ledger.mine()
    await ada.start()
    await eventually(() => kinds(network, ada).includes('nameReveal'), 'it is revealed')
  })

  test('is committed to anew when the commitment lapsed', async () => {
    const network = await FakeNetwork.create()
    network.ledger.blockAgeMs = 600_000
    const ada = await registered(network, 'ada')
    await ada.engine.stop()
    network.ledger.mine()
    network.ledger.mine(112, { empty: true })
    await ada.start()
    await eventually(() => kinds(network, ada).includes('nameCommit'), 'there is a new commitment')
    expect(kinds(network, ada)).not.toContain('nameReveal')
    network.ledger.mine()
    await eventually(() => kinds(network, ada).includes('nameReveal'), 'the new one is revealed')
  })

  test('is believed of others once their records claim it', async () => {
    const network = await FakeNetwork.create()
    const [ada, bob] = [await registered(network, 'ada'), await registered(network, 'bob')]
    await ada.send(bob, 'hello')
    await eventually(async () => (await bob.received(ada)).length === 1, 'it is there')
    const [unheard] = await bob.engine.unheard.first(1)
    expect(unheard!.person).toMatchObject({ username: null, displayName: 'ada' })
    expect(await bob.engine.people.find('@ada')).toBeNull()
    network.ledger.mine()
    await eventually(() => kinds(network, ada).includes('nameReveal'), 'it is revealed')
    await eventually(
      async () => (await bob.engine.people.find('@ada'))?.accountId === ada.me.accountId,
      'Bob finds her'
    )
    expect((await bob.engine.snapshot()).conversations[0]!.person.username).toBe('ada')
  })
})
