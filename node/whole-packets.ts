import { serviceCapabilities, type ConnectionEncrypter, type MessageStream } from '@libp2p/interface'

/** Bytes of the length before each Noise packet. */
const LENGTH_BYTES = 2

/** The part of @libp2p/noise's decrypting end that finds where a packet ends. */
interface PacketDecoder {
  lengthDecoder(data: { length: number }): number
}

/**
 * Keeps an encrypter's packets whole. @libp2p/noise hands on two pieces, a length of two bytes and the ciphertext, and
 * transports write each piece by itself: twice the system calls and TCP segments, and the other end wakes up twice.
 */
export function wholePackets<Components>(
  create: (components: Components) => ConnectionEncrypter
): (components: Components) => ConnectionEncrypter {
  return components => {
    const encrypter = create(components)
    return {
      protocol: encrypter.protocol,
      [serviceCapabilities]: ['@libp2p/connection-encryption'],
      async secureInbound(stream, options) {
        return quiet(await encrypter.secureInbound(joining(stream), options))
      },
      async secureOutbound(stream, options) {
        return quiet(await encrypter.secureOutbound(joining(stream), options))
      }
    } as ConnectionEncrypter
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
