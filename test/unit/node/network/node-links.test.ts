import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { NodeHost } from '../../../../node/network/libp2p-host.ts'
import { NetworkView } from '../../../../node/network/network-view.ts'
import { NodeLinks } from '../../../../node/network/node-links.ts'
import type { SigningKey } from '../../../../protocol/crypto/crypto.ts'
import { compareBytes } from '../../../../protocol/bytes.ts'
import {
  configuredEpoch,
  type Epoch,
  type ListedNode,
  type NodeKey,
  type OperatorId
} from '../../../../protocol/wire/placement.ts'
import { crypto, genesis, network, quietLogger, random } from '../../../support/network/in-process/fixtures.ts'

const listedNode = (key: SigningKey): ListedNode => ({
  key: key.publicKey as NodeKey,
  operator: random(32) as OperatorId,
  url: 'http://127.0.0.1:1',
  link: '/ip4/127.0.0.1/tcp/1'
})

describe('the links of a node', () => {
  let links: NodeLinks
  let view: NetworkView
  let both: Epoch
  let dials: number

  beforeEach(async () => {
    vi.useFakeTimers()
    const keys = await Promise.all([random(32), random(32)].map(seed => crypto.signingKeyFromSeed(seed)))
    // The node with the lower key dials.
    const [own, other] = keys.sort((a, b) => compareBytes(a.publicKey, b.publicKey)).map(listedNode) as [
      ListedNode,
      ListedNode
    ]
    both = configuredEpoch(0, random(32), [own, other])
    view = new NetworkView({ crypto, network, genesis, nodeKey: own.key }, [both])
    dials = 0
    const host = {
      handle: async () => undefined,
      unhandle: async () => undefined,
      hangUp: async () => undefined,
      dial: () => ((dials += 1), Promise.reject(new Error('connection refused')))
    }
    links = new NodeLinks({ host: host as unknown as NodeHost, view, network, logger: quietLogger, random })
    await links.start()
  })
  afterEach(async () => {
    await links.stop()
    vi.useRealTimers()
  })

  it('a node that is away is dialled again and again', async () => {
    await vi.advanceTimersByTimeAsync(3_000)
    expect(dials).toBeGreaterThan(3)
  })

  it('a node that leaves the list while it is away is let go of, and dialled when it is back', async () => {
    await vi.advanceTimersByTimeAsync(1_000)
    const before = dials
    // A dial that met nobody left on the list would end the process here.
    view.setEpochs([{ ...both, number: 1, nodes: both.nodes.slice(0, 1) }])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(dials).toBe(before)
    view.setEpochs([{ ...both, number: 2 }])
    await vi.advanceTimersByTimeAsync(3_000)
    expect(dials).toBeGreaterThan(before)
  })
})
