import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../support/free-port.ts'
import { LocalNetwork } from '../support/network/real-processes/local-network.ts'
import { makeDevices, nodeEndAt, type DeviceSecret } from './bench-devices.ts'
import { NO_LIMITS } from './durable.ts'
import { HeapProbe, inspectOption, type Memory } from './heap-probe.ts'
import type { LoadRequest } from './load-client.ts'
import { processorTime } from './processor-time.ts'
import { report } from './report.ts'
import { Worker } from './worker.ts'

const CLIENTS = 1_000
const PROCESSES = 2
/** What connecting leaves behind goes by then: timers, handshakes, half-read buffers. */
const SETTLE_MS = 5_000
const KIB = 1_024
const AT_MOST_KIB = 28
/** Idle clients and the node alone are watched for so long. */
const WATCH_MS = 15_000
/** Microseconds of the node's processor for a client in a second. */
const AT_MOST_CPU = 10

/**
 * What one client costs a node that only waits: WebSocket, Noise, yamux, the proven and attached stream. Its directory
 * entry was there before and is not counted, nor are the kernel's socket buffers.
 */
export async function benchMemory(): Promise<void> {
  const inspector = await freePort()
  const env = { ...NO_LIMITS, NODE_OPTIONS: inspectOption(inspector) }
  const network = await LocalNetwork.start({ nodes: 1, env })
  const workers = Array.from({ length: PROCESSES }, () => new Worker<LoadRequest>('test/bench/load-client.ts'))
  try {
    const url = network.urls[0]!
    const devices = await makeDevices(url, CLIENTS)
    const probe = await HeapProbe.open(inspector)
    const settled = async (): Promise<Memory> => {
      await sleep(SETTLE_MS)
      return probe.memory()
    }
    const node = await nodeEndAt(url)
    const connect = (some: DeviceSecret[], index: number): Promise<number> =>
      workers[index]!.ask({ ask: 'connect', node, devices: some, attach: true })
    // The first client loads code.
    await connect(devices.slice(0, 1), 0)
    const before = await settled()
    const alone = await processorUse(network.pidOf(0))
    const rest = devices.slice(1)
    const share = Math.ceil(rest.length / PROCESSES)
    await Promise.all(workers.map((_, i) => connect(rest.slice(i * share, (i + 1) * share), i)))
    const connected = await settled()
    const attended = await processorUse(network.pidOf(0))
    await Promise.all(workers.map(worker => worker.ask({ ask: 'disconnect' })))
    const after = await settled()
    probe.close()
    reportMemory(rest.length, before, connected, after)
    report('processor-per-idle-client', 'µs/s', (attended - alone) / rest.length, {
      target: { atMost: AT_MOST_CPU },
      note: `beside the node alone, which takes ${Math.round(alone / 1_000)} ms/s; ${WATCH_MS / 1_000} s each`
    })
  } finally {
    await Promise.all(workers.map(worker => worker.stop()))
    await network.stop()
  }
}

/** Microseconds of processor time in a second. */
async function processorUse(pid: number): Promise<number> {
  const before = processorTime(pid)
  await sleep(WATCH_MS)
  return ((processorTime(pid) - before) * 1_000) / WATCH_MS
}

function reportMemory(clients: number, before: Memory, connected: Memory, after: Memory): void {
  const each = (of: (memory: Memory) => number): number => (of(connected) - of(before)) / clients / KIB
  const leftKib = (after.heap + after.external - before.heap - before.external) / KIB
  report(
    'memory-per-idle-client',
    'KiB',
    each(({ heap, external }) => heap + external),
    {
      target: { atMost: AT_MOST_KIB },
      note: `JavaScript heap and buffers after a garbage collection, ${clients} clients; ${Math.round(leftKib)} KiB in all stay when they leave`
    }
  )
  report(
    'memory-per-idle-client-rss',
    'KiB',
    each(({ rss }) => rss)
  )
}
