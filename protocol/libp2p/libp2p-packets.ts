/**
 * What nodes and clients change about the layers of libp2p below their own frames, so that a message costs fewer packets:
 * each is encrypted, written, read and decrypted by itself, and a process wakes up for it at both ends. The bytes stay those
 * of Noise and yamux; another end need not know of it.
 */
import type { ConnectionEncrypter, MessageStream, StreamMuxerFactory } from '@libp2p/interface'

/** Bytes of the length before each Noise packet. */
const LENGTH_BYTES = 2

/** The part of @libp2p/noise's decrypting end that finds where a packet ends. */
interface PacketDecoder {
  lengthDecoder(data: { length: number }): number
}

/**
 * Keeps an encrypter's packets whole. @libp2p/noise hands on two pieces, a length of two bytes and the ciphertext, and
 * transports write each piece by itself.
 */
export function wholePackets<Components>(
  create: (components: Components) => ConnectionEncrypter
): (components: Components) => ConnectionEncrypter {
  return components => {
    const encrypter = create(components)
    const wrapped = Object.create(encrypter) as ConnectionEncrypter
    wrapped.secureInbound = async (stream, options) => quiet(await encrypter.secureInbound(joining(stream), options))
    wrapped.secureOutbound = async (stream, options) => quiet(await encrypter.secureOutbound(joining(stream), options))
    return wrapped
  }
}

function joining(stream: MessageStream): MessageStream {
  const send = stream.send.bind(stream)
  stream.send = data => send(data.subarray())
  return stream
}

/**
 * After each packet the decoder looks for another, and learns that there is none by an exception with a stack trace: 6 % of
 * a busy node's time. A length of nothing tells it as well. Should a later version do it otherwise, this changes nothing.
 */
function quiet<Secured extends { connection: object }>(secured: Secured): Secured {
  const { decoder } = secured.connection as { decoder?: Partial<PacketDecoder> }
  const decode = decoder?.lengthDecoder
  if (decoder && decode) decoder.lengthDecoder = data => (data.length < LENGTH_BYTES ? 0 : decode(data))
  return secured
}

/** Bytes of a yamux header; a window update is nothing else. */
const HEADER_BYTES = 12
const WINDOW_UPDATE = 1
const RESET = 8

/** A stream's other end is told of free space once there is so much of it: a quarter of yamux' smallest window. */
export const WINDOW_UPDATE_BYTES = 64 * 1024
/**
 * Window that yamux may grow a stream's to, 16 MiB by itself. What comes while a reader has the stream paused is kept up to
 * 4 MiB, beyond which the stream would end: a window below that makes the other end wait instead.
 */
export const MAX_WINDOW_BYTES = 2 * 1024 * 1024
/** Streams of a connection whose updates may wait; with more, all are let go. */
export const MAX_HELD_STREAMS = 64

/**
 * Joins a muxer's window updates. @libp2p/yamux announces free space after every piece of data, half of all packets of a
 * chat; here it does so when a quarter of the window is used, before the other end could have to wait.
 */
export function fewWindowUpdates<Components>(
  create: (components: Components) => StreamMuxerFactory
): (components: Components) => StreamMuxerFactory {
  return components => {
    const factory = create(components)
    const wrapped = Object.create(factory) as StreamMuxerFactory
    wrapped.createStreamMuxer = connection => {
      const held = new HeldWindowUpdates()
      const send = connection.send.bind(connection)
      connection.send = data => {
        if (data.byteLength > HEADER_BYTES) return send(data)
        let canSendMore = true
        for (const frame of held.pass(data.subarray())) canSendMore = send(frame)
        return canSendMore
      }
      return factory.createStreamMuxer(connection)
    }
    return wrapped
  }
}

/** Window updates of one connection's streams that wait for more of their kind. */
export class HeldWindowUpdates {
  /** Bytes not yet announced, by stream. */
  readonly #held = new Map<number, number>()

  /** Takes one frame. @returns the frames to send now, in order. */
  pass(frame: Uint8Array): Uint8Array[] {
    if (frame.length !== HEADER_BYTES || frame[1] !== WINDOW_UPDATE) return [frame]
    const flags = frame[2]! * 0x100 + frame[3]!
    const stream = uint32(frame, 4)
    const bytes = (this.#held.get(stream) ?? 0) + uint32(frame, 8)
    if ((flags & RESET) !== 0 || bytes === 0) {
      this.#held.delete(stream)
      return [frame]
    }
    // What opens, accepts or ends a stream takes along what waits.
    if (flags !== 0 || bytes >= WINDOW_UPDATE_BYTES) {
      this.#held.delete(stream)
      return [updateOf(stream, flags, bytes)]
    }
    this.#held.set(stream, bytes)
    return this.#held.size > MAX_HELD_STREAMS ? this.#release() : []
  }

  #release(): Uint8Array[] {
    const frames = [...this.#held].map(([stream, bytes]) => updateOf(stream, 0, bytes))
    this.#held.clear()
    return frames
  }
}

// By hand: a DataView for each frame costs more than all else here.
const uint32 = (bytes: Uint8Array, at: number): number =>
  bytes[at]! * 0x100_0000 + (bytes[at + 1]! << 16) + (bytes[at + 2]! << 8) + bytes[at + 3]!

function updateOf(stream: number, flags: number, bytes: number): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES)
  const header = new DataView(frame.buffer)
  header.setUint8(1, WINDOW_UPDATE)
  header.setUint16(2, flags)
  header.setUint32(4, stream)
  header.setUint32(8, bytes)
  return frame
}
