import { readdir, readFile, writeFile } from 'node:fs/promises'
import { REPAIR_INTERVAL_MS } from '../../../node/replication/repair.ts'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import type { DeviceId } from '../../../protocol/identity/device.ts'
import { scrub } from '../../../node/pending-messages/store-scrubber.ts'
import { makeEnvelope } from '../../support/network/in-process/fixtures.ts'
import { eventually } from '../../support/wait-for.ts'
import type { TestClient } from '../../support/network/in-process/test-client.ts'
import { TestNetwork, type TestNode } from '../../support/network/in-process/test-network.ts'

let net: TestNetwork
beforeAll(async () => {
  net = await TestNetwork.start(5)
})
afterAll(() => net.stop())

async function send(from: TestClient, to: DeviceId, count: number): Promise<string[]> {
  const results = await Promise.all(Array.from({ length: count }, () => from.submit(makeEnvelope([to]))))
  expect(results.every(([result]) => result!.state === 'stored')).toBe(true)
  return results.map(([result]) => toHex(result!.id))
}

const states = async (node: TestNode, mailbox: DeviceId): Promise<string[]> => {
  const { page } = await node.parts.store.states(mailbox, null, 10_000)
  return page.map(([id, entry]) => `${toHex(id)} ${entry.state}`)
}

/** Equal contents everywhere, tombstones included. */
const converged = async (mailbox: DeviceId): Promise<boolean> => {
  const [first, ...rest] = await Promise.all(net.replicasOf(mailbox).map(node => states(node, mailbox)))
  return rest.every(other => other.join() === first!.join())
}

describe('a replica that was away', () => {
  it('gets what it missed when it comes back', async () => {
    const bob = await net.device()
    const [away] = net.replicasOf(bob.deviceId)
    const ada = await net.client(net.othersThan(bob.deviceId)[0]!)
    await away!.stop()
    await send(ada, bob.deviceId, 100)
    await away!.start()
    // Counters run ahead of the disk, so what is on the disks is compared.
    await eventually(() => converged(bob.deviceId))
    expect(await away!.parts.store.heldIn(bob.deviceId)).toBe(100)
    await net.linked()
  })

  it('does not bring back what was acknowledged meanwhile, and learns that it was', async () => {
    const bob = await net.device()
    const [late, home] = net.replicasOf(bob.deviceId)
    const ada = await net.client(net.othersThan(bob.deviceId)[0]!)
    await send(ada, bob.deviceId, 5)
    await eventually(async () => (await late!.parts.store.heldIn(bob.deviceId)) === 5)
    await late!.stop()
    const more = await send(ada, bob.deviceId, 5)
    await net.client(home!, bob)
    await bob.attach()
    await eventually(() => bob.delivered.length === 10)
    await bob.acknowledged()
    await bob.close()
    await late!.start()
    await eventually(() => converged(bob.deviceId))
    expect(await states(late!, bob.deviceId)).toHaveLength(10)
    expect((await states(late!, bob.deviceId)).every(line => line.endsWith('acknowledged'))).toBe(true)
    expect(more).toHaveLength(5)
    await net.linked()
    await net.client(late!, bob)
    bob.delivered.length = 0
    await bob.attach()
    await eventually(() => bob.isCaughtUp)
    expect(bob.delivered).toEqual([])
  })

  it('gives its device what only the others have, before it says that it caught up', async () => {
    const bob = await net.device()
    const [away] = net.replicasOf(bob.deviceId)
    const ada = await net.client(net.othersThan(bob.deviceId)[0]!)
    await away!.stop()
    const sent = await send(ada, bob.deviceId, 30)
    await away!.start()
    await net.linked()
    // No time for repair: the attach itself must bring them.
    away!.parts.repair.stop()
    await net.client(away!, bob)
    await bob.attach()
    await eventually(() => bob.isCaughtUp)
    expect(bob.deliveredIds.sort()).toEqual(sent.sort())
    away!.parts.repair.start()
  })
})

describe('a batch that did not reach a replica', () => {
  it('costs the device that is attached there a second, not the message', async () => {
    const bob = await net.device()
    const [deaf] = net.replicasOf(bob.deviceId)
    await net.client(deaf!, bob)
    await bob.attach()
    await eventually(() => bob.isCaughtUp)
    const { replica } = deaf!.parts
    const { onGossip, onBatch } = replica
    replica.onGossip = async () => 'ignore'
    replica.onBatch = async () => Promise.reject(new Error('not now'))
    const ada = await net.client(net.othersThan(bob.deviceId)[0]!)
    const start = performance.now()
    const [sent] = await send(ada, bob.deviceId, 1)
    await eventually(() => bob.delivered.length === 1)
    // Repair would bring it, too, but later.
    expect(performance.now() - start).toBeLessThan(REPAIR_INTERVAL_MS / 2)
    expect(bob.deliveredIds).toEqual([sent])
    replica.onGossip = onGossip
    replica.onBatch = onBatch
  })

  it('comes on the stream when gossip lost it', async () => {
    const bob = await net.device()
    const replicas = net.replicasOf(bob.deviceId)
    for (const { parts } of replicas) parts.replica.onGossip = async () => 'ignore'
    const ada = await net.client(net.othersThan(bob.deviceId)[0]!)
    await send(ada, bob.deviceId, 3)
    await eventually(() => converged(bob.deviceId))
    for (const { parts } of replicas) delete (parts.replica as { onGossip?: unknown }).onGossip
  })
})

describe('damage on a disk', () => {
  it('is found by the scrub after a restart and mended from a replica', async () => {
    const bob = await net.device()
    const [damaged] = net.replicasOf(bob.deviceId)
    const ada = await net.client(net.othersThan(bob.deviceId)[0]!)
    const envelope = makeEnvelope([bob.deviceId])
    await ada.submit(envelope)
    await send(ada, bob.deviceId, 50)
    await eventually(async () => (await damaged!.parts.store.heldIn(bob.deviceId)) === 51)
    await compact(damaged!)
    await damaged!.stop()
    await flip(join(damaged!.folder, 'db'), envelope.payload)
    await damaged!.start()
    await net.linked()
    // The node looks by itself two seconds after its start: on a busy machine that is before this.
    const { broken } = await scrub(damaged!.parts.store, new AbortController().signal)
    expect(broken).toBeLessThanOrEqual(1)
    await eventually(async () => {
      await compact(damaged!)
      return (await placeOf(join(damaged!.folder, 'db'), envelope.payload)) !== undefined
    })
    await eventually(async () => (await damaged!.parts.store.heldIn(bob.deviceId)) === 51)
    // Another replica may still be writing what two of three have signed for.
    await eventually(() => converged(bob.deviceId))
  })

  it('never reaches a device: the delivery is mended first', async () => {
    const bob = await net.device()
    const [damaged] = net.replicasOf(bob.deviceId)
    const ada = await net.client(net.othersThan(bob.deviceId)[0]!)
    const envelope = makeEnvelope([bob.deviceId])
    const [sent] = await ada.submit(envelope)
    await eventually(async () => (await damaged!.parts.store.heldIn(bob.deviceId)) === 1)
    await compact(damaged!)
    await damaged!.stop()
    await flip(join(damaged!.folder, 'db'), envelope.payload)
    await damaged!.start()
    await net.linked()
    await net.client(damaged!, bob)
    await bob.attach()
    await eventually(() => bob.delivered.length === 1)
    expect(bob.deliveredIds).toEqual([toHex(sent!.id)])
    expect(bob.delivered[0]!.payload).toEqual(envelope.payload)
  })

  /** From then on what is stored stands in tables, each value in one piece. */
  const compact = (node: TestNode): Promise<unknown> =>
    node.parts.store.read(database => database.compactRange(Buffer.alloc(1), Buffer.alloc(60, 0xff)))

  /** The file of a database that has a payload, and where. */
  async function placeOf(directory: string, payload: Uint8Array) {
    for (const name of await readdir(directory)) {
      const file = join(directory, name)
      // A file may go while others are looked at.
      const bytes = await readFile(file).catch(() => Buffer.alloc(0))
      const at = bytes.indexOf(payload)
      if (at >= 0) return { file, bytes, at }
    }
    return undefined
  }

  async function flip(directory: string, payload: Uint8Array): Promise<void> {
    const place = await placeOf(directory, payload)
    if (!place) throw new Error('the payload stands in no file')
    place.bytes[place.at]! ^= 0x10
    await writeFile(place.file, place.bytes)
  }
})

describe('a wiped replica', () => {
  it('is filled again by the others', async () => {
    const bob = await net.device()
    const [wiped] = net.replicasOf(bob.deviceId)
    const ada = await net.client(net.othersThan(bob.deviceId)[0]!)
    await send(ada, bob.deviceId, 200)
    await wiped!.stop()
    const { rm } = await import('node:fs/promises')
    await rm(wiped!.folder, { recursive: true })
    await wiped!.start()
    await eventually(async () => (await wiped!.parts.store.heldIn(bob.deviceId)) === 200, { timeoutMs: 60_000 })
    await eventually(() => converged(bob.deviceId))
  })
})
