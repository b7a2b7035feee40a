import { describe, expect, test } from 'vitest'
import { ConversationRoster } from '../../../../peer/groups/conversation-roster.ts'
import { GroupBook } from '../../../../peer/groups/group-book.ts'
import { GroupKnowledge } from '../../../../peer/groups/group-knowledge.ts'
import { SessionUpkeep, type SessionUpkeepComponents } from '../../../../peer/maintenance/session-upkeep.ts'
import type { DirectoryClient } from '../../../../peer/directory/directory-client.ts'
import type { EngineContext } from '../../../../peer/engine-context.ts'
import { PairingBook } from '../../../../peer/store/pairing-book.ts'
import type { Conversation } from '../../../../peer/store/conversation-entries.ts'
import { slots } from '../../../../peer/store/store-layout.ts'
import type { StateStore } from '../../../../peer/store/state-store.ts'
import { toHex } from '../../../../protocol/bytes.ts'
import type { MessageBody } from '../../../../protocol/conversation/message.ts'
import type { ConversationId } from '../../../../protocol/roster/roster.ts'
import { emptySequencer } from '../../../../protocol/conversation/sequencer.ts'
import type { AccountId, DeviceId } from '../../../../protocol/identity/device.ts'
import { PENDING_TTL_MS } from '../../../../protocol/limits.ts'
import type { SessionId } from '../../../../protocol/session/context.ts'
import { emptyOwnKeys, renewOwnKey } from '../../../../protocol/session/conversation-keys.ts'
import { MAX_OPEN_DELIVERIES, type OpenDelivery } from '../../../../protocol/session/open-delivery.ts'
import { MAX_REQUEST_RANGES, REQUEST_INTERVAL_MS } from '../../../../protocol/conversation/resend.ts'
import type { NetworkId } from '../../../../protocol/network.ts'
import { memoryStates } from '../../../support/peer/memory-states.ts'

const START = 1_000_000_000
const me = new Uint8Array(32).fill(1) as AccountId
const bob = new Uint8Array(32).fill(2) as AccountId
const conversationId = new Uint8Array(32).fill(3) as ConversationId
const key = toHex(conversationId)
const conversation = { conversationId, accountId: bob, kind: 'direct' } as Conversation
const network = new Uint8Array(32).fill(4) as NetworkId

const isWiped = (secret: Uint8Array): boolean => secret.every(byte => byte === 0)

async function createUpkeep() {
  const { states, store, crypto, random, reopened } = await memoryStates()
  const clock = { now: START }
  const taken: MessageBody[] = []
  const known = {
    view: { revokedAt: () => undefined },
    current: { devices: [] },
    checked: { account: { head: new Uint8Array(32) } }
  }
  const context = {
    crypto,
    random,
    timers: { now: () => clock.now },
    network: () => ({ id: network }),
    accountId: () => me,
    device: () => ({ deviceId: new Uint8Array(16) })
  }
  const directory = { load: async () => known, account: async () => undefined }
  const book = new GroupBook(context as unknown as EngineContext, states)
  const components = {
    context,
    states,
    directory,
    roster: new ConversationRoster(context as unknown as EngineContext, directory as unknown as DirectoryClient, book),
    groups: new GroupKnowledge(context as unknown as EngineContext, book),
    inbox: { heardAt: () => undefined },
    pairs: {
      say: async (_unit: unknown, _id: unknown, _device: unknown, bodies: MessageBody[]) => void taken.push(...bodies)
    },
    pairings: new PairingBook(states),
    outbox: { kick: () => undefined },
    onKeysChanged: () => undefined
  }
  const upkeep = new SessionUpkeep(components as unknown as SessionUpkeepComponents)
  const env = { crypto, network, random, now: () => clock.now }
  return { upkeep, states, store, clock, taken, env, reopened }
}

const ownKeys = async (states: StateStore) => (await states.read(slots.ownKeys(key)))!.own.keys

describe('secrets that nobody needs any more', () => {
  test('are still there if the store refuses the change, and only the others are once it takes it', async () => {
    const { upkeep, states, store, clock, env, reopened } = await createUpkeep()
    const older = await renewOwnKey(env, emptyOwnKeys())
    const { own } = await renewOwnKey(env, older.own)
    await states.unit(async unit => unit.write(slots.ownKeys(key), { conversationId, own }))
    clock.now += 10 * PENDING_TTL_MS
    store.failNext = true
    await expect(upkeep.run(conversation)).rejects.toThrow('disk full')
    expect((await ownKeys(states)).map(({ seed }) => isWiped(seed.expose()))).toEqual([false, false])
    await upkeep.run(conversation)
    expect((await ownKeys(states)).map(({ index, seed }) => [index, isWiped(seed.expose())])).toEqual([[1, false]])
    expect((await ownKeys(await reopened())).map(({ index, seed }) => [index, isWiped(seed.expose())])).toEqual([
      [1, false]
    ])
    // What was in memory before is not left lying about.
    expect(own.keys.map(({ seed }) => isWiped(seed.expose()))).toEqual([true, true])
  })
})

describe('a device that never answers', () => {
  test('makes us keep and seal no more Opens than a bound', async () => {
    const { upkeep, states, env } = await createUpkeep()
    const deliveryOf = (i: number): OpenDelivery => ({
      sessionId: env.random(16) as SessionId,
      commitment: env.random(32),
      secret: env.random(32),
      pairingRoot: env.random(32),
      openBody: env.random(100),
      expiry: START + PENDING_TTL_MS + i,
      waiting: [{ deviceId: env.random(16) as DeviceId, keyId: null, sentAt: START, attempts: 1 }]
    })
    const deliveries = Array.from({ length: MAX_OPEN_DELIVERIES + 5 }, (_, i) => deliveryOf(i))
    await states.unit(async unit => {
      for (const delivery of deliveries) unit.write(slots.openDelivery(key, toHex(delivery.sessionId)), delivery)
    })
    await upkeep.run(conversation)
    expect(await states.range('open-delivery', key, slots.openDelivery('', '').codec)).toHaveLength(MAX_OPEN_DELIVERIES)
  })

  test('is asked for what is missing in few words, and ever more seldom', async () => {
    const { upkeep, states, env, clock, taken } = await createUpkeep()
    const deviceId = env.random(16) as DeviceId
    const missing = Array.from({ length: 200 }, (_, i) => ({
      from: 2 * i,
      to: 2 * i,
      kind: 'gap' as const,
      start: null,
      end: null
    }))
    const sequencer = { ...emptySequencer(conversationId, deviceId), next: 1_000, expected: 1_000, missing }
    await states.unit(async unit => unit.write(slots.sequencer(key, toHex(deviceId)), sequencer))
    for (const end = START + 240 * REQUEST_INTERVAL_MS; clock.now < end; clock.now += REQUEST_INTERVAL_MS) {
      await upkeep.run(conversation)
    }
    const requests = taken.flatMap(body => (body.kind === 'resendRequest' ? [body] : []))
    expect(requests).toHaveLength(taken.length)
    expect(requests.length).toBeGreaterThan(3)
    // Seven requests name all the ranges once; each is named eight times in four hours.
    expect(requests.length).toBeLessThan(7 * 9)
    expect(Math.max(...requests.map(({ ranges }) => ranges.length))).toBe(MAX_REQUEST_RANGES)
  })
})
