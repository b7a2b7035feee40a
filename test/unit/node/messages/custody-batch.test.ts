import { expect, it } from 'vitest'
import { checkBatch, type BatchDelivery } from '../../../../node/messages/custody-batch.ts'
import type { NetworkView } from '../../../../node/network/network-view.ts'
import { encodeEnvelope } from '../../../../protocol/wire/envelope.ts'
import { encodeBatch, signBatch } from '../../../../protocol/wire/node-frames.ts'
import type { NodeKey } from '../../../../protocol/wire/placement.ts'
import { crypto, makeEnvelope, network, newMailbox, random } from '../../../support/network/in-process/fixtures.ts'

const SHARD = 3
/** Of a replica of every shard, which lists everybody. */
const view = {
  shardCount: 8,
  listed: () => ({}),
  epoch: () => ({}),
  isReplica: () => true,
  shardOf: () => SHARD
} as unknown as NetworkView

const key = await crypto.signingKeyFromSeed(random(32))
const origin = key.publicKey as NodeKey
const mailbox = newMailbox()

async function makeBatch() {
  const envelopes = [encodeEnvelope(makeEnvelope([mailbox]))]
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
