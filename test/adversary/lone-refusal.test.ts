import { afterEach, describe, expect, it } from 'vitest'
import { signInAddress } from '../../peer/account/registration.ts'
import { FakeNetwork } from '../support/network/fake/fake-network.ts'
import { TestPeer } from '../support/peer/test-peer.ts'
import { eventually } from '../support/wait-for.ts'

const running: TestPeer[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

async function people(nodes: number): Promise<{ network: FakeNetwork; ada: TestPeer; bob: TestPeer }> {
  const network = await FakeNetwork.create(nodes)
  const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
  await ada.register('ada')
  await bob.register('bob')
  running.push(ada, bob)
  return { network, ada, bob }
}

describe('a message that one node calls malformed', () => {
  it('is handed in at another operator’s', async () => {
    const { network, ada, bob } = await people(2)
    const { node } = (await ada.engine.snapshot()).status
    const liar = network.epoch.nodes.findIndex(({ url }) => url === node)
    network.tamper = (frame, from) =>
      frame.kind === 'submitted' && from === liar
        ? { kind: 'error', request: frame.request, code: 'malformed', message: 'malformed' }
        : frame
    await ada.send(bob, 'hello')
    await eventually(async () => ['sent', 'delivered'].includes((await ada.messages(bob))[0]!.state!), 'sent')
  })

  it('fails if all there are call it so', async () => {
    const { network, ada, bob } = await people(2)
    network.fate = () => 'drop'
    network.tamper = frame =>
      frame.kind === 'submitted'
        ? { kind: 'error', request: frame.request, code: 'malformed', message: 'malformed' }
        : frame
    await ada.send(bob, 'hello')
    await eventually(async () => (await ada.messages(bob))[0]!.state === 'failed', 'failed')
  })
})

describe('a stranger who was never answered', () => {
  it('gets no fresh key every week', async () => {
    const { network, ada, bob } = await people(1)
    await ada.send(bob, 'hello')
    await eventually(async () => (await ada.messages(bob))[0]!.state === 'delivered', 'delivered')
    await ada.engine.stop()
    await eventually(async () => (await bob.engine.snapshot()).status.waiting === 0, 'all told')
    const before = network.submissions
    bob.clockOffset += 8 * 24 * 3_600_000
    await bob.restart()
    await bob.engine.online(5_000)
    await new Promise(resolve => setTimeout(resolve, 500))
    expect(network.submissions).toBe(before)
  })
})

describe('where a node sends the sign-in', () => {
  const node = 'https://node.example'
  it.each([
    ['/v1/demo', node, 'https://node.example/v1/demo'],
    ['https://x.com/authorize', node, 'https://x.com/authorize'],
    ['http://127.0.0.1:9/', 'http://127.0.0.1:8787', 'http://127.0.0.1:9/']
  ])('%s is followed from %s', (url, origin, expected) => {
    expect(signInAddress(url, origin)).toBe(expected)
  })

  it.each(['javascript:alert(1)', 'http://other.example/', 'data:text/html,x', 'file:///etc/passwd', 'http://['])(
    '%s is not',
    url => expect(() => signInAddress(url, node)).toThrow(expect.objectContaining({ code: 'sign-in-unsafe' }))
  )
})
