/** Files between real engines over nodes in memory: every way that an upload or a download can be cut off. */
import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { FILE_CHUNK_BYTES } from '../../../../protocol/files/file-layout.ts'
import type { ChatMessage, FileTransfer } from '../../../../peer/peer-api.ts'
import { failure } from '../../../support/network/fake/fake-objects.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const running: TestPeer[] = []
afterEach(async () => {
  for (const peer of running.splice(0)) await peer.engine.stop()
})

const PNG = Buffer.from('89504e470d0a1a0a', 'hex')
const SMALL = new Uint8Array(Buffer.concat([PNG, randomBytes(3_000)]))
const LARGE = new Uint8Array(randomBytes(5 * FILE_CHUNK_BYTES + 777))

async function pair(nodes = 1): Promise<{ network: FakeNetwork; ada: TestPeer; bob: TestPeer }> {
  const network = await FakeNetwork.create(nodes)
  const [ada, bob] = [new TestPeer(network), new TestPeer(network, nodes - 1)]
  running.push(ada, bob)
  await ada.register('ada')
  await bob.register('bob')
  await bob.accept(ada)
  return { network, ada, bob }
}

const chatWith = async (peer: TestPeer, other: TestPeer): Promise<string> =>
  (await peer.engine.conversations.open(other.me.accountId)).id

async function sendFile(
  from: TestPeer,
  to: TestPeer,
  content: Uint8Array,
  name = 'a.png',
  text = ''
): Promise<ChatMessage> {
  const blob = new Blob([content as Uint8Array<ArrayBuffer>])
  return from.engine.files.send(await chatWith(from, to), blob, { name, text })
}

/** The last message of a conversation, once it is a file that the network has. */
async function lastFile(peer: TestPeer, other: TestPeer): Promise<ChatMessage> {
  let last: ChatMessage | undefined
  await eventually(async () => {
    last = (await peer.messages(other)).at(-1)
    return last?.file != null && last.state !== 'waiting'
  }, 'a file arrives')
  return last!
}

async function contentOf(peer: TestPeer, message: ChatMessage): Promise<Buffer> {
  await peer.engine.files.fetch(message.id)
  const chunks: Uint8Array[] = []
  for (let index = 0; ; index++) {
    const chunk = await peer.engine.files.chunk(message.id, index)
    if (chunk.length === 0) return Buffer.concat(chunks)
    chunks.push(chunk)
  }
}

const stateOf = async (peer: TestPeer, other: TestPeer, { id }: ChatMessage): Promise<ChatMessage> =>
  (await peer.messages(other)).find(message => message.id === id)!

describe('a file', () => {
  test('arrives with its name, type and text, on own devices too, and is read chunk by chunk', async () => {
    const { network, ada, bob } = await pair()
    const second = await linkedDevice(network, ada)
    running.push(second)
    await sendFile(ada, bob, LARGE, '../up/big\u202E.bin', 'look')
    const received = await lastFile(bob, ada)
    expect(received).toMatchObject({ kind: 'file', text: 'look', mine: false })
    expect(received.file).toEqual({
      name: 'big.bin',
      bytes: LARGE.length,
      type: 'application/octet-stream',
      width: null,
      height: null,
      thumbnail: null,
      voice: null
    })
    expect((await contentOf(bob, received)).equals(LARGE)).toBe(true)
    const own = await lastFile(second, bob)
    expect(own.mine).toBe(true)
    expect((await contentOf(second, own)).equals(LARGE)).toBe(true)
  })

  test('may be empty', async () => {
    const { ada, bob } = await pair()
    await sendFile(ada, bob, new Uint8Array(), 'empty')
    expect(await contentOf(bob, await lastFile(bob, ada))).toHaveLength(0)
  })

  test('shows nothing of itself at a node', async () => {
    const { network, ada, bob } = await pair()
    const canary = 'canary-of-this-file'
    await sendFile(ada, bob, new TextEncoder().encode(canary.repeat(400)), `${canary}.txt`)
    await lastFile(bob, ada)
    const seen = [...network.objects.at(0).values(), ...network.submitted].map(bytes => Buffer.from(bytes))
    expect(seen.some(bytes => bytes.includes(canary))).toBe(false)
    const onDisk = [...ada.objects.entries.values(), ...ada.store.entries.values()].map(bytes => Buffer.from(bytes))
    expect(onDisk.some(bytes => bytes.includes(canary))).toBe(false)
  })

  test('goes to two operators, and is fetched from the other one when the first is gone', async () => {
    const { network, ada, bob } = await pair(3)
    await sendFile(ada, bob, SMALL)
    const received = await lastFile(bob, ada)
    await eventually(() => network.objects.count('put') === 2, 'two nodes have it')
    const keepers = [0, 1, 2].filter(node => network.objects.at(node).size > 0)
    expect(keepers).toHaveLength(2)
    network.objects.at(keepers[0]!).clear()
    expect((await contentOf(bob, received)).equals(SMALL)).toBe(true)
  })

  test('sent again by its owner is not uploaded again', async () => {
    const { network, ada, bob } = await pair()
    await sendFile(ada, bob, LARGE)
    await lastFile(bob, ada)
    const uploaded = network.objects.uploadedBytes
    const again = await sendFile(ada, bob, LARGE, 'other-name.bin')
    await eventually(async () => (await stateOf(ada, bob, again)).state !== 'waiting', 'it is sent')
    expect(network.objects.uploadedBytes).toBe(uploaded)
    // Of the same size, with another end.
    const other = LARGE.slice()
    other[other.length - 1]! ^= 1
    await sendFile(ada, bob, other)
    await eventually(async () => (await bob.messages(ada)).length === 3, 'three files')
    expect((await contentOf(bob, (await bob.messages(ada)).at(-1)!)).equals(other)).toBe(true)
    expect(network.objects.uploadedBytes).toBeGreaterThan(uploaded)
  })

  test('past the limit is refused, and leaves nothing', async () => {
    const { ada, bob } = await pair()
    const huge = { size: 101 * 1024 * 1024 } as Blob
    const sending = ada.engine.files.send(await chatWith(ada, bob), huge, { name: 'huge' })
    await expect(sending).rejects.toMatchObject({ code: 'file-too-large' })
    expect(ada.objects.entries.size).toBe(0)
    expect(await ada.messages(bob)).toEqual([])
  })

  test('that changes while it is read is refused, and leaves nothing', async () => {
    const { ada, bob } = await pair()
    const blob = new Blob([SMALL as Uint8Array<ArrayBuffer>])
    const changed = {
      size: blob.size + 1,
      stream: () => blob.stream(),
      slice: blob.slice.bind(blob)
    } as unknown as Blob
    const sending = ada.engine.files.send(await chatWith(ada, bob), changed, { name: 'log' })
    await expect(sending).rejects.toMatchObject({ code: 'file-unreadable' })
    expect(ada.objects.entries.size).toBe(0)
  })
})

describe('an upload', () => {
  test('goes on after a crash with what is missing', async () => {
    const { network, ada, bob } = await pair()
    const cut = Promise.withResolvers<void>()
    network.objects.interfere = ({ what, before }) => {
      if (what !== 'part' || before < 3) return undefined
      cut.resolve()
      throw new TypeError('connection lost')
    }
    const sent = await sendFile(ada, bob, LARGE)
    await cut.promise
    expect((await stateOf(ada, bob, sent)).state).toBe('waiting')
    network.objects.interfere = () => undefined
    await ada.crash()
    expect((await contentOf(bob, await lastFile(bob, ada))).equals(LARGE)).toBe(true)
    // Each part went over the wire once, but those that were cut off.
    expect(network.objects.uploadedBytes).toBeLessThan(LARGE.length * 1.2)
  })

  test('says how far it is', async () => {
    const { ada, bob } = await pair()
    const told: FileTransfer[] = []
    ada.engine.on('transfer', transfer => told.push(transfer))
    const { id } = await sendFile(ada, bob, LARGE)
    await lastFile(bob, ada)
    const done = told.filter(({ direction }) => direction === 'upload').map(({ doneBytes }) => doneBytes)
    expect(done).toEqual([...done].sort((a, b) => a - b))
    expect(told.at(-1)).toEqual({ messageId: id, direction: 'upload', doneBytes: done.at(-1), totalBytes: done.at(-1) })
  })

  test('is stopped by the user, fails with its reason, and is sent when it is tried again', async () => {
    const { network, ada, bob } = await pair()
    const asked = Promise.withResolvers<void>()
    const held = Promise.withResolvers<undefined>()
    network.objects.interfere = ({ what }) => {
      if (what !== 'part') return undefined
      asked.resolve()
      return held.promise
    }
    const sent = await sendFile(ada, bob, LARGE)
    await asked.promise
    await ada.engine.files.stop(sent.id)
    held.resolve(undefined)
    expect(await stateOf(ada, bob, sent)).toMatchObject({ state: 'failed', problem: 'file-stopped' })
    network.objects.interfere = () => undefined
    await ada.restart()
    expect((await stateOf(ada, bob, sent)).state).toBe('failed')
    await ada.engine.messages.retry(sent.id)
    expect((await contentOf(bob, await lastFile(bob, ada))).equals(LARGE)).toBe(true)
  })

  test('fails where there is no room, and not for a node that is busy', async () => {
    const { network, ada, bob } = await pair()
    network.objects.interfere = ({ what }) => {
      if (what === 'put') return failure('busy', 503)
      return what === 'begin' ? failure('over-quota', 507) : undefined
    }
    const sent = await sendFile(ada, bob, SMALL)
    await eventually(async () => (await stateOf(ada, bob, sent)).state === 'failed', 'it fails')
    expect((await stateOf(ada, bob, sent)).problem).toBe('storage-full')
    expect([network.objects.count('put'), network.objects.count('begin')]).toEqual([1, 1])
  })
})

describe('a download', () => {
  test('goes on after a crash, and cuts off half a chunk', async () => {
    const { network, ada, bob } = await pair()
    await sendFile(ada, bob, LARGE)
    const received = await lastFile(bob, ada)
    network.objects.interfere = ({ what, before }) => {
      if (what === 'get' && before >= 1) throw new TypeError('connection lost')
      return undefined
    }
    await expect(bob.engine.files.fetch(received.id)).rejects.toMatchObject({ code: 'offline' })
    network.objects.interfere = () => undefined
    const before = network.objects.count('get')
    await bob.crash()
    expect((await contentOf(bob, received)).equals(LARGE)).toBe(true)
    expect(network.objects.count('get') - before).toBe(1)
  })

  test('leaves a node that sends something else', async () => {
    const { network, ada, bob } = await pair(3)
    await sendFile(ada, bob, SMALL)
    const received = await lastFile(bob, ada)
    await eventually(() => network.objects.count('put') === 2, 'two nodes have it')
    let lies = 0
    network.objects.interfere = ({ what, node, hash }) => {
      if (what !== 'get' || lies > 0) return undefined
      lies++
      const bytes = network.objects.at(node).get(hash)!.slice()
      bytes[50]! ^= 1
      return new Response(bytes, { status: 206 })
    }
    expect((await contentOf(bob, received)).equals(SMALL)).toBe(true)
    expect(lies).toBe(1)
  })

  test('that nobody can serve says whether its time is over', async () => {
    const { network, ada, bob } = await pair()
    await sendFile(ada, bob, SMALL)
    const received = await lastFile(bob, ada)
    network.objects.at(0).clear()
    const gone = (reason: string) => ({ code: 'file-gone', facts: { reason } })
    await expect(bob.engine.files.fetch(received.id)).rejects.toMatchObject(gone('vanished'))
    bob.clockOffset = 31 * 24 * 60 * 60_000
    await expect(bob.engine.files.fetch(received.id)).rejects.toMatchObject(gone('expired'))
    network.down.add(0)
    await expect(bob.engine.files.fetch(received.id)).rejects.toMatchObject({ code: 'offline' })
    await expect(bob.engine.files.fetch('00'.repeat(32))).rejects.toMatchObject({ code: 'no-file' })
  })

  test('leaves nothing of itself on any device once its message is deleted for all', async () => {
    const { ada, bob } = await pair()
    const sent = await sendFile(ada, bob, SMALL, 'a.png', 'look')
    const received = await lastFile(bob, ada)
    await contentOf(bob, received)
    await lastFile(ada, bob)
    await ada.engine.amendments.deleteForAll(sent.id)
    await eventually(async () => (await stateOf(bob, ada, received)).kind === 'deleted', 'Bob hears of it')
    for (const [peer, other] of [
      [ada, bob],
      [bob, ada]
    ] as const) {
      expect(await stateOf(peer, other, received)).toMatchObject({ file: null, text: '' })
      expect(await peer.engine.files.usage()).toEqual([])
      await expect(peer.engine.files.chunk(received.id, 0)).rejects.toMatchObject({ code: 'no-file' })
    }
  })

  test('is stopped, and what a chat keeps is counted and freed', async () => {
    const { network, ada, bob } = await pair()
    await sendFile(ada, bob, LARGE)
    const received = await lastFile(bob, ada)
    const held = Promise.withResolvers<undefined>()
    network.objects.interfere = () => held.promise
    const fetching = bob.engine.files.fetch(received.id)
    await eventually(() => network.objects.count('get') === 1, 'it is asked for')
    await bob.engine.files.stop(received.id)
    held.resolve(undefined)
    await expect(fetching).rejects.toMatchObject({ code: 'file-stopped' })
    network.objects.interfere = () => undefined
    await bob.engine.files.fetch(received.id)
    const [usage] = await bob.engine.files.usage()
    expect(usage).toMatchObject({ conversationId: received.conversationId, files: 1 })
    await bob.engine.files.free(received.conversationId)
    expect(await bob.engine.files.usage()).toEqual([])
    await expect(bob.engine.files.chunk(received.id, 0)).rejects.toMatchObject({ code: 'file-not-here' })
    expect((await contentOf(bob, received)).equals(LARGE)).toBe(true)
  })
})
