import { afterEach, expect, test } from 'vitest'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const running: TestPeer[] = []

async function two(): Promise<{ network: FakeNetwork; ada: TestPeer; bob: TestPeer }> {
  const network = await FakeNetwork.create()
  const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
  running.push(ada, bob)
  await ada.register('ada')
  await bob.register('bob')
  return { network, ada, bob }
}

const nameAt = async (peer: TestPeer) => (await peer.engine.snapshot()).conversations[0]?.person.displayName

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

test('a changed name is kept, and reaches those who have the old one without another message', async () => {
  const { ada, bob } = await two()
  await ada.send(bob, 'hello')
  await eventually(async () => (await nameAt(bob)) === 'ada', 'the first name')
  expect(await ada.engine.account.changeProfile({ displayName: 'Ada Lovelace' })).toMatchObject({
    displayName: 'Ada Lovelace'
  })
  await eventually(async () => (await nameAt(bob)) === 'Ada Lovelace', 'the new name')
  expect(await bob.received(ada)).toHaveLength(1)
  await ada.restart()
  expect((await ada.engine.snapshot()).me).toMatchObject({ displayName: 'Ada Lovelace', username: 'ada' })
})

test('a name that is changed without a connection goes out with the next one', async () => {
  const { network, ada, bob } = await two()
  await ada.send(bob, 'hello')
  await eventually(async () => (await nameAt(bob)) === 'ada', 'the first name')
  network.down.add(0)
  network.hangUp(0)
  await ada.engine.account.changeProfile({ displayName: 'Ada L.' })
  await ada.crash()
  network.down.delete(0)
  await ada.engine.network.reconnect()
  await bob.engine.network.reconnect()
  await eventually(async () => (await nameAt(bob)) === 'Ada L.', 'the new name')
})

test('a name that the rule refuses changes nothing', async () => {
  const { ada } = await two()
  for (const displayName of ['', '@bob', 'a\u202eb', 'x'.repeat(200)]) {
    await expect(ada.engine.account.changeProfile({ displayName })).rejects.toMatchObject({ code: 'display-name' })
  }
  expect((await ada.engine.snapshot()).me!.displayName).toBe('ada')
})

test('a name claim that is stored meanwhile does not undo it', async () => {
  const { network, ada } = await two()
  network.ledger.mine()
  const changes = Array.from({ length: 8 }, (_, i) => ada.engine.account.changeProfile({ displayName: `Ada ${i}` }))
  network.ledger.mine(2, { empty: true })
  await Promise.all(changes)
  await ada.restart()
  expect((await ada.engine.snapshot()).me).toMatchObject({ displayName: 'Ada 7', username: 'ada' })
})
