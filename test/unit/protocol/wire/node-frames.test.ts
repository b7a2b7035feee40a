import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProtocolError } from '../../../../protocol/errors.ts'
import type { NodeKey } from '../../../../protocol/wire/placement.ts'
import {
  batchIdOf,
  decodeBatch,
  decodeGossipedRecords,
  decodeHeartbeat,
  decodeNodeLinkFrame,
  encodeBatch,
  encodeGossipedRecords,
  encodeHeartbeat,
  encodeNodeLinkFrame,
  signBatch,
  signHeartbeat,
  verifyBatch,
  verifyHeartbeat,
  type NodeLinkFrame
} from '../../../../protocol/wire/node-frames.ts'
import { encodeEnvelope } from '../../../../protocol/wire/envelope.ts'
import {
  crypto,
  makeDelivery,
  makeEnvelope,
  network,
  newMailbox,
  random
} from '../../../support/network/in-process/fixtures.ts'

const key = await crypto.signingKeyFromSeed(random(32))
const origin = key.publicKey as NodeKey
const mailbox = newMailbox()
const { id, expiry } = makeDelivery(mailbox)

const frames: NodeLinkFrame[] = [
  { kind: 'hello', request: 0, version: 1, network, epoch: 4 },
  { kind: 'batch', request: 1, batch: random(300) },
  { kind: 'have', request: 2, epoch: 0, shard: 5, deliveries: [{ mailbox, id, expiry }] },
  { kind: 'news', request: 3, mailboxes: [{ mailbox, after: 9 }] },
  { kind: 'fetch', request: 4, mailbox, ids: [id] },
  { kind: 'digests', request: 5, shards: [3, 4, 9], after: null },
  { kind: 'states', request: 6, mailbox, after: id },
  { kind: 'why', request: 7, mailbox, ids: [id] },
  { kind: 'stored', request: 0, batch: random(32), receipt: null, refused: [] },
  { kind: 'rejected', request: 8, batch: random(32), code: 'busy', epoch: null },
  { kind: 'held', request: 9, receipt: null, denied: [] },
  { kind: 'newsOf', request: 10, mailboxes: [{ mailbox, next: 12, ids: [id] }] },
  { kind: 'deliveries', request: 11, deliveries: [makeDelivery(mailbox)] },
  { kind: 'mailboxDigests', request: 12, mailboxes: [{ mailbox, digest: random(16) }], more: true },
  { kind: 'mailboxStates', request: 13, deliveries: [{ id, state: 'evicted', expiry }], more: false },
  { kind: 'bundles', request: 14, bundles: [random(20)] },
  { kind: 'done', request: 15 },
  { kind: 'error', request: 16, code: 'refused', message: 'no' }
]

const isProtocolError = (run: () => unknown): boolean => {
  try {
    run()
    return true
  } catch (error) {
    return error instanceof ProtocolError
  }
}

describe('frames between nodes', () => {
  it.each(frames.map(frame => [frame.kind, frame] as const))('are read as they were written: %s', (_, frame) => {
    expect(decodeNodeLinkFrame(encodeNodeLinkFrame(frame))).toEqual(frame)
  })

  it('never make the decoder do anything but return or refuse', () => {
    const decoders = [decodeNodeLinkFrame, decodeBatch, decodeHeartbeat, decodeGossipedRecords]
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), bytes => {
        for (const decode of decoders) expect(isProtocolError(() => decode(bytes))).toBe(true)
      }),
      { numRuns: 3000 }
    )
    const samples = frames.map(encodeNodeLinkFrame)
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.nat(), fc.nat(255), (sample, at, value) => {
        const changed = Uint8Array.from(sample)
        changed[at % changed.length] = value
        expect(isProtocolError(() => decodeNodeLinkFrame(changed))).toBe(true)
      }),
      { numRuns: 5000 }
    )
  })
})

describe('a batch', () => {
  const make = () =>
    signBatch(crypto, network, key, {
      origin,
      epoch: 1,
      shard: 2,
      time: 3,
      envelopes: [encodeEnvelope(makeEnvelope([mailbox]))]
    })

  it('verifies with its origin only, and only unchanged', async () => {
    const { batch, id: batchId } = await make()
    const read = decodeBatch(encodeBatch(batch))
    expect(batchIdOf(crypto, network, read)).toEqual(batchId)
    expect(await verifyBatch(crypto, network, read, batchId)).toBe(true)
    const other = (await crypto.signingKeyFromSeed(random(32))).publicKey as NodeKey
    const changes = [
      { origin: other },
      { epoch: 2 },
      { shard: 3 },
      { time: 4 },
      { envelopes: [random(50)] },
      { signature: random(64) }
    ]
    for (const change of changes) {
      const changed = { ...read, ...change }
      expect(await verifyBatch(crypto, network, changed, batchIdOf(crypto, network, changed))).toBe(false)
    }
  })

  it('is refused with any single bit flipped', async () => {
    const { batch } = await make()
    const encoded = encodeBatch(batch)
    for (let bit = 0; bit < encoded.length * 8; bit += 7) {
      const flipped = Uint8Array.from(encoded)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      let accepted = false
      try {
        const read = decodeBatch(flipped)
        accepted = await verifyBatch(crypto, network, read, batchIdOf(crypto, network, read))
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
      }
      expect(accepted).toBe(false)
    }
  })
})

describe('heartbeats and records', () => {
  it('are read as they were written, and a heartbeat verifies unchanged only', async () => {
    const heartbeat = await signHeartbeat(network, key, { node: origin, epoch: 1, time: 2 })
    const read = decodeHeartbeat(encodeHeartbeat(heartbeat))
    expect(await verifyHeartbeat(crypto, network, read)).toBe(true)
    expect(await verifyHeartbeat(crypto, network, { ...read, time: 3 })).toBe(false)
    const records = [random(10), random(1024)]
    expect(decodeGossipedRecords(encodeGossipedRecords(records))).toEqual(records)
  })
})
