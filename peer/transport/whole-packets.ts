import { serviceCapabilities, type ConnectionEncrypter, type MessageStream } from '@libp2p/interface'

/**
 * Keeps an encrypter's packets whole. @libp2p/noise hands on two pieces, a length of two bytes and the ciphertext, and
 * @libp2p/websockets makes each piece a message of its own: twice the system calls, and the node wakes up twice.
 */
export function wholePackets<Components>(
  create: (components: Components) => ConnectionEncrypter
): (components: Components) => ConnectionEncrypter {
  return components => {
    const encrypter = create(components)
    return {
      protocol: encrypter.protocol,
      [serviceCapabilities]: ['@libp2p/connection-encryption'],
      secureInbound: (stream, options) => encrypter.secureInbound(joining(stream), options),
      secureOutbound: (stream, options) => encrypter.secureOutbound(joining(stream), options)
    } as ConnectionEncrypter
  }
}

function joining(stream: MessageStream): MessageStream {
  const send = stream.send.bind(stream)
  stream.send = data => send(data.subarray())
  return stream
}
