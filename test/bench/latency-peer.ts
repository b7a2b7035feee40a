/**
 * One person of the latency measurement, in a process of its own: sender and receiver must not wait for each other's
 * event loop. Speaks with the measurement over its IPC channel.
 */
import { converse, disposePeer, eventually, registerPeer, type NetworkPeer } from '../support/network-peers.ts'
import { serveRequests } from './worker.ts'

/** What the measurement asks for; each is answered once. */
export type LatencyRequest =
  | { ask: 'register'; url: string; name: string }
  | { ask: 'converse'; name: string }
  | { ask: 'send'; count: number; perSecond: number }
  /** Waits until `count` messages came, at most for `timeoutMs`. */
  | { ask: 'received'; count: number; timeoutMs: number }
  | { ask: 'stop' }

/** Messages by their number, each with microseconds of a clock that all processes of the machine share. */
export type Times = [number, number][]

const TEXT_CHARACTERS = 512
const ONLINE_TIMEOUT_MS = 20_000

const now = (): number => Number(process.hrtime.bigint() / 1_000n)

let peer: NetworkPeer | undefined
let conversation = ''
const received = new Map<number, number>()

async function answer(request: LatencyRequest): Promise<unknown> {
  switch (request.ask) {
    case 'register':
      return register(request.url, request.name)
    case 'converse':
      conversation = await converse(peer!, { name: request.name })
      return undefined
    case 'send':
      return send(request.count, request.perSecond)
    case 'received': {
      await eventually(() => received.size >= request.count, request.timeoutMs)
      const times = [...received]
      received.clear()
      return times
    }
    case 'stop':
      if (peer) await disposePeer(peer)
      return undefined
  }
}

/** @returns origin of the node that the person is connected to. */
async function register(url: string, name: string): Promise<string | null> {
  peer = await registerPeer(url, name)
  peer.engine.on('message', message => {
    const number = Number.parseInt(message.text, 10)
    if (!message.mine && message.kind === 'text' && !received.has(number)) received.set(number, now())
  })
  await peer.engine.online(ONLINE_TIMEOUT_MS)
  return (await peer.engine.snapshot()).status.node
}

async function send(count: number, perSecond: number): Promise<Times> {
  const sent: Times = []
  for (let i = 0; i < count; i++) {
    sent.push([i, now()])
    await peer!.engine.sendText(conversation, `${i} `.padEnd(TEXT_CHARACTERS, 'x'))
    await new Promise(resolve => setTimeout(resolve, 1000 / perSecond))
  }
  return sent
}

serveRequests(answer)
