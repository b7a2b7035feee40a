import { afterEach, beforeEach, expect, test } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
import { isDeliveryProof, verifyMailboxToken } from '../../../../protocol/wire/delivery-token.ts'
import { decodeEnvelope, deliveryIdOf, envelopeIdOf, type Envelope } from '../../../../protocol/wire/envelope.ts'
import type { SubmissionResult } from '../../../../protocol/wire/peer-frames.ts'
import type { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import type { TestPeer } from '../../../support/peer/test-peer.ts'
import { twoPeers, type TwoPeers } from '../../../support/peer/two-peers.ts'
import { eventually } from '../../../support/wait-for.ts'

let peers: TwoPeers
let network: FakeNetwork
let ada: TestPeer
let bob: TestPeer

beforeEach(async () => {
  peers = await twoPeers()
  ;({ network, ada, bob } = peers)
})
afterEach(() => peers.stop())

const mailboxOf = (peer: TestPeer): string => [...network.tokens.keys()][peer === ada ? 0 : 1]!

/** What was handed in for a mailbox since the last look, oldest first. */
function envelopesTo(peer: TestPeer): Envelope[] {
  const envelopes = network.submitted.splice(0).map(decodeEnvelope)
  return envelopes.filter(({ recipients }) => recipients.some(({ mailbox }) => toHex(mailbox) === mailboxOf(peer)))
}

/** Whether an envelope proves to a mailbox that its sender is a contact. */
function isProven(envelope: Envelope, peer: TestPeer): boolean {
  const { token } = network.tokens.get(mailboxOf(peer))!
  const { proof } = envelope.recipients.find(({ mailbox }) => toHex(mailbox) === mailboxOf(peer))!
  const id = envelopeIdOf(network.crypto, network.id, envelope)
  return envelope.class === 'contact' && isDeliveryProof(network.crypto, network.id, token, id, proof)
}

async function send(from: TestPeer, to: TestPeer, text: string): Promise<void> {
  await from.send(to, text)
  await eventually(async () => (await to.received(from)).includes(text), `"${text}" is there`)
}

test('a device hands in a token that it signed for its own mailbox', async () => {
  for (const [mailbox, token] of network.tokens) {
    expect(toHex((await verifyMailboxToken(network.crypto, network.id, token))!)).toBe(mailbox)
  }
  const [one, other] = [...network.tokens.values()]
  expect(one!.token).not.toEqual(other!.token)
})

test('the first message to a new person is a request; who was written to answers as a contact', async () => {
  network.submitted.splice(0)
  await send(ada, bob, 'hello')
  const receipts = async (): Promise<boolean> => (await ada.messages(bob)).some(({ state }) => state === 'delivered')
  await eventually(receipts, 'the receipt came')
  const submitted = network.submitted.map(decodeEnvelope)
  const toBob = submitted.filter(({ recipients }) => toHex(recipients[0]!.mailbox) === mailboxOf(bob))
  expect(toBob.every(envelope => envelope.class === 'request')).toBe(true)
  expect(toBob.every(({ recipients }) => recipients.every(({ proof }) => proof.length === 0))).toBe(true)
  // Bob's receipt: he has Ada's token from her profile.
  const toAda = envelopesTo(ada)
  expect(toAda.length).toBeGreaterThan(0)
  expect(toAda.every(envelope => isProven(envelope, ada))).toBe(true)
})

test('who only receives gives no token away; who answers makes a contact', async () => {
  await send(ada, bob, 'hello')
  await eventually(async () => (await ada.messages(bob)).some(({ state }) => state === 'delivered'), 'the receipt came')
  network.submitted.splice(0)
  await send(ada, bob, 'still a stranger')
  expect(envelopesTo(bob).some(envelope => isProven(envelope, bob))).toBe(false)
  await send(bob, ada, 'hello back')
  network.submitted.splice(0)
  await send(ada, bob, 'as a contact')
  const envelopes = envelopesTo(bob)
  expect(envelopes.length).toBeGreaterThan(0)
  expect(envelopes.every(envelope => isProven(envelope, bob))).toBe(true)
})

test('a proof that nodes refuse makes it a request, and the message arrives once', async () => {
  await send(ada, bob, 'hello')
  await send(bob, ada, 'hello back')
  let refused = 0
  network.answer = async frame => {
    if (frame.kind !== 'submit') return undefined
    const envelope = decodeEnvelope(frame.envelope)
    if (envelope.class !== 'contact' || toHex(envelope.recipients[0]!.mailbox) !== mailboxOf(bob)) return undefined
    refused++
    const envelopeId = envelopeIdOf(network.crypto, network.id, envelope)
    const by = { version: 1, node: network.epoch.nodes[0]!.key, epoch: 0, time: Date.now() } as const
    const results = envelope.recipients.map((entry): SubmissionResult => {
      const id = deliveryIdOf(network.crypto, network.id, envelopeId, entry)
      const refusal = { ...by, mailbox: entry.mailbox, id, reason: 'proof' as const, signature: new Uint8Array(64) }
      return { mailbox: entry.mailbox, id, state: 'refused', receipts: [], refusal }
    })
    return { kind: 'submitted', request: frame.request, results }
  }
  await send(ada, bob, 'with an old token')
  expect(refused).toBeGreaterThan(0)
  expect(await bob.received(ada)).toEqual(['hello', 'with an old token'])
})
