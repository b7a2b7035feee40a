/** One of each frame between clients and nodes, and between nodes, filled with what it may hold. */
import type { DeviceId, AccountId } from '../../../../protocol/identity/device.ts'
import type { Receipt } from '../../../../protocol/wire/custody.ts'
import type { Delivery, DeliveryId, Envelope } from '../../../../protocol/wire/envelope.ts'
import type { NodeLinkFrame } from '../../../../protocol/wire/node-frames.ts'
import type { ClientFrame, NodeFrame } from '../../../../protocol/wire/peer-frames.ts'
import { configuredEpoch, type Epoch, type NodeKey, type OperatorId } from '../../../../protocol/wire/placement.ts'
import { SeededRandom } from '../../../support/seeded-random.ts'

const random = new SeededRandom(2)
const TIME = 1_790_000_000_000
const hash = (): Uint8Array => random.bytes(32)
const signature = (): Uint8Array => random.bytes(64)
const mailbox = random.bytes(16) as DeviceId
const accountId = hash() as AccountId
const id = hash() as DeliveryId
const node = hash() as NodeKey
const request = 7

const receipt: Receipt = {
  version: 1,
  node,
  epoch: 2,
  shard: 63,
  time: TIME,
  root: hash(),
  count: 3,
  signature: signature()
}
const refusal = {
  version: 1,
  node,
  epoch: 2,
  time: TIME,
  mailbox,
  id,
  reason: 'proof',
  signature: signature()
} as const
const denial = {
  version: 1,
  node,
  epoch: 1,
  time: TIME,
  mailbox,
  id,
  expiry: TIME,
  reason: 'evicted',
  signature: signature()
} as const
const eviction = { version: 1, node, time: TIME, mailbox, ids: [id], signature: signature() } as const
const keys = { signingKey: hash(), messagingKeyHash: hash() }
const acknowledgement = { version: 1, keys, ids: [id, hash() as DeliveryId], signature: signature() } as const
const delivery: Delivery = {
  id,
  expiry: TIME,
  class: 'contact',
  part: random.bytes(40),
  proof: random.bytes(32),
  payload: random.bytes(90),
  storedAt: TIME
}
const token = { version: 1, keys, revision: 3, token: random.bytes(32), signature: signature() } as const
const listed = {
  key: node,
  operator: hash() as OperatorId,
  url: 'https://node.example',
  link: '/ip4/192.0.2.1/tcp/4001'
}
const epoch: Epoch = configuredEpoch(2, hash(), [listed, { ...listed, key: hash() as NodeKey }])

export const sampleEnvelope: Envelope = {
  version: 1,
  expiry: TIME,
  class: 'request',
  payload: random.bytes(200),
  recipients: [
    { mailbox, part: random.bytes(30), proof: random.bytes(32) },
    { mailbox: random.bytes(16) as DeviceId, part: new Uint8Array(), proof: new Uint8Array() }
  ]
}

/** Signatures of these frames are noise: nothing here verifies them. */
export const clientFrames: readonly ClientFrame[] = [
  { kind: 'authenticate', request, version: 1, keys, time: TIME, signature: signature() },
  { kind: 'submit', request, epoch: 2, envelope: random.bytes(300) },
  { kind: 'attach', request },
  { kind: 'acknowledge', request, acknowledgement: { ...acknowledgement, ids: [...acknowledgement.ids] } },
  { kind: 'account', request, accountId },
  { kind: 'names', request, tagPrefix: random.bytes(2) },
  { kind: 'bundles', request, accountId },
  { kind: 'publishBundle', request, bundle: random.bytes(100) },
  { kind: 'publishRecords', request, records: [random.bytes(180), random.bytes(240)] },
  { kind: 'epoch', request },
  { kind: 'ping', request },
  { kind: 'publishToken', request, token }
]

const result = {
  mailbox,
  id,
  state: 'stored',
  receipts: [{ receipt, index: 1, path: [hash(), hash()] }],
  refusal: null
} as const

export const nodeFrames: readonly NodeFrame[] = [
  { kind: 'hello', request: 0, versions: [1], network: hash(), node, nonce: hash(), time: TIME, epoch: 2 },
  { kind: 'authenticated', request, deviceId: mailbox, accountId, epoch },
  {
    kind: 'submitted',
    request,
    results: [
      { ...result, receipts: [{ receipt, index: 1, path: [hash(), hash()] }] },
      { ...result, state: 'refused', receipts: [], refusal }
    ]
  },
  { kind: 'attached', request, pending: 3 },
  { kind: 'deliver', request: 0, deliveries: [delivery] },
  { kind: 'caughtUp', request: 0 },
  { kind: 'done', request },
  { kind: 'account', request, proof: random.bytes(300) },
  { kind: 'names', request, matches: [{ tag: hash(), accountId, state: 'settled' }], complete: true },
  { kind: 'bundles', request, bundles: [random.bytes(60)] },
  { kind: 'epoch', request, epoch },
  { kind: 'pong', request, time: TIME },
  { kind: 'evicted', request: 0, eviction: { ...eviction, ids: [id] } },
  { kind: 'error', request, code: 'rate-limited', message: 'later' },
  { kind: 'lost', request: 0, contacts: 3, requests: 1, at: TIME }
]

export const nodeLinkFrames: readonly NodeLinkFrame[] = [
  { kind: 'hello', request, version: 1, network: hash(), epoch: 2 },
  { kind: 'batch', request, batch: random.bytes(200) },
  { kind: 'have', request, epoch: 2, shard: 5, deliveries: [{ mailbox, id, expiry: TIME }] },
  { kind: 'acknowledge', request, acknowledgements: [{ ...acknowledgement, ids: [id] }] },
  { kind: 'evict', request, eviction: { ...eviction, ids: [id] } },
  { kind: 'news', request, mailboxes: [{ mailbox, after: 9 }] },
  { kind: 'fetch', request, mailbox, ids: [id] },
  { kind: 'digests', request, shards: [5, 6, 9], after: null },
  { kind: 'states', request, mailbox, after: id },
  { kind: 'why', request, mailbox, ids: [id] },
  { kind: 'putBundle', request, accountId, bundle: random.bytes(100) },
  { kind: 'getBundles', request, accountId },
  { kind: 'putToken', request, token },
  { kind: 'getToken', request, mailbox },
  { kind: 'token', request, token },
  { kind: 'token', request, token: null },
  { kind: 'stored', request, batch: hash(), receipt, refused: [{ index: 2, refusal }] },
  { kind: 'rejected', request, batch: hash(), code: 'wrong-epoch', epoch },
  { kind: 'held', request, receipt: null, denied: [{ index: 0, denial }] },
  { kind: 'newsOf', request, mailboxes: [{ mailbox, next: 10, ids: [id] }] },
  { kind: 'deliveries', request, deliveries: [delivery] },
  { kind: 'mailboxDigests', request, mailboxes: [{ mailbox, digest: random.bytes(16) }], more: true },
  { kind: 'mailboxStates', request, deliveries: [{ id, state: 'acknowledged', expiry: TIME }], more: false },
  {
    kind: 'removals',
    request,
    acknowledgements: [{ ...acknowledgement, ids: [id] }],
    evictions: [{ ...eviction, ids: [id] }]
  },
  { kind: 'bundles', request, bundles: [random.bytes(90)] },
  { kind: 'done', request },
  { kind: 'error', request, code: 'busy', message: 'later' }
]

export const sampleBatch = {
  version: 1,
  origin: node,
  epoch: 2,
  shard: 5,
  time: TIME,
  envelopes: [random.bytes(120), random.bytes(90)],
  signature: signature()
} as const

export const sampleHeartbeat = { version: 1, node, epoch: 2, time: TIME, signature: signature() } as const
