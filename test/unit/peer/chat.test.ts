import { afterEach, describe, expect, test } from 'vitest'
import { FakeNetwork } from '../../support/peer/fake-network.ts'
import { TestPeer, until } from '../../support/peer/test-peer.ts'

const running: TestPeer[] = []

async function pair(nodes = 1): Promise<{ network: FakeNetwork; ada: TestPeer; bob: TestPeer }> {
  const network = await FakeNetwork.create(nodes)
  const ada = new TestPeer(network)
  const bob = new TestPeer(network)
  await ada.register('ada')
  await bob.register('bob')
  running.push(ada, bob)
  return { network, ada, bob }
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

describe('two peers', () => {
  test('a message arrives, and its ticks go from waiting to delivered', async () => {
    const { ada, bob } = await pair()
    const taken = await ada.send(bob, 'Hello Bob')
    expect(taken.state).toBe('waiting')
    await until('Bob has it', async () => (await bob.received(ada)).length === 1)
    expect(await bob.received(ada)).toEqual(['Hello Bob'])
    await until('delivered', async () => (await ada.messages(bob))[0]?.state === 'delivered')
  })

  test('both write, and each sees the other in order', async () => {
    const { ada, bob } = await pair()
    for (let i = 0; i < 10; i++) {
      await ada.send(bob, `a${i}`)
      await bob.send(ada, `b${i}`)
    }
    await until(
      'all arrived',
      async () => (await bob.received(ada)).length === 10 && (await ada.received(bob)).length === 10
    )
    expect(await bob.received(ada)).toEqual(Array.from({ length: 10 }, (_, i) => `a${i}`))
    expect(await ada.received(bob)).toEqual(Array.from({ length: 10 }, (_, i) => `b${i}`))
  })
})
