import { afterEach, describe, expect, test } from 'vitest'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const running: TestPeer[] = []

async function registered(network: FakeNetwork, name: string): Promise<TestPeer> {
  const peer = new TestPeer(network)
  peer.speed = 20
  await peer.register(name)
  running.push(peer)
  return peer
}

/** Ada, and Bob whose name `bob_cli` is told. */
async function adaAndBob() {
  const network = await FakeNetwork.create(1)
  const [ada, bob] = [await registered(network, 'ada'), await registered(network, 'bob_cli')]
  network.ledger.mine()
  await eventually(
    () => [ada, bob].every(({ me }) => network.ledger.recordsOf(me.accountId).length === 1),
    'the names are told'
  )
  network.ledger.mine(3, { empty: true })
  network.ledger.mine()
  return { network, ada, bob }
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

describe('a look-alike of a username that is typed', () => {
  test('finds the contact and does not rename it', async () => {
    const { ada, bob } = await adaAndBob()
    expect(await ada.engine.people.find('@bob_cli')).toMatchObject({ username: 'bob_cli' })
    const found = await ada.engine.people.find('@b0b_cli')
    expect(found).toMatchObject({ accountId: bob.me.accountId, username: 'bob_cli' })
  })

  test('gives way to the spelling of the owner once it is known, and does not come back', async () => {
    const { ada, bob } = await adaAndBob()
    await ada.engine.people.find('@b0b_cli')
    await bob.send(ada, 'Hello')
    const username = async () => (await ada.engine.people.find(bob.me.accountId))?.username
    await eventually(async () => (await username()) === 'bob_cli', 'Bob is called as he spells it')
    await ada.engine.people.find('@b0b_c1i')
    expect(await username()).toBe('bob_cli')
  })
})

describe('a display name', () => {
  test.each(['@bob', 'You', 'Bob\u202Egnp.exe', '\u200b\u200b', 'Bob\nverified'])(
    '%j is refused',
    async displayName => {
      const network = await FakeNetwork.create(1)
      const peer = new TestPeer(network)
      running.push(peer)
      await peer.start()
      await peer.engine.account.startSignIn('demo', 'http://127.0.0.1:9/')
      await peer.engine.account.finishSignIn('code')
      await expect(
        peer.engine.account.register({ username: 'eve', displayName, deviceName: 'test' })
      ).rejects.toMatchObject({ code: 'display-name' })
      // Nothing is on the record: another name can be chosen with the same sign-in.
      const me = await peer.engine.account.register({ username: 'eve', displayName: ' Eve  L ', deviceName: 'test' })
      expect(me.displayName).toBe('Eve L')
    }
  )
})
