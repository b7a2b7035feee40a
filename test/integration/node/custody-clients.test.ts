import { createConnection } from 'node:net'
import { lpStream } from '@libp2p/utils'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import { encodeClientFrame } from '../../../protocol/wire/peer-frames.ts'
import { makeEnvelope, newMailbox, random } from '../../support/network/in-process/fixtures.ts'
import { eventually } from '../../support/wait-for.ts'
import { openStream, TestClient } from '../../support/network/in-process/test-client.ts'
import { DEFAULT_RELAY_LIMITS } from '../../../node/clients/connection-manager.ts'
import { TestNetwork, type TestNode } from '../../support/network/in-process/test-network.ts'

let net: TestNetwork
let node: TestNode
beforeAll(async () => {
  net = await TestNetwork.start(1)
  node = net.nodes[0]!
})
afterAll(() => net.stop())

const at = (): [number, Uint8Array] => [node.port, node.listed.key]

/** One account, and people that it has no token of. */
async function writeToStrangers(net: TestNetwork): Promise<void> {
  const node = net.nodes[0]!
  const ada = await net.client(node)
  const write = (count: number) =>
    ada.submit(makeEnvelope(Array.from({ length: count }, newMailbox), { class: 'request' }))
  await write(60)
  await write(40)
  await expect(write(1)).rejects.toMatchObject({ code: 'rate-limited' })
  // The class that it claims does not matter; a proof, and an own device, do.
  await expect(ada.submit(makeEnvelope([newMailbox()]))).rejects.toMatchObject({ code: 'rate-limited' })
  await expect(ada.submit(makeEnvelope([newMailbox()], { class: 'system' }))).rejects.toMatchObject({
    code: 'rate-limited'
  })
  const bob = await net.client(node)
  await bob.publishToken()
  const toContact = makeEnvelope([bob.deviceId], { token: bob.token })
  expect((await ada.submit(toContact))[0]!.state).toBe('stored')
  expect((await ada.submit(makeEnvelope([ada.deviceId])))[0]!.state).toBe('stored')
}

describe('proving a device', () => {
  it('succeeds with the right signature and tells account and nodes', async () => {
    const ada = await net.device()
    const answer = await ada.connect(...at())
    expect(answer.deviceId).toEqual(ada.deviceId)
    expect(answer.accountId).toEqual(ada.accountId)
    expect(answer.epoch.nodes).toHaveLength(1)
  })

  it.each([
    ['another nonce', { nonce: random(32) }],
    ['another node', { nodeKey: random(32) }],
    ["another connection's key", { clientPeerKey: random(32) }],
    ['a clock that is an hour off', { time: Date.now() - 3_600_000 }]
  ])('fails with %s', async (_, change) => {
    const ada = await net.device()
    const hello = await ada.open(...at())
    await expect(ada.authenticate(hello, change)).rejects.toThrow()
    expect(ada.farewell).toBe('authentication-failed')
    await ada.ended
  })

  it('fails for a nonce of an earlier connection', async () => {
    const ada = await net.device()
    const { nonce } = await ada.open(...at())
    await ada.close()
    const hello = await ada.open(...at())
    await expect(ada.authenticate(hello, { nonce })).rejects.toThrow()
    expect(ada.farewell).toBe('authentication-failed')
  })

  it('fails for a device that no record names, or that was removed', async () => {
    const stranger = await TestClient.create()
    await expect(stranger.connect(...at())).rejects.toThrow()
    expect(stranger.farewell).toBe('unknown-device')
    const gone = await net.device()
    net.devices.get(toHex(gone.deviceId))!.state = 'revoked'
    await expect(gone.connect(...at())).rejects.toThrow()
    expect(gone.farewell).toBe('device-revoked')
    await Promise.all([stranger.close(), gone.close()])
  })

  it('fails for a version that the node does not speak', async () => {
    const ada = await net.device()
    const hello = await ada.open(...at())
    await expect(ada.authenticate(hello, { version: 9 })).rejects.toThrow()
    expect(ada.farewell).toBe('unsupported-version')
  })

  it('has five seconds', async () => {
    const ada = await net.device()
    await ada.open(...at())
    await ada.ended
    expect(ada.farewell).toBe('not-authenticated')
  })

  it('comes before anything else', async () => {
    const ada = await net.device()
    await ada.open(...at())
    await expect(ada.request({ kind: 'ping' })).rejects.toThrow()
    expect(ada.farewell).toBe('not-authenticated')
  })
})

describe('frames that are not accepted', () => {
  const malformed: [string, () => Uint8Array][] = [
    ['no CBOR', () => random(40)],
    ['an empty frame', () => new Uint8Array()],
    ['CBOR of another kind', () => Uint8Array.of(0x83, 0x18, 0x63, 0x01, 0x02)],
    [
      'a frame cut short',
      () => encodeClientFrame({ kind: 'submit', request: 3, epoch: 0, envelope: random(500) }).subarray(0, 300)
    ],
    ['a frame with bytes after its end', () => Uint8Array.of(...encodeClientFrame({ kind: 'ping', request: 3 }), 0)],
    ['a deeply nested frame', () => Uint8Array.from({ length: 60 }, () => 0x81)],
    ['a length that lies', () => Uint8Array.of(0x83, 0x02, 0x01, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)]
  ]

  it.each(malformed)('end the stream with a reason: %s', async (_, bytes) => {
    const ada = await net.client(node)
    await ada.sendBytes(bytes())
    await ada.ended
    expect(['malformed', 'unsupported-version', 'too-large']).toContain(ada.farewell)
  })

  it('end the stream when they are too large, before they are read', async () => {
    const ada = await net.client(node)
    await ada.sendBytes(new Uint8Array(300 * 1024)).catch(() => undefined)
    await ada.ended
    expect(ada.farewell).toBe('too-large')
  })

  it('are at most 4 KiB before the device is proven', async () => {
    const { host, stream } = await openStream(...at())
    const lp = lpStream(stream)
    await lp.read()
    await lp.write(new Uint8Array(5000)).catch(() => undefined)
    await eventually(() => stream.status !== 'open')
    await host.stop()
  })

  it('leave others alone: a malformed envelope is an error, and the stream goes on', async () => {
    const ada = await net.client(node)
    await expect(ada.request({ kind: 'submit', epoch: 0, envelope: random(100) })).rejects.toMatchObject({
      code: 'malformed'
    })
    const twice = makeEnvelope([newMailbox()])
    twice.recipients.push(twice.recipients[0]!)
    await expect(ada.submit(twice)).rejects.toMatchObject({ code: 'malformed' })
    expect((await ada.request({ kind: 'ping' })).kind).toBe('pong')
  })
})

describe('what clients may use', () => {
  it('one stream per device: a newer one ends the older', async () => {
    const ada = await net.client(node)
    const twin = ada.twin()
    await twin.connect(...at())
    await ada.ended
    expect(ada.farewell).toBe('refused')
    expect((await twin.request({ kind: 'ping' })).kind).toBe('pong')
    await twin.close()
  })

  it('requests by the device, not more: the rest is refused, others notice nothing', async () => {
    const flood = await net.client(node)
    const bob = await net.client(node)
    const answers = await Promise.allSettled(Array.from({ length: 1500 }, () => flood.request({ kind: 'epoch' })))
    const refused = answers.filter(answer => answer.status === 'rejected')
    expect(refused.length).toBeGreaterThan(500)
    expect(refused.length).toBeLessThan(1200)
    expect((await bob.submit(makeEnvelope([newMailbox()])))[0]!.state).toBe('stored')
  })

  it('message requests to strangers up to a hundred a day, whatever the class that they claim', async () => {
    const strict = await TestNetwork.start(1, { limits: { strangersPerDay: DEFAULT_RELAY_LIMITS.strangersPerDay } })
    try {
      await writeToStrangers(strict)
    } finally {
      await strict.stop()
    }
  })

  it('the WebSocket at the root only; anything else on the port is HTTP', async () => {
    const answer = await new Promise<string>(resolve => {
      const socket = createConnection(node.port, '127.0.0.1', () => {
        socket.write('GET /elsewhere HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
      })
      socket.once('data', data => resolve(data.toString()))
    })
    expect(answer).toContain('404')
    expect((await fetch(`http://127.0.0.1:${node.port}/`)).status).toBe(404)
  })

  it('memory by what a window holds: who does not acknowledge gets no more', async () => {
    const bob = await net.client(node)
    bob.acknowledges = false
    await bob.attach()
    const before = node.parts.delivery.delivered
    const ada = await net.client(node)
    for (let i = 0; i < 40; i++) await ada.submit(makeEnvelope([bob.deviceId], { payload: new Uint8Array(60_000) }))
    expect(await node.parts.store.heldIn(bob.deviceId)).toBe(40)
    expect(node.parts.delivery.delivered - before).toBeLessThan(25)
    await bob.acknowledge(bob.delivered.map(delivery => delivery.id))
    await eventually(() => node.parts.delivery.delivered - before > 30)
  })

  it('no more memory by not reading: who lets answers pile up is cut off, others notice nothing', async () => {
    const big = await TestNetwork.start(1, { limits: { requestsPerSecond: 1e6, requestBurst: 1e6 } })
    try {
      const [home] = big.nodes
      const [bob, ada] = [await big.client(home!), await big.client(home!)]
      bob.stopReading()
      const ask = { kind: 'bundles', accountId: bob.accountId } as const
      home!.directory.kept.set(
        toHex(bob.accountId),
        Array.from({ length: 32 }, () => random(4096))
      )
      for (let i = 0; i < 200; i++) bob.request(ask).catch(() => undefined)
      await eventually(() => home!.parts.connections.devices === 1)
      expect((await ada.request({ kind: 'ping' })).kind).toBe('pong')
    } finally {
      await big.stop()
    }
  })
})

describe('connections', () => {
  it('are limited per address', async () => {
    const small = await TestNetwork.start(1, { limits: { maxClientsPerAddress: 3 } })
    try {
      for (let i = 0; i < 3; i++) await small.client(small.nodes[0]!)
      await expect(small.client(small.nodes[0]!)).rejects.toThrow()
      await small.clients[0]!.close()
      await eventually(() => small.nodes[0]!.parts.connections.connections === 2)
      await small.client(small.nodes[0]!)
    } finally {
      await small.stop()
    }
  })

  it('that never finish their handshake are dropped', async () => {
    const sockets = Array.from({ length: 20 }, () => {
      const socket = createConnection(node.port, '127.0.0.1', () => {
        const key = Buffer.from(random(16)).toString('base64')
        socket.write(
          `GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`
        )
      })
      socket.on('error', () => undefined)
      socket.resume()
      return new Promise<void>(resolve => socket.on('close', () => resolve()))
    })
    await Promise.all(sockets)
    const ada = await net.client(node)
    expect((await ada.request({ kind: 'ping' })).kind).toBe('pong')
  })

  it('come and go without leaving anything behind', async () => {
    const before = node.parts.connections.connections
    for (let i = 0; i < 30; i++) {
      const client = await net.client(node)
      await client.attach()
      await client.close()
    }
    await eventually(() => node.parts.connections.connections <= before)
    expect(node.parts.clientHost.getConnections().length).toBeLessThanOrEqual(before)
    expect(await node.parts.clientHost.peerStore.all()).toEqual([])
  })
})
