import { lpStream, streamPair } from '@libp2p/utils'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../../../protocol/bytes.ts'
import { FrameStream } from '../../../../protocol/libp2p/frame-stream.ts'
import { fewWindowUpdates, MAX_WINDOW_BYTES } from '../../../../protocol/libp2p/libp2p-packets.ts'
import { muxedStreams } from '../../../support/muxed-streams.ts'
import { eventually } from '../../../support/wait-for.ts'

const INIT = { maxFrameBytes: 1000, maxWaitingBytes: 10_000 }

const prefixed = (frame: Uint8Array): Uint8Array =>
  frame.length < 128
    ? concatBytes(Uint8Array.of(frame.length), frame)
    : concatBytes(Uint8Array.of((frame.length % 128) | 0x80, Math.floor(frame.length / 128)), frame)

/** A frame of 16 KiB to 2 MiB behind its length. */
const longPrefixed = (frame: Uint8Array): Uint8Array =>
  concatBytes(
    Uint8Array.of((frame.length & 0x7f) | 0x80, ((frame.length >> 7) & 0x7f) | 0x80, frame.length >> 14),
    frame
  )

async function readAll(frames: FrameStream): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for (;;) {
    const frame = await frames.read()
    if (frame === undefined) return all
    all.push(Uint8Array.from(frame))
  }
}

describe('frames on a stream', () => {
  it('come out as they went in, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 40 }),
        async (sent, cuts) => {
          const [raw, stream] = await streamPair()
          const frames = new FrameStream(stream, INIT)
          const bytes = concatBytes(...sent.map(prefixed))
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const size = cuts[i % cuts.length]!
            raw.send(bytes.slice(at, at + size))
            at += size
          }
          const reading = readAll(frames)
          await raw.close()
          expect(await reading).toEqual(sent)
        }
      ),
      { numRuns: 40 }
    )
  })

  it('are what lpStream of libp2p writes and reads', async () => {
    const [raw, stream] = await streamPair()
    const frames = new FrameStream(stream, INIT)
    const peer = lpStream(raw)
    const frame = new Uint8Array(700).fill(7)
    frames.send(frame)
    frames.send(Uint8Array.of(1))
    expect((await peer.read()).subarray()).toEqual(frame)
    expect((await peer.read()).subarray()).toEqual(Uint8Array.of(1))
    await peer.write(frame)
    expect(await frames.read()).toEqual(frame)
  })

  it('are refused by their length, before they have come', async () => {
    const [raw, stream] = await streamPair()
    const frames = new FrameStream(stream, INIT)
    raw.send(Uint8Array.of(0xe9, 0x07))
    await expect(frames.read()).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  it('are refused with a length that does not end', async () => {
    const [raw, stream] = await streamPair()
    const frames = new FrameStream(stream, INIT)
    raw.send(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80))
    await expect(frames.read()).rejects.toMatchObject({ code: 'MALFORMED' })
  })

  it('that are cut off by the end of the stream are none', async () => {
    const [raw, stream] = await streamPair()
    const frames = new FrameStream(stream, INIT)
    raw.send(Uint8Array.of(10, 1, 2, 3))
    await raw.close()
    expect(await frames.read()).toBeUndefined()
  })

  it('may be longer once that is allowed', async () => {
    const [raw, stream] = await streamPair()
    const frames = new FrameStream(stream, { ...INIT, maxFrameBytes: 4 })
    frames.allowFrames(100)
    raw.send(prefixed(new Uint8Array(50)))
    expect(await frames.read()).toHaveLength(50)
  })

  it('wait in bounded number: a peer that does not read is cut off', async () => {
    const [raw, stream] = await streamPair()
    raw.pause()
    const frames = new FrameStream(stream, INIT)
    let sent = 0
    while (frames.send(new Uint8Array(900))) sent += 1
    expect(sent).toBeLessThan(20)
    expect(stream.status).toBe('aborted')
  })

  it('of the greatest length come whole though their last byte is late', async () => {
    const [raw, stream] = await streamPair()
    const frames = new FrameStream(stream, { maxFrameBytes: 300_000, maxWaitingBytes: 1_000_000 })
    const reading = frames.read()
    const frame = concatBytes(Uint8Array.of(0xe0, 0xa7, 0x12), new Uint8Array(300_000).fill(9))
    raw.send(frame.slice(0, -1))
    for (let i = 0; i < 20; i++) await new Promise<void>(resolve => setImmediate(resolve))
    raw.send(frame.slice(-1))
    expect((await reading)?.length).toBe(300_000)
  })

  it.each([3, 4, 5, 6, 7])('are all read though %i great ones came before anybody asked', async count => {
    const { out: raw, into: stream } = await muxedStreams(fewWindowUpdates)
    const frames = new FrameStream(stream, { maxFrameBytes: 256 * 1024, maxWaitingBytes: 1_000_000 })
    const great = longPrefixed(new Uint8Array(150 * 1024).fill(9))
    for (let i = 0; i < count; i++) raw.send(great)
    await new Promise(resolve => setTimeout(resolve, 20))
    for (let i = 0; i < count; i++) expect(await frames.read()).toHaveLength(150 * 1024)
  })

  it('make a writer wait that is faster than the reader, however much it has to say', async () => {
    // With pings yamux knows how near the other end is, and lets its window grow.
    const init = { enableKeepAlive: true, streamOptions: { maxStreamWindowSize: MAX_WINDOW_BYTES } }
    const { out: raw, into: stream } = await muxedStreams(fewWindowUpdates, init)
    const frames = new FrameStream(stream, { maxFrameBytes: 256 * 1024, maxWaitingBytes: 1_000_000 })
    const great = longPrefixed(new Uint8Array(100 * 1024).fill(9))
    // With what is read at once the window grows …
    for (let i = 0; i < 100; i++) {
      raw.send(great)
      expect(await frames.read()).toHaveLength(100 * 1024)
    }
    // … and then nobody reads.
    for (let i = 0; i < 120; i++) raw.send(great)
    await eventually(() => stream.readStatus === 'paused')
    for (let i = 0; i < 120; i++) expect(await frames.read()).toHaveLength(100 * 1024)
    expect(stream.status).toBe('open')
  })

  it('end for a reader whose stream cannot go on', async () => {
    const [raw, stream] = await streamPair()
    const frames = new FrameStream(stream, INIT)
    for (let i = 0; i < 400; i++) raw.send(prefixed(new Uint8Array(900)))
    await eventually(() => stream.readStatus === 'paused')
    stream.resume = () => {
      throw new Error('the connection is gone')
    }
    expect((await readAll(frames)).length).toBeGreaterThan(0)
    expect(stream.status).toBe('aborted')
  })

  it('that had come are read though the connection ended while they were kept back', async () => {
    const { out: raw, into: stream } = await muxedStreams(fewWindowUpdates)
    const frames = new FrameStream(stream, { maxFrameBytes: 256 * 1024, maxWaitingBytes: 1_000_000 })
    const great = longPrefixed(new Uint8Array(100 * 1024).fill(9))
    for (let i = 0; i < 4; i++) raw.send(great)
    await eventually(() => stream.readStatus === 'paused' && stream.readBufferLength > 0)
    ;(stream as unknown as { onTransportClosed(): void }).onTransportClosed()
    expect(await readAll(frames)).toHaveLength(4)
  })

  it('are held back when nobody reads them', async () => {
    const [raw, stream] = await streamPair()
    const frames = new FrameStream(stream, INIT)
    for (let i = 0; i < 1000; i++) raw.send(prefixed(new Uint8Array(900)))
    await eventually(() => stream.readStatus === 'paused')
    for (let i = 0; i < 1000; i++) expect(await frames.read()).toHaveLength(900)
  })
})
