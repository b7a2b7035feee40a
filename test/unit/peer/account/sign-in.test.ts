import { afterEach, describe, expect, test } from 'vitest'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'

const RETURN_TO = 'http://127.0.0.1:9/'
const running: TestPeer[] = []

async function newcomer(): Promise<{ network: FakeNetwork; peer: TestPeer }> {
  const network = await FakeNetwork.create()
  const peer = new TestPeer(network)
  running.push(peer)
  await peer.start()
  return { network, peer }
}

const stage = async (peer: TestPeer) => (await peer.engine.snapshot()).stage

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

describe('a sign-in code', () => {
  test('that no sign-in of this device asked for changes nothing, now and after a restart', async () => {
    const { peer } = await newcomer()
    await expect(peer.engine.account.finishSignIn('code')).rejects.toMatchObject({ code: 'sign-in-elsewhere' })
    expect(await stage(peer)).toBe('welcome')
    await peer.restart()
    expect(await stage(peer)).toBe('welcome')
    await peer.engine.account.startSignIn('demo', RETURN_TO)
    await peer.engine.account.finishSignIn('code')
    await peer.engine.account.register({ username: 'ada', displayName: 'Ada', deviceName: 'test' })
    expect(await stage(peer)).toBe('ready')
  })

  test('that the node does not know is not believed', async () => {
    const { peer } = await newcomer()
    await peer.engine.account.startSignIn('demo', RETURN_TO)
    await expect(peer.engine.account.finishSignIn('junk')).rejects.toMatchObject({ code: 'sign-in-failed' })
    expect(await stage(peer)).toBe('welcome')
  })

  test('cannot be believed while the node is not reached, and is good later', async () => {
    const { network, peer } = await newcomer()
    await peer.engine.account.startSignIn('demo', RETURN_TO)
    network.down.add(0)
    await expect(peer.engine.account.finishSignIn('code')).rejects.toMatchObject({ code: 'offline' })
    expect(await stage(peer)).toBe('welcome')
    network.down.delete(0)
    await peer.engine.account.finishSignIn('code')
    expect(await peer.engine.snapshot()).toMatchObject({ stage: 'choose-name', suggestedName: 'Ada L.' })
  })

  test('can be given up for another sign-in', async () => {
    const { peer } = await newcomer()
    await peer.engine.account.startSignIn('demo', RETURN_TO)
    await peer.engine.account.finishSignIn('code')
    await peer.engine.account.forgetSignIn()
    expect(await stage(peer)).toBe('welcome')
    await peer.restart()
    expect(await stage(peer)).toBe('welcome')
  })

  test('that was stored unreadably, or without keys, leads back to the beginning', async () => {
    const { peer } = await newcomer()
    await peer.engine.account.startSignIn('demo', RETURN_TO)
    for (const value of [new Uint8Array([1, 2, 3]), new Uint8Array()]) {
      await (await peer.openStore()).batch([{ space: 'sign-in', value }])
      await peer.restart()
      expect(await stage(peer)).toBe('welcome')
    }
  })
})
