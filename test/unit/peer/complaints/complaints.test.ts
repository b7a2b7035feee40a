import { beforeEach, describe, expect, it } from 'vitest'
import { Complaints } from '../../../../peer/complaints/complaints.ts'
import type { ShownId } from '../../../../peer/store/conversation-entries.ts'
import { slots, type ReceiptsEntry } from '../../../../peer/store/store-layout.ts'
import { toHex } from '../../../../protocol/bytes.ts'
import type { NodeKey, OperatorId } from '../../../../protocol/wire/placement.ts'
import type { Complaint } from '../../../../protocol/wire/complaint.ts'
import { readComplaint } from '../../../../protocol/wire/complaint-file.ts'
import { custodyLeaf, signReceipt } from '../../../../protocol/wire/custody.ts'
import {
  decodeCustodyQuestion,
  encodeCustodyAnswer,
  type CustodyAnswer
} from '../../../../protocol/wire/custody-question.ts'
import type { SigningKey } from '../../../../protocol/crypto/crypto.ts'
import { brokenPromise, EXPIRY, JUDGED_AT, newKey } from '../../../support/complaints/broken-promise.ts'
import { crypto, network, random } from '../../../support/network/in-process/fixtures.ts'
import { memoryStates } from '../../../support/peer/memory-states.ts'

const MESSAGE = 'ab'.repeat(16) as ShownId
const ACCUSED = 'https://accused.example'
const OTHER = 'https://other.example'

let key: SigningKey
let promise: Complaint
let published: { url: string; text: string }[]
let answer: () => Promise<CustodyAnswer | undefined>
let complaints: Complaints
let reopened: () => Promise<Complaints>

beforeEach(async () => {
  key = await newKey()
  promise = await brokenPromise({ key })
  published = []
  answer = async () => ({ receipt: null, denied: [{ index: 0, denial: promise.denial }] })
  const { states, reopened: open } = await memoryStates()
  const { mailbox, id, receipt } = promise
  const entry: ReceiptsEntry = [{ mailbox, id, receipts: [receipt], expiry: EXPIRY }]
  await states.unit(async unit => unit.write(slots.receipts(MESSAGE, '0'), entry))
  const make = (from: typeof states): Complaints => new Complaints({ context: context(), states: from, fetch: nodes })
  complaints = make(states)
  reopened = async () => make(await open())
})

function context() {
  const listed = [
    [ACCUSED, key.publicKey],
    [OTHER, random(32)]
  ] as const
  const epochNodes = listed.map(([url, node]) => ({
    key: node as NodeKey,
    operator: crypto.sha256(node) as Uint8Array as OperatorId,
    url,
    link: ''
  }))
  return {
    crypto,
    network: () => ({ id: network, epoch: { number: 3, seed: random(32), nodes: epochNodes, nodeSeeds: [] } }) as never,
    timers: { now: () => JUDGED_AT } as never,
    log: { debug: () => undefined, warn: () => undefined }
  }
}

/** Two nodes: one that was given a message, and one that publishes what it is handed. */
const nodes: typeof fetch = async (url, init) => {
  const at = new URL(String(url))
  if (at.pathname === '/v1/complaints') {
    published.push({ url: at.origin, text: String(init!.body) })
    return new Response(null, { status: 204 })
  }
  const question = decodeCustodyQuestion(init!.body as Uint8Array)
  expect(question).toMatchObject({ epoch: 3, shard: 7, deliveries: [{ expiry: EXPIRY }] })
  const said = await answer()
  return said ? new Response(Uint8Array.from(encodeCustodyAnswer(said))) : new Response('{}', { status: 503 })
}

describe('a device that asks about its message', () => {
  it('keeps a broken promise, publishes it at the others, and has it after a restart', async () => {
    expect(await complaints.check(MESSAGE)).toMatchObject([{ node: toHex(key.publicKey), state: 'broken' }])
    expect(published.map(({ url }) => url)).toEqual([OTHER])
    expect(readComplaint(published[0]!.text).denial.reason).toBe('unknown')
    await complaints.check(MESSAGE)
    const [kept, ...more] = await (await reopened()).list()
    expect(more).toEqual([])
    expect(kept).toMatchObject({ node: toHex(key.publicKey), text: published[0]!.text })
  })

  it('believes a new receipt over exactly this delivery', async () => {
    const sign = async (id = promise.id, by = key): Promise<CustodyAnswer> => {
      const fields = { node: by.publicKey as NodeKey, epoch: 3, shard: 7, time: JUDGED_AT }
      const receipt = await signReceipt(crypto, network, by, fields, [custodyLeaf(id, promise.mailbox, EXPIRY)])
      return { receipt, denied: [] }
    }
    answer = () => sign()
    expect(await complaints.check(MESSAGE)).toMatchObject([{ state: 'kept', sentence: null }])
    answer = () => sign(random(32) as typeof promise.id)
    expect(await complaints.check(MESSAGE)).toMatchObject([{ state: 'silent' }])
    const stranger = await newKey()
    answer = () => sign(promise.id, stranger)
    expect(await complaints.check(MESSAGE)).toMatchObject([{ state: 'silent' }])
    expect(await complaints.list()).toEqual([])
  })

  it('asks about many mailboxes together, and believes a node about those alone that its receipt covers', async () => {
    const { states } = await memoryStates()
    const mailboxes = await Promise.all(Array.from({ length: 40 }, () => brokenPromise({ key })))
    const entry: ReceiptsEntry = mailboxes.map(({ mailbox, id, receipt }) => {
      return { mailbox, id, receipts: [receipt], expiry: EXPIRY }
    })
    await states.unit(async unit => unit.write(slots.receipts(MESSAGE, '0'), entry))
    const sizes: number[] = []
    const fetch: typeof nodes = async (url, init) => {
      if (!String(url).endsWith('/v1/custody')) return nodes(url, init)
      const { deliveries } = decodeCustodyQuestion(init!.body as Uint8Array)
      sizes.push(deliveries.length)
      // The second of each question is denied, the others are signed for.
      const denied = mailboxes.find(({ id }) => toHex(id) === toHex(deliveries[1]!.id))!
      const leaves = deliveries
        .filter((_, index) => index !== 1)
        .map(({ id, mailbox, expiry }) => custodyLeaf(id, mailbox, expiry))
      const fields = { node: key.publicKey as NodeKey, epoch: 3, shard: 7, time: JUDGED_AT }
      const receipt = await signReceipt(crypto, network, key, fields, leaves)
      const said = encodeCustodyAnswer({ receipt, denied: [{ index: 1, denial: denied.denial }] })
      return new Response(Uint8Array.from(said))
    }
    const asking = new Complaints({ context: context(), states, fetch })
    const found = await asking.check(MESSAGE)
    expect(sizes).toEqual([16, 16, 8])
    expect(found.filter(({ state }) => state === 'kept')).toHaveLength(37)
    const broken = found.filter(({ state }) => state === 'broken').map(({ deliveryId }) => deliveryId)
    expect(broken).toEqual([1, 17, 33].map(index => toHex(mailboxes[index]!.id)))
    expect(await asking.list()).toHaveLength(3)
  })

  it('accuses nobody for silence, for what the rules allow, and for words that prove nothing', async () => {
    answer = async () => undefined
    expect(await complaints.check(MESSAGE)).toMatchObject([{ state: 'silent' }])
    const { mailbox, id } = promise
    const evicted = await brokenPromise({ key, mailbox, id, denial: { reason: 'evicted' } })
    answer = async () => ({ receipt: null, denied: [{ index: 0, denial: evicted.denial }] })
    expect(await complaints.check(MESSAGE)).toMatchObject([{ state: 'ended' }])
    const early = await brokenPromise({ key, mailbox, id, denial: { time: promise.receipt.receipt.time } })
    answer = async () => ({ receipt: null, denied: [{ index: 0, denial: early.denial }] })
    expect(await complaints.check(MESSAGE)).toMatchObject([{ state: 'unclear' }])
    expect([await complaints.list(), published]).toEqual([[], []])
    expect(await complaints.check('cd'.repeat(16))).toEqual([])
  })
})
