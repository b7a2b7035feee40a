import { describe, expect, it } from 'vitest'
import { ConnectionManager, DEFAULT_RELAY_LIMITS } from '../../../../node/clients/connection-manager.ts'
import { ClientQuotas } from '../../../../node/limits/client-quotas.ts'
import { TokenBucket, TokenBuckets } from '../../../../node/limits/token-bucket.ts'
import type { AccountId } from '../../../../protocol/identity/device.ts'
import { newMailbox, random } from '../../../support/network/in-process/fixtures.ts'

describe('a token bucket', () => {
  it('gives its burst at once, then its rate', () => {
    const bucket = new TokenBucket(10, 20, 0)
    expect(bucket.spend(20, 0)).toBe(true)
    expect(bucket.spend(1, 0)).toBe(false)
    expect(bucket.spend(5, 500)).toBe(true)
    expect(bucket.spend(1, 500)).toBe(false)
    expect(bucket.spend(20, 60_000)).toBe(true)
    expect(bucket.spend(1, 60_000)).toBe(false)
  })

  it('does not fill when the clock stands still or goes back', () => {
    const bucket = new TokenBucket(10, 1, 1000)
    expect(bucket.spend(1, 1000)).toBe(true)
    expect(bucket.spend(1, 0)).toBe(false)
  })

  it('of one key does not use up that of another, and memory is bounded', () => {
    const buckets = new TokenBuckets(1, 2, 100)
    expect([0, 1, 2].map(() => buckets.spend('a', 1, 0))).toEqual([true, true, false])
    expect(buckets.spend('b', 1, 0)).toBe(true)
    for (let i = 0; i < 10_000; i++) expect(buckets.spend(`key ${i}`, 1, 0)).toBe(true)
  })

  it('costs little when there are ever new keys', () => {
    const buckets = new TokenBuckets(1, 2, 20_000)
    const start = process.cpuUsage()
    for (let i = 0; i < 60_000; i++) buckets.spend(`key ${i}`, 1, 0)
    const { user, system } = process.cpuUsage(start)
    expect((user + system) / 1000).toBeLessThan(5_000)
  })
})

describe('the connection manager', () => {
  const make = (limits = {}) => {
    const clock = { now: 0 }
    const all = { ...DEFAULT_RELAY_LIMITS, ...limits }
    const now = () => clock.now
    return { clock, manager: new ConnectionManager(now, all), quotas: new ClientQuotas(now, all) }
  }

  it('counts connections per address, an IPv6 network as one', () => {
    const { manager } = make({ maxClientsPerAddress: 2 })
    expect(manager.admit('2001:db8::1')).toBeDefined()
    expect(manager.admit('2001:db8::2')).toBeDefined()
    expect(manager.admit('2001:db8::3')).toBeUndefined()
    expect(manager.admit('2001:db8:0:1::3')).toBeDefined()
    expect(manager.refusedConnections).toBe(1)
  })

  it('gives the place back once, however often it is released', () => {
    const { manager } = make({ maxClientsPerAddress: 1 })
    const admission = manager.admit('192.0.2.1')!
    admission.release()
    admission.release()
    expect(manager.connections).toBe(0)
    expect(manager.admit('192.0.2.1')).toBeDefined()
    expect(manager.admit('192.0.2.1')).toBeUndefined()
  })

  it('slows down an address that connects again and again', () => {
    const { clock, manager } = make({ connectionsPerSecond: 5 })
    const admitted = Array.from({ length: 100 }, () => manager.admit('192.0.2.1'))
    admitted.forEach(admission => admission?.release())
    expect(admitted.filter(Boolean)).toHaveLength(20)
    expect(manager.admit('192.0.2.2')).toBeDefined()
    clock.now = 1000
    expect(Array.from({ length: 10 }, () => manager.admit('192.0.2.1')).filter(Boolean)).toHaveLength(5)
  })

  it('keeps room among connections without a proven device', () => {
    const { manager } = make({ maxClients: 5000, maxClientsPerAddress: 5000, connectionsPerSecond: 10_000 })
    const admitted = Array.from({ length: 1000 }, () => manager.admit('192.0.2.1')!)
    expect(manager.admit('192.0.2.9')).toBeUndefined()
    admitted[0]!.proven()
    expect(manager.admit('192.0.2.9')).toBeDefined()
  })

  it('leaves places for others when a few addresses connect and prove nothing', () => {
    const { clock, manager } = make()
    const slow = Array.from({ length: 6 }, (_, i) => `192.0.2.${i}`)
    for (let round = 0; round < 20; round++) {
      clock.now += 1_000
      for (const address of slow) for (let i = 0; i < 50; i++) manager.admit(address)
    }
    expect(manager.connections).toBe(6 * 50)
    const others = Array.from({ length: 500 }, (_, i) => manager.admit(`198.51.${i >> 8}.${i & 255}`))
    expect(others.every(admission => admission !== undefined)).toBe(true)
    // Who proves a device makes room for the next one of the same address.
    const [first] = others
    for (let i = 0; i < 49; i++) manager.admit('198.51.0.0')
    expect(manager.admit('198.51.0.0')).toBeUndefined()
    first!.proven()
    expect(manager.admit('198.51.0.0')).toBeDefined()
  })

  it('lets one session per device live', () => {
    const { manager } = make()
    const ended: string[] = []
    const session = (name: string) => ({ supersede: () => ended.push(name) })
    const device = newMailbox()
    const [first, second] = [session('first'), session('second')]
    manager.register(device, first)
    manager.register(device, second)
    manager.unregister(device, first)
    expect(ended).toEqual(['first'])
    expect(manager.devices).toBe(1)
    manager.unregister(device, second)
    expect(manager.devices).toBe(0)
  })

  const sender = (accountId = random(32) as AccountId) => ({ deviceId: newMailbox(), accountId })

  it('limits envelopes of one device, whatever they are called, and leaves others alone', () => {
    const { clock, quotas } = make()
    const flood = sender()
    const taken = Array.from({ length: 1_000 }, () => quotas.allowsEnvelope(flood, 1, 0)).filter(Boolean)
    expect(taken).toHaveLength(DEFAULT_RELAY_LIMITS.requestBurst)
    expect(quotas.refusedEnvelopes).toBe(500)
    expect(quotas.allowsEnvelope(sender(), 1, 0)).toBe(true)
    clock.now = 1_000
    expect(Array.from({ length: 100 }, () => quotas.allowsEnvelope(flood, 1, 0)).filter(Boolean)).toHaveLength(50)
  })

  it('counts the recipients of an envelope', () => {
    const { quotas } = make()
    const flood = sender()
    const taken = Array.from({ length: 1_000 }, () => quotas.allowsEnvelope(flood, 64, 0)).filter(Boolean)
    expect(taken).toHaveLength(Math.floor(DEFAULT_RELAY_LIMITS.requestBurst / 3))
  })

  it('counts what replicas have to keep: few envelopes to many people are no way to fill their disks', () => {
    const { clock, quotas } = make()
    const { accountId } = sender()
    const largest = 64 * 64 * 1024
    const send = (): number =>
      Array.from({ length: 50 }, () => quotas.allowsEnvelope(sender(accountId), 64, largest)).filter(Boolean).length
    expect(send()).toBe(15)
    clock.now = 10_000
    // 20 MB in ten seconds, where the envelopes alone would have allowed 600 MB.
    expect(send()).toBe(5)
    expect(quotas.allowsEnvelope(sender(), 64, largest)).toBe(true)
  })

  it('limits all devices of an account together', () => {
    const { quotas } = make()
    const { accountId } = sender()
    const taken = Array.from({ length: 10 }, () => sender(accountId)).flatMap(device =>
      Array.from({ length: 500 }, () => quotas.allowsEnvelope(device, 1, 0)).filter(Boolean)
    )
    expect(taken).toHaveLength(2_000)
  })

  it('lets no account take more than its share of a mailbox', () => {
    const { clock, quotas } = make()
    const [eve, ada, mailbox] = [random(32) as AccountId, random(32) as AccountId, newMailbox()]
    const send = () => Array.from({ length: 10_000 }, () => quotas.allowsMailbox(eve, mailbox)).filter(Boolean).length
    expect(send()).toBe(2_500)
    expect(quotas.allowsMailbox(ada, mailbox)).toBe(true)
    expect(quotas.allowsMailbox(eve, newMailbox())).toBe(true)
    clock.now = 1_000
    expect(send()).toBe(5)
  })

  it('lets an account write to a hundred strangers a day', () => {
    const { clock, quotas } = make()
    const account = random(32) as AccountId
    expect(quotas.allowsStrangers(account, 100)).toBe(true)
    expect(quotas.allowsStrangers(account, 1)).toBe(false)
    expect(quotas.allowsStrangers(random(32) as AccountId, 1)).toBe(true)
    clock.now = 86_400_000
    expect(quotas.allowsStrangers(account, 100)).toBe(true)
  })
})
