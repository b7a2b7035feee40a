import { afterEach, expect, test } from 'vitest'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { jsonOn } from '../../../support/peer/run-peer.ts'
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

test('a description reaches those who have the profile and those who get it later; names stay as they are', async () => {
  const { network, ada, bob } = await two()
  await ada.send(bob, 'hello')
  await eventually(async () => (await nameAt(bob)) === 'ada', 'the first name')
  const me = await ada.engine.account.changeProfile({ about: '  Poetical science\n' })
  expect(me).toMatchObject({ displayName: 'ada', about: 'Poetical science' })
  const aboutAt = async (peer: TestPeer) => (await peer.engine.people.find(ada.me.accountId))!.about
  await eventually(async () => (await aboutAt(bob)) === 'Poetical science', 'Bob has it')
  await bob.restart()
  expect(await aboutAt(bob)).toBe('Poetical science')
  const carol = new TestPeer(network)
  running.push(carol)
  await carol.register('carol')
  await ada.send(carol, 'hello')
  await eventually(async () => (await aboutAt(carol)) === 'Poetical science', 'Carol has it')
  await ada.engine.account.changeProfile({ about: '' })
  await eventually(async () => (await aboutAt(bob)) === '', 'Bob hears that there is none')
})

test('one that is too long changes nothing, and says how long it may be', async () => {
  const { ada } = await two()
  const change = { displayName: 'Ada L.', about: 'x'.repeat(257) }
  const facts = { length: 257, limit: 256 }
  await expect(ada.engine.account.changeProfile(change)).rejects.toMatchObject({ code: 'about-too-long', facts })
  expect((await ada.engine.snapshot()).me).toMatchObject({ displayName: 'ada', about: '' })
})

test('own devices agree on name and description, and tell new people the same', async () => {
  const { network, ada, bob } = await two()
  const tablet = await linkedDevice(network, ada)
  running.push(tablet)
  const profileAt = async (peer: TestPeer) => {
    const { displayName, about } = (await peer.engine.snapshot()).me!
    return `${displayName}: ${about}`
  }
  await tablet.engine.account.changeProfile({ displayName: 'Ada L.', about: 'on all devices' })
  await eventually(async () => (await profileAt(ada)) === 'Ada L.: on all devices', 'the first device follows')
  await ada.engine.account.changeProfile({ about: 'and back' })
  await eventually(async () => (await profileAt(tablet)) === 'Ada L.: and back', 'the tablet follows')
  await ada.restart()
  expect(await profileAt(ada)).toBe('Ada L.: and back')
  await tablet.send(bob, 'hello')
  await eventually(async () => (await nameAt(bob)) === 'Ada L.', 'Bob has the name')
  expect((await bob.engine.people.find(ada.me.accountId))!.about).toBe('and back')
})

test('the command changes what it is told and leaves the rest; person prints it', async () => {
  const { ada, bob } = await two()
  await ada.send(bob, 'hello')
  await eventually(async () => (await nameAt(bob)) === 'ada', 'the first name')
  const set = await jsonOn(ada.engine, 'profile', 'set', '--about', 'Poetical science')
  expect(set).toMatchObject({ code: 0, lines: [{ displayName: 'ada', about: 'Poetical science' }] })
  const shown = async () => (await jsonOn(bob.engine, 'person', ada.me.accountId)).lines[0]
  await eventually(async () => JSON.stringify(await shown()).includes('Poetical'), 'Bob has it')
  expect(await shown()).toMatchObject({ profile: { displayName: 'ada', about: 'Poetical science' } })
})
