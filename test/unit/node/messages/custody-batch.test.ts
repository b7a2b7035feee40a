import { expect, it } from 'vitest'
import { equalBytes } from '../../../../protocol/bytes.ts'
import type { DeviceId } from '../../../../protocol/identity/device.ts'
import { checkBatch, type BatchDelivery } from '../../../../node/messages/custody-batch.ts'
import type { NetworkView } from '../../../../node/network/network-view.ts'
import { encodeEnvelope } from '../../../../protocol/wire/envelope.ts'
import { encodeBatch, signBatch } from '../../../../protocol/wire/node-frames.ts'
import type { NodeKey } from '../../../../protocol/wire/placement.ts'
import { crypto, makeEnvelope, network, newMailbox, random } from '../../../support/network/in-process/fixtures.ts'

const SHARD = 3
/** The same nodes keep this one. */
const SISTER_SHARD = 5
const mailbox = newMailbox()
const inSisterShard = newMailbox()
const elsewhere = newMailbox()
/** Of a replica of every shard, which lists everybody. */
const view = {
  shardCount: 8,
  listed: () => ({}),
  epoch: () => ({}),
  isReplica: () => true,
  groupOf: (_: unknown, shard: number) => (shard === SISTER_SHARD ? SHARD : shard),
  shardOf: (id: Uint8Array) => (equalBytes(id, mailbox) ? SHARD : equalBytes(id, elsewhere) ? 7 : SISTER_SHARD)
} as unknown as NetworkView

const key = await crypto.signingKeyFromSeed(random(32))
const origin = key.publicKey as NodeKey

async function makeBatch(...mailboxes: DeviceId[]) {
  const envelopes = [
    encodeEnvelope(makeEnvelope([mailbox])),
    ...mailboxes.map(to => encodeEnvelope(makeEnvelope([to])))
  ]
  const fields = { origin, epoch: 0, shard: SHARD, time: Date.now(), envelopes }
  return (await signBatch(crypto, network, key, fields)).batch
}

const check = async (encoded: Uint8Array, from: NodeKey) => {
  const vouched: BatchDelivery[] = []
  const outcome = await checkBatch(
    { crypto, network, view, clock: Date.now },
    encoded,
    { shard: SHARD, from },
    deliveries => vouched.push(...deliveries)
  ).catch((error: { code?: string }) => error.code)
  return { vouched, outcome }
}

it('the deliveries of a batch are told ahead when its origin brings it itself', async () => {
  const { vouched, outcome } = await check(encodeBatch(await makeBatch()), origin)
  expect(vouched.map(delivery => delivery.mailbox)).toEqual([mailbox])
  expect(outcome).toMatchObject({ origin, deliveries: vouched })
})

it('and not when another node passes it on, or before its form is known to be right', async () => {
  const batch = await makeBatch()
  const passedOn = await check(encodeBatch(batch), random(32) as NodeKey)
  expect(passedOn.vouched).toEqual([])
  expect(passedOn.outcome).toMatchObject({ origin })
  const broken = await check(encodeBatch({ ...batch, envelopes: [random(100)] }), origin)
  expect(broken.vouched).toEqual([])
  expect(broken.outcome).toBe('MALFORMED')
})

it('a batch is refused for its signature whoever brings it', async () => {
  const encoded = encodeBatch({ ...(await makeBatch()), signature: random(64) })
  expect((await check(encoded, origin)).outcome).toBe('BAD_SIGNATURE')
  const passedOn = await check(encoded, random(32) as NodeKey)
  expect(passedOn.outcome).toBe('BAD_SIGNATURE')
  expect(passedOn.vouched).toEqual([])
})

it('a batch carries the mailboxes of all shards that the same nodes keep, and no others', async () => {
  const together = await check(encodeBatch(await makeBatch(inSisterShard)), origin)
  expect(together.vouched.map(delivery => delivery.mailbox)).toEqual([mailbox, inSisterShard])
  const mixed = await check(encodeBatch(await makeBatch(elsewhere)), origin)
  expect(mixed).toEqual({ vouched: [], outcome: 'INVALID' })
})
