/**
 * One person of the latency measurement, in a process of its own: sender and receiver must not wait for each other's
 * event loop. Speaks with the measurement over its IPC channel.
 */
import {
  converse,
  disposePeer,
  registerPeer,
  type NetworkPeer
} from '../support/network/real-processes/network-peers.ts'
import { Arrivals, sendPaced, type PacedRequest } from './paced.ts'
import { serveRequests } from './worker.ts'

/** What the measurement asks for; each is answered once. */
export type LatencyRequest =
  PacedRequest | { ask: 'register'; url: string; name: string } | { ask: 'converse'; name: string }

const TEXT_CHARACTERS = 512
const ONLINE_TIMEOUT_MS = 20_000

let peer: NetworkPeer | undefined
let conversation = ''
const arrivals = new Arrivals()

async function answer(request: LatencyRequest): Promise<unknown> {
  switch (request.ask) {
    case 'register':
      return register(request.url, request.name)
    case 'converse':
      conversation = await converse(peer!, { name: request.name })
      return undefined
    case 'send':
      return sendPaced(request, number =>
        peer!.engine.messages.sendText(conversation, `${number} `.padEnd(TEXT_CHARACTERS, 'x'))
      )
    case 'received':
      return arrivals.take(request.count, request.timeoutMs)
    case 'stop':
      if (peer) await disposePeer(peer)
      return undefined
  }
}

/** @returns origin of the node that the person is connected to. */
async function register(url: string, name: string): Promise<string | null> {
  peer = await registerPeer(url, name)
  peer.engine.on('message', message => {
    if (!message.mine && message.kind === 'text') arrivals.note(Number.parseInt(message.text, 10))
  })
  await peer.engine.online(ONLINE_TIMEOUT_MS)
  return (await peer.engine.snapshot()).status.node
}

serveRequests(answer)
