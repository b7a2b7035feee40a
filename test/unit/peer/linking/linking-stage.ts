/** Two devices of one person and a fake network, for tests of linking. */
import { fromHex } from '../../../../protocol/bytes.ts'
import type { AccountId } from '../../../../protocol/identity/device.ts'
import { isLive } from '../../../../protocol/directory/account.ts'
import type { LinkingState } from '../../../../peer/peer-api.ts'
import { FastTimers } from '../../../support/clock/fast-timers.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

/** Peers that run. */
export const peers: TestPeer[] = []
/** The network of the last {@link devices}. */
export let network: FakeNetwork

/** Of all peers and of the network: on a busy machine, clocks of their own run apart until a node refuses what is signed. */
let clock: FastTimers

/** A peer of the network, not started yet. */
export async function peerOf(): Promise<TestPeer> {
  const peer = new TestPeer(network)
  peer.clock = clock
  peers.push(peer)
  return peer
}

/** An old device with an account, and a new one without. @param speed - how much faster than the test's their time passes. */
export async function devices(speed = 10): Promise<{ old: TestPeer; added: TestPeer }> {
  network = await FakeNetwork.create(1)
  clock = new FastTimers(speed)
  network.now = () => clock.now()
  const old = await peerOf()
  await old.register('ada')
  const added = await peerOf()
  await added.start()
  return { old, added }
}

/** Ends what a test started; to be called after each. */
export async function stopLinking(): Promise<void> {
  await Promise.all(peers.splice(0).map(peer => peer.engine.stop()))
  network.linking.rendezvous.stop()
}

/** Where the linking of a peer is. */
export const stateOf = (peer: TestPeer): LinkingState | null => peer.engine.linking.state
/** Shows a code. @returns its words. */
export const show = async (peer: TestPeer): Promise<string> => (await peer.engine.linking.show()).code!.words
/** Waits until the linking of a peer is so far. */
export const step = (peer: TestPeer, wanted: LinkingState['step']): Promise<void> =>
  eventually(() => stateOf(peer)?.step === wanted, `the linking is ${wanted}`)
/** What a call failed with. */
export const failure = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    (error: { code?: string }) => error.code ?? String(error)
  )

/** Live devices of the account, as the ledger has them. */
export async function liveDevices(old: TestPeer): Promise<number> {
  const account = await network.ledger.accountState(fromHex(old.me.accountId, 32) as AccountId)
  return account.devices.filter(isLive).length
}

/** Links with a fresh code, to the end. */
export async function link(old: TestPeer, added: TestPeer): Promise<void> {
  const joined = added.engine.linking.join(await show(old), 'Phone')
  await step(old, 'asking')
  await old.engine.linking.answer(true)
  added.me = await joined
  await step(old, 'done')
}
