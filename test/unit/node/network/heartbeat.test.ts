import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Gossip } from '../../../../node/network/gossip.ts'
import { HeartbeatService, SILENCE_LIMIT_MS } from '../../../../node/network/heartbeat.ts'
import { NetworkView } from '../../../../node/network/network-view.ts'
import type { NodeLinks } from '../../../../node/network/node-links.ts'
import type { SigningKey } from '../../../../protocol/crypto/crypto.ts'
import { encodeHeartbeat, signHeartbeat } from '../../../../protocol/wire/node-frames.ts'
import { configuredEpoch, type ListedNode, type NodeKey, type OperatorId } from '../../../../protocol/wire/placement.ts'
import { crypto, genesis, network, quietLogger, random } from '../../../support/network/in-process/fixtures.ts'

const listedNode = (key: SigningKey): ListedNode => ({
  key: key.publicKey as NodeKey,
  operator: random(32) as OperatorId,
  url: 'http://127.0.0.1:1',
  link: '/ip4/127.0.0.1/tcp/1'
})

describe('heartbeats', () => {
  let other: SigningKey
  let service: HeartbeatService
  let reset: ListedNode[]
  let published: number
  let up: (node: ListedNode) => void
  let otherNode: ListedNode

  beforeEach(async () => {
    vi.useFakeTimers({ now: 1_000_000_000_000 })
    const key = await crypto.signingKeyFromSeed(random(32))
    other = await crypto.signingKeyFromSeed(random(32))
    otherNode = listedNode(other)
    reset = []
    published = 0
    const view = new NetworkView({ crypto, network, genesis, nodeKey: key.publicKey as NodeKey }, [
      configuredEpoch(0, random(32), [listedNode(key), otherNode])
    ])
    const gossip = { publish: async () => ((published += 1), new Set<string>()) }
    const links = {
      onUp: (listener: (node: ListedNode) => void) => (up = listener),
      isUp: () => true,
      reset: async (node: ListedNode) => void reset.push(node)
    }
    service = new HeartbeatService({
      crypto,
      network,
      key,
      view,
      gossip: gossip as unknown as Gossip,
      links: links as unknown as NodeLinks,
      clock: () => Date.now(),
      now: () => performance.now(),
      logger: quietLogger
    })
    service.start()
    up(otherNode)
  })
  afterEach(() => {
    service.stop()
    vi.useRealTimers()
  })

  const beat = async (time = Date.now(), key = other, node = otherNode.key) =>
    service.onHeartbeat(encodeHeartbeat(await signHeartbeat(network, key, { node, epoch: 0, time })))

  it('are sent every five seconds', async () => {
    await vi.advanceTimersByTimeAsync(20_000)
    expect(published).toBe(5)
  })

  it('reset the link of a node that is connected but silent for fifteen seconds, again and again', async () => {
    await vi.advanceTimersByTimeAsync(SILENCE_LIMIT_MS - 1_000)
    expect(reset).toEqual([])
    await vi.advanceTimersByTimeAsync(6_000)
    expect(reset.map(node => node.url)).toEqual([otherNode.url])
    await vi.advanceTimersByTimeAsync(SILENCE_LIMIT_MS + 5_000)
    expect(reset).toHaveLength(2)
  })

  it('that come keep the link', async () => {
    for (let i = 0; i < 12; i++) {
      await vi.advanceTimersByTimeAsync(5_000)
      expect(await beat()).toBe('accept')
    }
    expect(reset).toEqual([])
    expect(service.lastSeen(otherNode.key)).toBe(Date.now())
  })

  it('count once, in order, and near the own clock', async () => {
    expect(await beat()).toBe('accept')
    expect(await beat()).toBe('ignore')
    expect(await beat(Date.now() - 1)).toBe('ignore')
    expect(await beat(Date.now() + 3_600_000)).toBe('ignore')
    expect(await beat(Date.now() + 5)).toBe('accept')
  })

  it('say how far the own clock is off, by word of most nodes, until they agree with it', async () => {
    expect(service.clockError()).toBeUndefined()
    expect(await beat(Date.now() + 3_600_000)).toBe('ignore')
    expect(service.clockError()).toBe(-3_600_000)
    // The same heartbeat, passed on again an hour later, says nothing.
    await vi.advanceTimersByTimeAsync(60_000)
    expect(service.clockError()).toBeUndefined()
    await beat(Date.now() + 3_600_000)
    vi.setSystemTime(Date.now() + 3_600_000)
    expect(await beat(Date.now() + 1)).toBe('accept')
    expect(service.clockError()).toBeUndefined()
  })

  it('are refused when they are forged or malformed, and ignored from who is not listed', async () => {
    const stranger = await crypto.signingKeyFromSeed(random(32))
    expect(await beat(Date.now(), stranger)).toBe('reject')
    expect(await beat(Date.now(), stranger, stranger.publicKey as NodeKey)).toBe('ignore')
    expect(await service.onHeartbeat(random(50))).toBe('reject')
  })
})
