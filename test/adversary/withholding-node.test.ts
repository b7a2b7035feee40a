import { afterEach, describe, expect, it } from 'vitest'
import { toHex } from '../../protocol/bytes.ts'
import { decodeProof, encodeProof, type AccountProof } from '../../protocol/directory/proofs/proof.ts'
import { decodeBundle, encodeBundle, signBundle } from '../../protocol/identity/bundle.ts'
import { decodeRecord } from '../../protocol/identity/record.ts'
import type { NodeFrame } from '../../protocol/wire/peer-frames.ts'
import { FakeNetwork } from '../support/network/fake/fake-network.ts'
import { TestPeer } from '../support/peer/test-peer.ts'
import { eventually } from '../support/wait-for.ts'

const running: TestPeer[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

async function registered(network: FakeNetwork, name: string): Promise<TestPeer> {
  const peer = new TestPeer(network)
  await peer.register(name)
  running.push(peer)
  return peer
}

/** Index of the node that a peer is connected to. */
async function nodeOf(network: FakeNetwork, peer: TestPeer): Promise<number> {
  const { node } = (await peer.engine.snapshot()).status
  return network.epoch.nodes.findIndex(({ url }) => url === node)
}

/** Changes what one node tells of an account. */
function lie(network: FakeNetwork, liar: number, change: (proof: AccountProof) => AccountProof): void {
  network.tamper = (frame: NodeFrame, node: number) =>
    frame.kind === 'account' && node === liar
      ? { ...frame, proof: encodeProof(change(decodeProof(frame.proof))) }
      : frame
}

const revealed = (network: FakeNetwork, peer: TestPeer): boolean =>
  network.ledger.recordsOf(peer.me.accountId).some(record => decodeRecord(record).kind === 'nameReveal')

/** Ada with her name in a second block, and Bob, who has found her. */
async function acquainted() {
  const network = await FakeNetwork.create(2)
  const ada = await registered(network, 'ada')
  network.ledger.mine()
  await eventually(() => revealed(network, ada), 'revealed')
  network.ledger.mine(2, { empty: true })
  network.ledger.mine()
  const bob = await registered(network, 'bob')
  expect((await bob.engine.people.find('ada'))?.record.state).toBe('recorded')
  return { network, ada, bob }
}

describe('a node that leaves records out', () => {
  it('does not take back what was seen, though it tells of more blocks', async () => {
    const { network, ada, bob } = await acquainted()
    lie(network, await nodeOf(network, bob), proof => ({
      ...proof,
      transactions: proof.transactions.slice(0, 1),
      tip: { ...proof.tip, height: proof.tip.height + 5, hash: new Uint8Array(32).fill(1) }
    }))
    const person = await bob.engine.people.refresh(ada.me.accountId)
    expect(person.username).toBe('ada')
    expect(person.record.blockHeight).toBe(2)
  })

  it('learns from a second operator what the first one hides', async () => {
    const { network, ada, bob } = await acquainted()
    const eve = await registered(network, 'eve')
    lie(network, await nodeOf(network, eve), proof => ({ ...proof, transactions: proof.transactions.slice(0, 1) }))
    expect((await eve.engine.people.refresh(ada.me.accountId)).record.state).toBe('recorded')
    await bob.engine.people.refresh(ada.me.accountId)
    const { id } = await eve.engine.conversations.open(ada.me.accountId)
    await eve.engine.messages.sendText(id, 'hello')
    await eventually(async () => (await ada.received(eve)).length === 1, 'arrived')
  })
})

describe('two operators', () => {
  it('that agree on records in blocks make them confirmed, without being asked by hand', async () => {
    const { network, ada, bob } = await acquainted()
    const { id } = await bob.engine.conversations.open(ada.me.accountId)
    await bob.engine.messages.sendText(id, 'hello')
    await eventually(async () => {
      const { conversations } = await bob.engine.snapshot()
      return conversations[0]?.person.record.trust === 'L2'
    }, 'confirmed')
    expect(network.epoch.nodes).toHaveLength(2)
  })

  it('that agree on nothing but pending records confirm nothing', async () => {
    const network = await FakeNetwork.create(2)
    const ada = await registered(network, 'ada')
    const bob = await registered(network, 'bob')
    expect((await bob.engine.people.refresh(ada.me.accountId)).record.trust).toBe('L1')
  })

  it('have to see a commitment in a block before its name is told', async () => {
    const network = await FakeNetwork.create(2)
    const ada = await registered(network, 'ada')
    lie(network, 1 - (await nodeOf(network, ada)), proof => ({ ...proof, transactions: [], pending: [] }))
    network.ledger.mine()
    expect(await ada.engine.account.settleName(10_000)).toBe(false)
    expect(revealed(network, ada)).toBe(false)
    network.tamper = frame => frame
    await eventually(() => revealed(network, ada), 'revealed')
  })
})

describe('an account whose records no frame holds', () => {
  it('is fetched over HTTP', async () => {
    const network = await FakeNetwork.create(1)
    const ada = await registered(network, 'ada')
    const bob = await registered(network, 'bob')
    network.tamper = (frame: NodeFrame) =>
      frame.kind === 'account'
        ? { kind: 'error', request: frame.request, code: 'too-large', message: 'the proof is too large' }
        : frame
    expect((await bob.engine.people.refresh(ada.me.accountId)).accountId).toBe(ada.me.accountId)
  })
})

describe('a node that keeps an expired bundle', () => {
  it('does not make us seal to the registered key while another operator may have a newer one', async () => {
    const network = await FakeNetwork.create(2)
    const ada = await registered(network, 'ada')
    const bob = await registered(network, 'bob')
    const current = decodeBundle(network.bundlesOf(bob.me.deviceId)[0]!)
    const key = (await bob.vault.load())!
    const outdated = encodeBundle(await signBundle(network.id, key, { ...current, weeklyExpiry: Date.now() - 1_000 }))
    const liar = await nodeOf(network, ada)
    const isBobs = (bytes: Uint8Array): boolean => toHex(decodeBundle(bytes).deviceId) === bob.me.deviceId
    network.tamper = (frame, node) =>
      frame.kind === 'bundles' && node === liar
        ? { ...frame, bundles: frame.bundles.map(bytes => (isBobs(bytes) ? outdated : bytes)) }
        : frame
    network.down.add(1 - liar)
    await ada.send(bob, 'hello')
    await new Promise(resolve => setTimeout(resolve, 1_000))
    expect((await ada.messages(bob))[0]!.state).toBe('waiting')
    network.down.clear()
    ada.slept += 61_000
    await eventually(async () => (await bob.received(ada)).length === 1, { what: 'arrived', timeoutMs: 20_000 })
  })
})
