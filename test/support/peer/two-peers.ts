import { FakeNetwork } from '../network/fake/fake-network.ts'
import { eventually } from '../wait-for.ts'
import { TestPeer } from './test-peer.ts'

/** Ada and Bob, strangers to each other. */
export interface TwoPeers {
  network: FakeNetwork
  ada: TestPeer
  bob: TestPeer
  stop(): Promise<void>
}

/** Two people at one node, or at one of several. They register in turn: the first delivery token there is Ada's, the second is Bob's. */
export async function twoPeers(nodes = 1): Promise<TwoPeers> {
  const network = await FakeNetwork.create(nodes)
  const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
  await ada.register('ada')
  await eventually(() => network.tokens.size === 1, 'Ada has handed in a token')
  await bob.register('bob')
  await eventually(() => network.tokens.size === 2, 'Bob has handed in a token')
  const stop = async (): Promise<void> => {
    await Promise.all([ada, bob].map(peer => peer.engine.stop()))
  }
  return { network, ada, bob, stop }
}
