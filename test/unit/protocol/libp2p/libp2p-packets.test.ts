import { generateKeyPair } from '@libp2p/crypto/keys'
import type { MessageStream, Stream, StreamMessageEvent, Upgrader } from '@libp2p/interface'
import { noise, type NoiseComponents } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { silentLibp2pLog } from '../../../../node/network/silent-libp2p-log.ts'
import { concatBytes } from '../../../../protocol/bytes.ts'
import {
  fewWindowUpdates,
  HeldWindowUpdates,
  MAX_HELD_STREAMS,
  WINDOW_UPDATE_BYTES,
  wholePackets
} from '../../../../protocol/libp2p/libp2p-packets.ts'
import { muxedStreams } from '../../../support/muxed-streams.ts'
import { eventually } from '../../../support/wait-for.ts'

type WriteList = Iterable<Uint8Array>
type Raw = MessageStream & { sendData(data: WriteList): unknown }
type Wrap = typeof wholePackets<NoiseComponents>

async function components(): Promise<NoiseComponents> {
  const privateKey = await generateKeyPair('Ed25519')
  const upgrader = { getStreamMuxers: () => new Map() } as unknown as Upgrader
  return { privateKey, peerId: peerIdFromPrivateKey(privateKey), logger: silentLibp2pLog, upgrader }
}

/** Two ends secured by Noise, and what the dialling one writes to the transport, in pieces. */
async function securedPair(wrap: Wrap, chunkSize = 65_536) {
  const [outbound, inbound] = multiaddrConnectionPair({ chunkSize, capacity: 100_000 }) as unknown as [Raw, Raw]
  const pieces: Uint8Array[] = []
  const sendData = outbound.sendData.bind(outbound)
  outbound.sendData = data => {
    pieces.push(...data)
    return sendData(data)
  }
  const create = wrap(noise())
  const [dialler, listener] = [create(await components()), create(await components())]
  const [out, into] = await Promise.all([dialler.secureOutbound(outbound), listener.secureInbound(inbound)])
  const received: Uint8Array[] = []
  into.connection.addEventListener('message', event => received.push((event as StreamMessageEvent).data.subarray()))
  return { out: out.connection, received, pieces }
}

describe('Noise packets', () => {
  it('are each one piece for the transport, and arrive', async () => {
    const { out, received, pieces } = await securedPair(wholePackets)
    pieces.length = 0
    const sent = [1, 500, 1_200, 5_000].map(length => new Uint8Array(randomBytes(length)))
    for (const message of sent) out.send(message)
    await eventually(() => received.length >= sent.length)
    expect(concatBytes(...received)).toEqual(concatBytes(...sent))
    // A length of two bytes, the content, and a tag of 16.
    expect(pieces.map(piece => piece.length)).toEqual([19, 518, 1_218, 5_018])
  })

  it('without it are two', async () => {
    const { out, received, pieces } = await securedPair(create => create as ReturnType<Wrap>)
    pieces.length = 0
    out.send(new Uint8Array(500))
    await eventually(() => received.length > 0)
    expect(pieces.map(piece => piece.length)).toEqual([2, 516])
  })

  it('are read however the network cuts them, also within a length', async () => {
    const { out, received } = await securedPair(wholePackets, 1)
    const sent = Array.from({ length: 20 }, (_, i) => new Uint8Array(randomBytes(1 + i * 13)))
    for (const message of sent) out.send(message)
    const total = concatBytes(...sent)
    await eventually(() => concatBytes(...received).length >= total.length)
    expect(concatBytes(...received)).toEqual(total)
  })
})

/** Bytes that a stream has brought so far. */
function counted(stream: Stream): () => number {
  let bytes = 0
  stream.addEventListener('message', event => (bytes += event.data.byteLength))
  return () => bytes
}

describe('window updates of yamux', () => {
  it('are not sent for every piece of a chat', async () => {
    const { out, into, written } = await muxedStreams(fewWindowUpdates)
    const arrived = counted(into)
    for (let i = 0; i < 50; i++) out.send(new Uint8Array(1_000))
    await eventually(() => arrived() === 50_000)
    // That the stream is accepted, and nothing else.
    expect(written.listener).toHaveLength(1)
  })

  it('are sent for every piece without it', async () => {
    const { out, into, written } = await muxedStreams(create => create as never)
    const arrived = counted(into)
    for (let i = 0; i < 50; i++) {
      out.send(new Uint8Array(1_000))
      await eventually(() => arrived() === (i + 1) * 1_000)
    }
    expect(written.listener.length).toBeGreaterThanOrEqual(50)
  })

  it.each([300, 700, 65_536])('let pieces of %i bytes flow far beyond the window, both ways', async size => {
    const { out, into } = await muxedStreams(fewWindowUpdates)
    const total = 3 * 1024 * 1024
    const [there, back] = [counted(into), counted(out)]
    for (let sent = 0; sent < total; sent += 65_536) {
      for (const stream of [out, into]) {
        const data = new Uint8Array(65_536)
        for (let from = 0; from < data.length; from += size) stream.send(data.subarray(from, from + size))
      }
    }
    await eventually(() => there() >= total && back() >= total, { timeoutMs: 60_000 })
  })

  it('flow again after a reader that made the other end wait', async () => {
    const { out, into } = await muxedStreams(fewWindowUpdates)
    const arrived = counted(into)
    into.pause()
    const total = 1024 * 1024
    for (let sent = 0; sent < total; sent += 65_536) out.send(new Uint8Array(65_536))
    await eventually(() => into.readBufferLength > 200_000)
    expect(arrived()).toBe(0)
    into.resume()
    await eventually(() => arrived() === total)
  })

  const update = (stream: number, bytes: number, flags = 0): Uint8Array => {
    const frame = new Uint8Array(12)
    const header = new DataView(frame.buffer)
    header.setUint8(1, 1)
    header.setUint16(2, flags)
    header.setUint32(4, stream)
    header.setUint32(8, bytes)
    return frame
  }

  it('are joined per stream until a quarter of the window is used', () => {
    const held = new HeldWindowUpdates()
    expect(held.pass(update(1, 1_000))).toEqual([])
    expect(held.pass(update(3, 2_000))).toEqual([])
    expect(held.pass(update(1, WINDOW_UPDATE_BYTES - 1_000))).toEqual([update(1, WINDOW_UPDATE_BYTES)])
    expect(held.pass(update(1, 5))).toEqual([])
    expect(held.pass(update(3, WINDOW_UPDATE_BYTES))).toEqual([update(3, WINDOW_UPDATE_BYTES + 2_000)])
  })

  it('go along with what opens or closes a stream, and are forgotten with a reset', () => {
    const held = new HeldWindowUpdates()
    held.pass(update(1, 1_000))
    expect(held.pass(update(1, 0, 4))).toEqual([update(1, 1_000, 4)])
    held.pass(update(1, 1_000))
    expect(held.pass(update(1, 0, 8))).toEqual([update(1, 0, 8)])
    expect(held.pass(update(1, 0, 4))).toEqual([update(1, 0, 4)])
  })

  it('wait for a bounded number of streams', () => {
    const held = new HeldWindowUpdates()
    for (let stream = 1; stream <= MAX_HELD_STREAMS; stream++) expect(held.pass(update(stream, 7))).toEqual([])
    expect(held.pass(update(1_000, 7))).toHaveLength(MAX_HELD_STREAMS + 1)
    expect(held.pass(update(1, WINDOW_UPDATE_BYTES))).toEqual([update(1, WINDOW_UPDATE_BYTES)])
  })

  it('leave every other frame as it is', () => {
    const held = new HeldWindowUpdates()
    const ping = update(0, 1).fill(2, 1, 2)
    expect(held.pass(ping)).toEqual([ping])
    const data = new Uint8Array(30)
    expect(held.pass(data)).toEqual([data])
  })
})
