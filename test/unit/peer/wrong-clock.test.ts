import { afterEach, expect, test, vi } from 'vitest'
import type { EngineContext } from '../../../peer/engine-context.ts'
import { Inbox, type InboxComponents } from '../../../peer/receiving/inbox.ts'
import type { MessageLog } from '../../../peer/history/message-log.ts'
import { FIRST_RETRY_MS, Outbox } from '../../../peer/sending/outbox.ts'
import type { OutboxItem } from '../../../peer/store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../../../peer/store/state-store.ts'
import { nextStatus } from '../../../peer/network/connection-status.ts'
import { ConnectionLost, type NodeConnection } from '../../../peer/network/node-connection.ts'
import { CLOCK_TOLERANCE_MS, GAP_HOLD_MS, PENDING_TTL_MS } from '../../../protocol/limits.ts'
import { decodeEnvelope, deliveryIdOf, envelopeIdOf } from '../../../protocol/wire/envelope.ts'
import type { SubmissionResult } from '../../../protocol/wire/peer-frames.ts'
import { commandOn } from '../../support/peer/run-peer.ts'
import { FakeNetwork } from '../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../support/peer/test-peer.ts'
import { eventually } from '../../support/wait-for.ts'

const HOUR_MS = 3_600_000
let network: FakeNetwork
let ada: TestPeer
let bob: TestPeer

/** Refuses, as a node whose clock is right, what expires later than anything may. */
function refuseTooFar(): void {
  network.answer = async frame => {
    if (frame.kind !== 'submit') return undefined
    const envelope = decodeEnvelope(frame.envelope)
    if (envelope.expiry <= Date.now() + PENDING_TTL_MS + CLOCK_TOLERANCE_MS) return undefined
    refused++
    const envelopeId = envelopeIdOf(network.crypto, network.id, envelope)
    const by = { version: 1, node: network.epoch.nodes[0]!.key, epoch: 0, time: Date.now() } as const
    const results = envelope.recipients.map((entry): SubmissionResult => {
      const { mailbox } = entry
      const id = deliveryIdOf(network.crypto, network.id, envelopeId, entry)
      const refusal = { ...by, mailbox, id, reason: 'expiry-too-far' as const, signature: new Uint8Array(64) }
      return { mailbox, id, state: 'refused', receipts: [], refusal }
    })
    return { kind: 'submitted', request: frame.request, results }
  }
}
let refused = 0
const running: TestPeer[] = []

const stateOf = async (text: string) => (await ada.messages(bob)).find(message => message.text === text)?.state

async function meet(): Promise<void> {
  refused = 0
  network = await FakeNetwork.create(1)
  ada = new TestPeer(network)
  bob = new TestPeer(network)
  // All that is between their clocks is what a test puts there.
  ada.speed = bob.speed = 1
  running.push(ada, bob)
  await ada.register('ada')
  await bob.register('bob')
  await ada.send(bob, 'before')
  await eventually(async () => (await bob.received(ada)).length === 1, 'they have met')
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

test.each([-20 * 24 * HOUR_MS, -24 * HOUR_MS, 3 * 24 * HOUR_MS])(
  'a clock that is off by %d ms leaves no date of its own in a conversation',
  async offset => {
    await meet()
    const [before] = await bob.messages(ada)
    ada.clockOffset = offset
    await ada.send(bob, 'with a wrong clock')
    await eventually(async () => (await bob.received(ada)).length === 2, 'it is there')
    const { sentAt } = (await bob.messages(ada)).at(-1)!
    expect(Math.abs(sentAt - before!.sentAt)).toBeLessThanOrEqual(CLOCK_TOLERANCE_MS)
  }
)

test('a device is told that its clock is wrong, until it is set', async () => {
  await meet()
  expect((await ada.engine.snapshot()).status.problem).toBeNull()
  await ada.engine.stop()
  ada.clockOffset = -3 * HOUR_MS
  await ada.start()
  await ada.engine.online(5_000)
  const { problem } = (await ada.engine.snapshot()).status
  expect(problem?.code).toBe('clock-wrong')
  expect(Math.round((problem!.facts as { offMs: number }).offMs / HOUR_MS)).toBe(-3)
  ada.clockOffset = 0
  await ada.restart()
  await ada.engine.online(5_000)
  expect((await ada.engine.snapshot()).status.problem).toBeNull()
})

test.each([-3 * HOUR_MS, 40 * 365 * 24 * HOUR_MS])(
  'a device that nodes refuse because its clock is off by %d ms says so, also where another node is gone',
  async offset => {
    network = await FakeNetwork.create(2)
    network.checksClocks = true
    ada = new TestPeer(network)
    running.push(ada)
    await ada.register('ada')
    await ada.engine.stop()
    network.down.add(1)
    ada.clockOffset = offset
    await ada.start()
    await eventually(async () => (await ada.engine.snapshot()).status.problem?.code === 'clock-wrong', 'it says so')
    const { problem } = (await ada.engine.snapshot()).status
    expect(Math.round((problem!.facts as { offMs: number }).offMs / HOUR_MS)).toBe(offset / HOUR_MS)
    const { code, stderr } = await commandOn(ada.engine, 'person', '@nobody', '--timeout', '1')
    expect(code).not.toBe(0)
    expect(stderr).toContain('the clock of this machine is wrong')
    ada.clockOffset = 0
    await ada.engine.network.reconnect()
    expect(await ada.engine.online(5_000)).toBe(true)
    expect((await ada.engine.snapshot()).status.problem).toBeNull()
  }
)

test('a clock stays wrong while the nodes are tried again', () => {
  const offline = { state: 'offline', node: null, problem: { code: 'clock-wrong', facts: { offMs: HOUR_MS } } } as const
  const connecting = nextStatus(offline, { state: 'connecting', node: null, problem: null })
  expect(connecting).toEqual({ ...offline, state: 'connecting' })
})

test('a clock that becomes wrong, or is set right, while the device is connected is said at the next sign of life', async () => {
  await meet()
  const problem = async () => (await ada.engine.snapshot()).status.problem?.code ?? null
  ada.clockOffset = 3 * HOUR_MS
  await ada.engine.network.reconnect()
  expect(await problem()).toBe('clock-wrong')
  ada.clockOffset = 0
  await ada.engine.network.reconnect()
  expect(await problem()).toBeNull()
})

test('a message goes out while the clock is hours ahead: its life is counted by the clock of the nodes', async () => {
  await meet()
  refuseTooFar()
  ada.clockOffset = 7 * HOUR_MS
  await ada.send(bob, 'from the future')
  await eventually(async () => (await bob.received(ada)).length === 2, 'it is there')
  expect(refused).toBeGreaterThan(0)
  expect(await stateOf('from the future')).not.toBe('waiting')
})

test('a message written while the clock was many days ahead goes out once the clock is right', async () => {
  await meet()
  refuseTooFar()
  ada.clockOffset = 5 * 24 * HOUR_MS
  await ada.send(bob, 'from the future')
  await eventually(() => refused > 0, 'the node has refused it')
  expect(await stateOf('from the future')).toBe('waiting')
  ada.clockOffset = 0
  await ada.engine.network.reconnect()
  await eventually(async () => (await stateOf('from the future')) !== 'waiting', 'it is sent')
  await eventually(async () => (await bob.received(ada)).length === 2, 'it is there')
  expect(await bob.received(ada)).toEqual(['before', 'from the future'])
})

test('a clock that is put back does not hold up what is tried again', async () => {
  let now = 10 * HOUR_MS
  let passed = 0
  let attempts = 0
  const pauses: (() => void)[] = []
  const timers = {
    now: () => now,
    monotonic: () => passed,
    after: (_: number, run: () => void) => (pauses.push(run), () => undefined)
  }
  const context = { timers, network: () => ({ epoch: { number: 0, nodes: [] } }) } as unknown as EngineContext
  const connection = {
    isOpen: false,
    request: async () => {
      attempts++
      throw new ConnectionLost('gone')
    }
  } as unknown as NodeConnection
  const states = { range: async () => [] } as unknown as StateStore
  const init = { connection: () => connection, onEpoch: async () => undefined, onFruitless: () => undefined }
  const outbox = new Outbox(context, states, {} as MessageLog, init)
  const unit = { write: () => undefined, after: (run: () => void) => run() } as unknown as UnitOfWork
  await outbox.start()
  outbox.put(unit, '1', { expiry: now + PENDING_TTL_MS, messages: [] } as unknown as OutboxItem)
  outbox.kick()
  await vi.waitFor(() => expect(pauses).toHaveLength(1))
  now = 0
  passed += FIRST_RETRY_MS
  pauses[0]!()
  await vi.waitFor(() => expect(attempts).toBe(2))
  outbox.stop()
})

test('a gap that an earlier process waited for by a clock since put back is waited for no longer than any', () => {
  const waits: number[] = []
  const timers = { now: () => 0, after: (ms: number) => (waits.push(ms), () => undefined) }
  const inbox = new Inbox({ context: { timers } } as unknown as InboxComponents)
  const ids = {
    conversationId: new Uint8Array(32),
    senderAccount: new Uint8Array(32),
    senderDevice: new Uint8Array(16)
  }
  inbox.resume(ids as Parameters<Inbox['resume']>[0], HOUR_MS)
  expect(waits).toEqual([GAP_HOLD_MS])
})

/** The node keeps and delivers what it says to be too new: what follows under another id is a copy. */
function refuseAndDeliver(): void {
  network.tamper = frame => {
    if (frame.kind !== 'submitted' || ada.clockOffset === 0) return frame
    refused++
    const by = { version: 1, node: network.epoch.nodes[0]!.key, epoch: 0, time: Date.now() } as const
    const results = frame.results.map(({ mailbox, id }): SubmissionResult => {
      const refusal = { ...by, mailbox, id, reason: 'expiry-too-far' as const, signature: new Uint8Array(64) }
      return { mailbox, id, state: 'refused', receipts: [], refusal }
    })
    return { ...frame, results }
  }
}

test('a message that was delivered though its node refused it is shown once', async () => {
  await meet()
  refuseAndDeliver()
  ada.clockOffset = 3 * HOUR_MS
  await ada.send(bob, 'from the future')
  await eventually(() => refused > 0, 'it was refused')
  await eventually(async () => (await bob.received(ada)).length === 2, 'it is there all the same')
  const submissions = network.submissions
  ada.clockOffset = 0
  await ada.engine.network.reconnect()
  await eventually(() => network.submissions > submissions, 'it went out again')
  await eventually(async () => (await ada.engine.snapshot()).status.waiting === 0, 'nothing waits')
  await ada.send(bob, 'after')
  await eventually(async () => (await bob.received(ada)).includes('after'), 'the next is there')
  expect(await bob.received(ada)).toEqual(['before', 'from the future', 'after'])
})
