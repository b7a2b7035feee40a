/** Clients of the throughput and memory measurements, in a process of their own: load must not cost the node's core. */
import { randomBytes } from 'node:crypto'
import { fromHex } from '../../protocol/bytes.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import { encodeEnvelope } from '../../protocol/wire/envelope.ts'
import { connectDevice, type BenchClient, type DeviceSecret, type NodeEnd } from './bench-devices.ts'
import { serveRequests } from './worker.ts'

/** What the measurement asks for; each is answered once. */
export type LoadRequest =
  | { ask: 'connect'; node: NodeEnd; devices: DeviceSecret[]; attach: boolean }
  /** Makes envelopes beforehand: making them is not what is measured. Answered with the bytes of one. */
  | { ask: 'prepare'; count: number; payloadBytes: number; mailboxes: string[] }
  /** Submits what was prepared, each client with so many under way. */
  | { ask: 'flood'; inFlight: number }
  | { ask: 'disconnect' }

/** What became of the envelopes of a flood. */
export interface FloodResult {
  stored: number
  others: number
  seconds: number
}

const HOUR_MS = 3_600_000
/** Handshakes at a time. */
const CONNECTING = 8

const clients: BenchClient[] = []
let envelopes: Uint8Array[] = []

async function answer(request: LoadRequest): Promise<unknown> {
  switch (request.ask) {
    case 'connect':
      return connectAll(request.node, request.devices, request.attach)
    case 'prepare':
      envelopes = Array.from({ length: request.count }, (_, i) =>
        makeEnvelope(request.payloadBytes, request.mailboxes[i % request.mailboxes.length]!)
      )
      return envelopes[0]!.length
    case 'flood':
      return flood(request.inFlight)
    case 'disconnect':
      await Promise.all(clients.splice(0).map(client => client.close()))
      return undefined
  }
}

/** @returns how many clients are connected now. */
async function connectAll(node: NodeEnd, devices: DeviceSecret[], attach: boolean): Promise<number> {
  const waiting = [...devices]
  const connectSome = async (): Promise<void> => {
    for (let device = waiting.shift(); device; device = waiting.shift()) {
      const client = await connectDevice(node, device)
      clients.push(client)
      if (attach) await client.connection.request({ kind: 'attach' }, 'attached')
    }
  }
  await Promise.all(Array.from({ length: CONNECTING }, connectSome))
  return clients.length
}

function makeEnvelope(payloadBytes: number, mailbox: string): Uint8Array {
  return encodeEnvelope({
    version: 1,
    expiry: Date.now() + HOUR_MS,
    class: 'contact',
    payload: new Uint8Array(randomBytes(payloadBytes)),
    recipients: [{ mailbox: fromHex(mailbox) as DeviceId, part: new Uint8Array(), proof: new Uint8Array() }]
  })
}

async function flood(inFlight: number): Promise<FloodResult> {
  const result = { stored: 0, others: 0, seconds: 0 }
  const waiting = envelopes.splice(0)
  const submitSome = async ({ connection }: BenchClient): Promise<void> => {
    const epoch = connection.authenticated.epoch.number
    for (let envelope = waiting.pop(); envelope; envelope = waiting.pop()) {
      const { results } = await connection.request({ kind: 'submit', epoch, envelope }, 'submitted')
      if (results[0]?.state === 'stored') result.stored++
      else result.others++
    }
  }
  const start = performance.now()
  const lanes = clients.flatMap(client => Array.from({ length: inFlight }, () => client))
  await Promise.all(lanes.map(submitSome))
  result.seconds = (performance.now() - start) / 1000
  return result
}

serveRequests(answer)
