import { generateKeyPair } from '@libp2p/crypto/keys'
import type { MessageStream, StreamMessageEvent, Upgrader } from '@libp2p/interface'
import { noise, type NoiseComponents } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { silentLibp2pLog } from '../../../node/silent-libp2p-log.ts'
import { wholePackets as wholeAtNodes } from '../../../node/whole-packets.ts'
import { wholePackets as wholeAtPeers } from '../../../peer/transport/whole-packets.ts'
import { concatBytes } from '../../../protocol/bytes.ts'
import { eventually } from '../../support/network-peers.ts'

type WriteList = Iterable<Uint8Array>
type Raw = MessageStream & { sendData(data: WriteList): unknown }
type Wrap = typeof wholeAtNodes<NoiseComponents>

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

describe.each<[string, Wrap]>([
  ['a node', wholeAtNodes],
  ['a client', wholeAtPeers]
])('Noise packets of %s', (_, wrap) => {
  it('are each one piece for the transport, and arrive', async () => {
    const { out, received, pieces } = await securedPair(wrap)
    pieces.length = 0
    const sent = [1, 500, 1_200, 5_000].map(length => new Uint8Array(randomBytes(length)))
    for (const message of sent) out.send(message)
    await eventually(() => received.length >= sent.length, 10_000)
    expect(concatBytes(...received)).toEqual(concatBytes(...sent))
    // A length of two bytes, the content, and a tag of 16.
    expect(pieces.map(piece => piece.length)).toEqual([19, 518, 1_218, 5_018])
  })

  it('without it are two', async () => {
    const { out, received, pieces } = await securedPair(create => create as ReturnType<Wrap>)
    pieces.length = 0
    out.send(new Uint8Array(500))
    await eventually(() => received.length > 0, 10_000)
    expect(pieces.map(piece => piece.length)).toEqual([2, 516])
  })

  it('are read however the network cuts them, also within a length', async () => {
    const { out, received } = await securedPair(wrap, 1)
    const sent = Array.from({ length: 20 }, (_, i) => new Uint8Array(randomBytes(1 + i * 13)))
    for (const message of sent) out.send(message)
    const total = concatBytes(...sent)
    await eventually(() => concatBytes(...received).length >= total.length, 10_000)
    expect(concatBytes(...received)).toEqual(total)
  })
})
