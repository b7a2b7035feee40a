import { expect, test } from 'vitest'
import { LazyTransport } from '../../../../peer/network/lazy-transport.ts'
import type { NodeStream, Transport } from '../../../../peer/ports.ts'
import type { NodeKey } from '../../../../protocol/wire/placement.ts'

const KEY = new Uint8Array(32) as NodeKey
const { signal } = new AbortController()

function counted() {
  const calls = { load: 0, dial: 0, stop: 0 }
  const transport: Transport = {
    dial: async () => {
      calls.dial++
      return {} as NodeStream
    },
    stop: async () => void calls.stop++
  }
  const load = async (): Promise<Transport> => {
    calls.load++
    return transport
  }
  return { calls, lazy: new LazyTransport(load) }
}

test('a peer that dials no node loads nothing', async () => {
  const { calls, lazy } = counted()
  await lazy.stop()
  expect(calls).toEqual({ load: 0, dial: 0, stop: 0 })
})

test('it is loaded once, dials, and is stopped', async () => {
  const { calls, lazy } = counted()
  await Promise.all([
    lazy.dial('http://127.0.0.1:9', KEY, { signal }),
    lazy.dial('http://127.0.0.1:9', KEY, { signal })
  ])
  await lazy.stop()
  expect(calls).toEqual({ load: 1, dial: 2, stop: 1 })
})

test('a dial that was given up while the code was loaded does not begin', async () => {
  const { calls, lazy } = counted()
  await expect(lazy.dial('http://127.0.0.1:9', KEY, { signal: AbortSignal.abort() })).rejects.toThrow()
  expect(calls.dial).toBe(0)
})
