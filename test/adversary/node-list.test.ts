import { afterEach, describe, expect, it } from 'vitest'
import { isLocalDevnet } from '../../peer/network/network-info.ts'
import type { NodeFrame } from '../../protocol/wire/peer-frames.ts'
import { configuredEpoch, type Epoch, type OperatorId } from '../../protocol/wire/placement.ts'
import { FakeNetwork } from '../support/network/fake/fake-network.ts'
import { TestPeer } from '../support/peer/test-peer.ts'
import { eventually } from '../support/wait-for.ts'

const running: TestPeer[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

async function registered(network: FakeNetwork): Promise<TestPeer> {
  const peer = new TestPeer(network)
  await peer.register('ada')
  running.push(peer)
  return peer
}

/** Every stream tells this list from now on, HTTP the network's own. Resolves once it was told. */
async function tellOnStreams(network: FakeNetwork, epoch: Epoch): Promise<void> {
  let told = 0
  network.tamper = (frame: NodeFrame) => {
    if (frame.kind !== 'authenticated') return frame
    told++
    return { ...frame, epoch }
  }
  network.epoch.nodes.forEach((_, node) => network.hangUp(node))
  await eventually(() => told > 0, 'told')
}

const epochOf = async (peer: TestPeer): Promise<number | null> => (await peer.engine.snapshot()).status.epoch

describe('the list of nodes', () => {
  it('is not replaced by what a lone node tells, now or after a restart', async () => {
    const network = await FakeNetwork.create(3)
    const ada = await registered(network)
    await tellOnStreams(network, configuredEpoch(2 ** 40, new Uint8Array(32).fill(9), [network.epoch.nodes[0]!]))
    await ada.engine.online(5_000)
    await new Promise(resolve => setTimeout(resolve, 300))
    network.tamper = frame => frame
    await ada.restart()
    await ada.engine.online(5_000)
    expect(await epochOf(ada)).toBe(0)
  })

  it('is replaced when a second operator tells the same over HTTP', async () => {
    const network = await FakeNetwork.create(3)
    const ada = await registered(network)
    Object.assign(network.epoch, configuredEpoch(1, new Uint8Array(32).fill(9), network.epoch.nodes))
    network.hangUp(0)
    network.hangUp(1)
    network.hangUp(2)
    await eventually(async () => (await epochOf(ada)) === 1, 'taken')
  })

  it('with one operator is replaced by a list of its own only if it stays in it', async () => {
    const network = await FakeNetwork.create(1)
    const ada = await registered(network)
    await tellOnStreams(network, { ...network.epoch, number: 6 })
    await eventually(async () => (await epochOf(ada)) === 6, 'taken')
    const other = { ...network.epoch.nodes[0]!, operator: new Uint8Array(32).fill(77) as OperatorId }
    await tellOnStreams(network, { ...network.epoch, number: 7, nodes: [other] })
    await ada.engine.online(5_000)
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(await epochOf(ada)).toBe(6)
  })
})

describe('a devnet of this machine', () => {
  it('is not what a node elsewhere says it is', () => {
    expect(isLocalDevnet({ emulated: true, entry: 'http://127.0.0.1:8787' })).toBe(true)
    expect(isLocalDevnet({ emulated: true, entry: 'http://localhost:8787' })).toBe(true)
    expect(isLocalDevnet({ emulated: true, entry: 'https://node.example' })).toBe(false)
    expect(isLocalDevnet({ emulated: true, entry: 'http://127.0.0.1.node.example' })).toBe(false)
    expect(isLocalDevnet({ emulated: false, entry: 'http://127.0.0.1:8787' })).toBe(false)
  })
})
