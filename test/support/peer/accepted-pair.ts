import { FakeNetwork } from '../network/fake/fake-network.ts'
import { eventually } from '../wait-for.ts'
import { TestPeer } from './test-peer.ts'

/** Two people who accepted each other; Bob has written, so that Ada's device has a way to his. In the machine's own time. */
export async function acceptedPair(): Promise<{ ada: TestPeer; bob: TestPeer; chat: string }> {
  const network = await FakeNetwork.create(1)
  const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
  // What goes from device to device is of worth for a minute of the peer's time.
  ada.speed = bob.speed = 1
  await ada.register('ada')
  await bob.register('bob')
  await ada.accept(bob)
  await bob.accept(ada)
  const { id: chat } = await ada.engine.conversations.open(bob.me.accountId)
  await says(bob, ada, 'hello')
  return { ada, bob, chat }
}

/** Writes, and waits until the other one has it. */
export async function says(from: TestPeer, to: TestPeer, text: string): Promise<void> {
  const { id } = await from.engine.conversations.open(to.me.accountId)
  await from.engine.messages.sendText(id, text)
  await eventually(async () => (await to.engine.messages.page(id)).some(each => each.text === text), text)
}
