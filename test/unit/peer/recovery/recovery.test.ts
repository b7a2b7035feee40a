import { afterEach, describe, expect, test } from 'vitest'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { secondDevice } from '../../../support/peer/second-device.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const running: TestPeer[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

/** A registered peer whose name stands in a block. */
async function person(network: FakeNetwork, name: string): Promise<TestPeer> {
  const peer = new TestPeer(network)
  running.push(peer)
  await peer.register(name)
  network.ledger.mine(4)
  await eventually(async () => {
    network.ledger.mine()
    await peer.engine.account.refresh(5_000)
    return (await peer.engine.snapshot()).me!.nameState !== 'reserving'
  }, 'the name is on the record')
  return peer
}

async function makeCode(peer: TestPeer): Promise<string> {
  const { code } = await peer.engine.recovery.draft()
  await peer.engine.recovery.set(code)
  return code
}

async function freshDevice(network: FakeNetwork): Promise<TestPeer> {
  const peer = new TestPeer(network)
  running.push(peer)
  await peer.start()
  return peer
}

const use = (peer: TestPeer, code: string, username = 'ada') =>
  peer.engine.recovery.use({ username, code, deviceName: 'fresh' })

describe('a recovery code', () => {
  test('regains account and name, and ends every other device', async () => {
    const network = await FakeNetwork.create()
    const ada = await person(network, 'ada')
    const tablet = await secondDevice(network, ada)
    running.push(tablet)
    const bob = await person(network, 'bob')
    await ada.send(bob, 'from the old device')
    await eventually(async () => (await bob.received(ada)).length === 1, 'Bob has it')
    await bob.engine.people.verify(
      ada.me.accountId,
      (await bob.engine.people.safetyNumber(ada.me.accountId)).conversation
    )
    const code = await makeCode(ada)
    expect(await ada.engine.recovery.state()).toEqual({ isSet: true, waiting: null })
    network.ledger.mine()

    const fresh = await freshDevice(network)
    fresh.me = await use(fresh, code.toLowerCase().replaceAll('-', ' '))
    expect(fresh.me).toMatchObject({ accountId: ada.me.accountId, username: 'ada' })
    await fresh.engine.online(5_000)
    const devices = await fresh.engine.devices.list()
    expect(devices.filter(({ removed }) => removed === null).map(({ isThis }) => isThis)).toEqual([true])
    for (const old of [ada, tablet]) {
      await eventually(
        async () => (await old.engine.snapshot()).me!.deviceState !== 'live',
        'the old device says that it was ended'
      )
      const { status } = await old.engine.snapshot()
      expect(status.problem?.code).toBe('device-removed')
    }

    await bob.engine.people.refresh(ada.me.accountId)
    const shown = (await bob.engine.people.find(ada.me.accountId))!
    expect(shown.alert?.kind).toBe('recovered')
    expect(shown.verifiedAt).toBeNull()
    const lines = async () => (await bob.messages(ada)).filter(({ line }) => line?.kind === 'recovered').length
    await eventually(async () => (await lines()) === 1, 'a line says so in the chat')
    await bob.engine.people.acceptAlert(ada.me.accountId)
    expect((await bob.engine.people.find(ada.me.accountId))!.verifiedAt).toBeNull()
    await fresh.send(bob, 'from the new device')
    await eventually(async () => (await bob.received(ada)).includes('from the new device'), 'they talk again')
    await bob.send(fresh, 'welcome back')
    await eventually(async () => (await fresh.received(bob)).includes('welcome back'), 'both ways')
    expect(await ada.received(bob)).toEqual([])
    await bob.restart()
    await bob.engine.people.refresh(ada.me.accountId)
    expect(await lines()).toBe(1)
  })

  test('is used once, and a new one counts at once', async () => {
    const network = await FakeNetwork.create()
    const ada = await person(network, 'ada')
    const code = await makeCode(ada)
    const fresh = await freshDevice(network)
    await use(fresh, code)
    await expect(use(await freshDevice(network), code)).rejects.toMatchObject({
      code: 'no-recovery',
      facts: { reason: 'no-code' }
    })
    await fresh.engine.online(5_000)
    const next = await makeCode(fresh)
    await expect(use(await freshDevice(network), code)).rejects.toMatchObject({ facts: { reason: 'other-code' } })
    expect(await use(await freshDevice(network), next)).toMatchObject({ accountId: ada.me.accountId })
  })

  test('that replaces another one waits, and the one before it counts until then', async () => {
    const network = await FakeNetwork.create()
    const ada = await person(network, 'ada')
    const first = await makeCode(ada)
    const second = await makeCode(ada)
    expect(await ada.engine.recovery.state()).toMatchObject({ isSet: true, waiting: { isByThis: true } })
    await expect(use(await freshDevice(network), second)).rejects.toMatchObject({ facts: { reason: 'not-yet' } })
    expect(await use(await freshDevice(network), first)).toMatchObject({ accountId: ada.me.accountId })
  })

  test('of a younger device can be refused by an older one', async () => {
    const network = await FakeNetwork.create()
    const ada = await person(network, 'ada')
    const tablet = await secondDevice(network, ada)
    running.push(tablet)
    await tablet.engine.online(5_000)
    const code = await makeCode(tablet)
    expect(await ada.engine.recovery.state()).toMatchObject({ isSet: false, waiting: { isByThis: false } })
    expect(await ada.engine.recovery.refuse()).toEqual({ isSet: false, waiting: null })
    await expect(use(await freshDevice(network), code)).rejects.toMatchObject({ facts: { reason: 'no-code' } })
  })

  test('that is wrong, mistyped, or of nobody changes nothing', async () => {
    const network = await FakeNetwork.create()
    const ada = await person(network, 'ada')
    await makeCode(ada)
    const { code: other } = await ada.engine.recovery.draft()
    const fresh = await freshDevice(network)
    await expect(use(fresh, other)).rejects.toMatchObject({ code: 'no-recovery', facts: { reason: 'other-code' } })
    const mistyped = `${other.slice(0, -1)}${other.endsWith('7') ? '8' : '7'}`
    await expect(use(fresh, mistyped)).rejects.toMatchObject({ code: 'recovery-code', facts: { fault: 'mistyped' } })
    await expect(use(fresh, 'hello')).rejects.toMatchObject({ code: 'recovery-code', facts: { fault: 'malformed' } })
    await expect(use(fresh, other, 'nobody')).rejects.toMatchObject({ code: 'no-account' })
    expect((await fresh.engine.snapshot()).stage).toBe('welcome')
    expect((await ada.engine.snapshot()).me!.deviceState).toBe('live')
  })

  test('works though the node in use withholds the account', async () => {
    const network = await FakeNetwork.create(3)
    const ada = await person(network, 'ada')
    const code = await makeCode(ada)
    network.withholding.add(0)
    expect(await use(await freshDevice(network), code)).toMatchObject({ accountId: ada.me.accountId })
  })

  test('goes on where a process ended after the network had taken the record', async () => {
    const network = await FakeNetwork.create()
    const ada = await person(network, 'ada')
    const code = await makeCode(ada)
    const fresh = await freshDevice(network)
    fresh.store.beforeBatch = spaces => {
      if (spaces.includes('own-account')) throw new Error('the process ends here')
    }
    await expect(use(fresh, code)).rejects.toThrow()
    await fresh.crash()
    expect((await fresh.engine.snapshot()).stage).toBe('welcome')
    await use(fresh, code)
    await fresh.restart()
    expect((await fresh.engine.snapshot()).me).toMatchObject({ accountId: ada.me.accountId, deviceState: 'live' })
    await fresh.engine.online(5_000)
  })
})
