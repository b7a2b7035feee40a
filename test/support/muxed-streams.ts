/** Two ends of one stream of the real yamux, over a connection in memory. */
import type { MessageStream, Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { yamux, type YamuxMuxerInit } from '@libp2p/yamux'

type Create = (components: never) => StreamMuxerFactory

export interface MuxedStreams {
  out: Stream
  into: Stream
  /** Bytes of every frame that each end has written. */
  written: { dialler: number[]; listener: number[] }
}

/** @param wrap - what is between the connection and yamux. */
export async function muxedStreams(
  wrap: (create: Create) => Create,
  init: YamuxMuxerInit = { enableKeepAlive: false }
): Promise<MuxedStreams> {
  const ends = multiaddrConnectionPair({ capacity: 100_000 }) as unknown as [MessageStream, MessageStream]
  const written = ends.map(end => {
    const frames: number[] = []
    const send = end.send.bind(end)
    end.send = data => {
      frames.push(data.byteLength)
      return send(data)
    }
    return frames
  })
  const [dialler, listener] = ends.map(end => wrap(yamux(init))(undefined as never).createStreamMuxer(end)) as [
    StreamMuxer,
    StreamMuxer
  ]
  const opened = new Promise<Stream>(resolve => listener.addEventListener('stream', event => resolve(event.detail)))
  const out = await dialler.createStream()
  return { out, into: await opened, written: { dialler: written[0]!, listener: written[1]! } }
}
