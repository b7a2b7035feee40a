import { afterEach, describe, expect, test, vi } from 'vitest'
import { encodeNodeFrame, decodeClientFrame, type NodeFrame } from '../../../../protocol/wire/peer-frames.ts'
import type { DeviceId, AccountId } from '../../../../protocol/identity/device.ts'
import { configuredEpoch, type NodeKey, type OperatorId } from '../../../../protocol/wire/placement.ts'
import { platformTimers, type NodeStream } from '../../../../peer/ports.ts'
import {
  ConnectionLost,
  NodeConnection,
  NodeRefusal,
  type PushFrame
} from '../../../../peer/network/node-connection.ts'

const NETWORK = new Uint8Array(32).fill(1)
const NODE = new Uint8Array(32).fill(2) as NodeKey
const EPOCH = configuredEpoch(0, new Uint8Array(32), [
  { key: NODE, operator: new Uint8Array(32) as OperatorId, url: 'http://127.0.0.1:1', link: '' }
])

/** The other end of a stream, played by the test. */
class ScriptedNode implements NodeStream {
  readonly node = NODE
  readonly clientKey = new Uint8Array(32)
  readonly sent: ReturnType<typeof decodeClientFrame>[] = []
  readonly #queue: Uint8Array[] = []
  #wake: (() => void) | undefined
  closed = false
  onFrame: (frame: ReturnType<typeof decodeClientFrame>) => void = () => {}

  async send(bytes: Uint8Array): Promise<void> {
    const frame = decodeClientFrame(bytes)
    this.sent.push(frame)
    this.onFrame(frame)
  }

  async receive(): Promise<Uint8Array | undefined> {
    while (this.#queue.length === 0 && !this.closed) await new Promise<void>(resolve => (this.#wake = resolve))
    return this.#queue.shift()
  }

  close(): void {
    this.closed = true
    this.#wake?.()
  }

  say(frame: NodeFrame): void {
    this.raw(encodeNodeFrame(frame))
  }

  raw(bytes: Uint8Array): void {
    this.#queue.push(bytes)
    this.#wake?.()
  }

  hello(changes: object = {}): void {
    const hello = {
      kind: 'hello',
      request: 0,
      versions: [1],
      network: NETWORK,
      node: NODE,
      nonce: new Uint8Array(32),
      time: 0,
      epoch: 0
    }
    this.say({ ...hello, ...changes } as NodeFrame)
  }
}

const keys = { signingKey: new Uint8Array(32), messagingKeyHash: new Uint8Array(32) }
const init = {
  network: NETWORK,
  timers: platformTimers,
  authenticate: async () => ({
    kind: 'authenticate' as const,
    version: 1,
    keys,
    time: 0,
    signature: new Uint8Array(64)
  })
}

async function connected(): Promise<{ node: ScriptedNode; connection: NodeConnection }> {
  const node = new ScriptedNode()
  node.hello()
  node.onFrame = ({ kind, request }) => {
    if (kind !== 'authenticate') return
    node.say({
      kind: 'authenticated',
      request,
      deviceId: new Uint8Array(16) as DeviceId,
      accountId: new Uint8Array(32) as AccountId,
      epoch: EPOCH
    })
  }
  const connection = await NodeConnection.open(node, init)
  node.onFrame = () => {}
  return { node, connection }
}

afterEach(() => vi.useRealTimers())

describe('a connection', () => {
  test.each([
    ['of another network', { network: new Uint8Array(32) }],
    ['under another key', { node: new Uint8Array(32) }],
    ['of an unknown version', { versions: [9] }]
  ])('to a node %s is not used', async (_what, changes) => {
    const node = new ScriptedNode()
    node.hello(changes)
    await expect(NodeConnection.open(node, init)).rejects.toThrow()
    expect(node.closed).toBe(true)
    expect(node.sent).toEqual([])
  })

  test('answers find their questions, in any order', async () => {
    const { node, connection } = await connected()
    const questions = [connection.request({ kind: 'ping' }, 'pong'), connection.request({ kind: 'ping' }, 'pong')]
    const [first, second] = node.sent.slice(1)
    node.say({ kind: 'pong', request: second!.request, time: 2 })
    node.say({ kind: 'pong', request: first!.request, time: 1 })
    expect((await Promise.all(questions)).map(({ time }) => time)).toEqual([1, 2])
  })

  test('a refused ping is a sign of life', async () => {
    const { node, connection } = await connected()
    const pinged = connection.ping()
    const { request } = node.sent.at(-1)!
    node.say({ kind: 'error', request, code: 'rate-limited', message: 'not so often' })
    expect(await pinged).toBe(true)
    expect(connection.isOpen).toBe(true)
  })

  test('an error frame is a refusal with its code', async () => {
    const { node, connection } = await connected()
    const question = connection.request({ kind: 'attach' }, 'attached')
    node.say({ kind: 'error', request: node.sent.at(-1)!.request, code: 'not-a-replica', message: 'elsewhere' })
    await expect(question).rejects.toEqual(new NodeRefusal('not-a-replica', 'elsewhere'))
  })

  test('a lost connection fails what is open', async () => {
    const { node, connection } = await connected()
    const question = connection.request({ kind: 'ping' }, 'pong')
    node.close()
    await expect(question).rejects.toBeInstanceOf(ConnectionLost)
    expect(await connection.closed).toBe('the connection was lost')
    await expect(connection.request({ kind: 'ping' }, 'pong')).rejects.toBeInstanceOf(ConnectionLost)
  })

  test('a node that stopped answering is given up within five seconds of a question', async () => {
    vi.useFakeTimers()
    const { connection } = await connected()
    const question = expect(connection.request({ kind: 'attach' }, 'attached')).rejects.toBeInstanceOf(ConnectionLost)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(connection.isOpen).toBe(false)
    await question
  })

  test('nor does a clock that is put back keep it longer', async () => {
    vi.useFakeTimers()
    const { connection } = await connected()
    const question = expect(connection.request({ kind: 'attach' }, 'attached')).rejects.toBeInstanceOf(ConnectionLost)
    vi.setSystemTime(Date.now() - 3_600_000)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(connection.isOpen).toBe(false)
    await question
  })

  test('a slow answer is waited for while the node shows signs of life', async () => {
    vi.useFakeTimers()
    const { node, connection } = await connected()
    node.onFrame = ({ kind, request }) => kind === 'ping' && node.say({ kind: 'pong', request, time: 0 })
    const question = connection.request({ kind: 'attach' }, 'attached')
    const { request } = node.sent.at(-1)!
    await vi.advanceTimersByTimeAsync(10_000)
    node.say({ kind: 'attached', request, pending: 0 })
    expect((await question).pending).toBe(0)
  })

  test.each([
    ['what is no frame', Uint8Array.of(0xff, 0xff)],
    ['an answer that nobody waits for, as a push', encodeNodeFrame({ kind: 'pong', request: 0, time: 0 })]
  ])('a node that sends %s is hung up on', async (_what, bytes) => {
    const { node, connection } = await connected()
    node.raw(bytes)
    await connection.closed
    expect(node.closed).toBe(true)
  })

  test('a list of nodes that comes unasked is told on, and does not end the connection', async () => {
    const { node, connection } = await connected()
    const told: number[] = []
    connection.onEpoch(({ number }) => told.push(number))
    node.say({ kind: 'epoch', request: 0, epoch: { ...EPOCH, number: 7 } })
    await expect.poll(() => told).toEqual([7])
    expect(connection.isOpen).toBe(true)
  })

  test('unasked frames are handled one after the other, also those from before', async () => {
    const { node, connection } = await connected()
    node.say({ kind: 'caughtUp', request: 0 })
    node.say({ kind: 'error', request: 0, code: 'busy', message: '1' })
    node.say({ kind: 'error', request: 0, code: 'busy', message: '2' })
    const handled: string[] = []
    let running = 0
    const done = Promise.withResolvers<void>()
    connection.onPush(async (frame: PushFrame) => {
      expect(++running).toBe(1)
      await new Promise(resolve => setTimeout(resolve, 5))
      running--
      handled.push(frame.kind === 'error' ? frame.message : frame.kind)
      if (handled.length === 3) done.resolve()
    })
    await done.promise
    expect(handled).toEqual(['caughtUp', '1', '2'])
  })
})
