/** Files and backups through a real node with its disk, beside what the same machine needs to encrypt and hash the bytes. */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createNodeCrypto } from '../../protocol/crypto/backends/node-crypto.ts'
import { createNodePeer, type NodePeer } from '../../peer/node-peer.ts'
import type { ChatMessage } from '../../peer/peer-api.ts'
import { NodeProcess, temporaryFolder } from '../support/network/real-processes/node-process.ts'
import { peerInProcess } from '../support/peer/run-peer.ts'
import { eventually } from '../support/wait-for.ts'
import { report } from './report.ts'

const MIB = 1024 * 1024
const FILE_BYTES = 64 * MIB
const PICTURE_BYTES = 300 * 1024
const PASSPHRASE = 'correct horse battery staple'
const PEER = 'AES-256-GCM and SHA-256, one after the other'
/** Rounds of the picture: the median counts. */
const PICTURES = 7

/** Measures one run of each. */
export async function benchFiles(): Promise<void> {
  const folder = temporaryFolder()
  const node = await NodeProcess.start({ flags: ['--port', '0', '--admin-port', '0'] })
  const peers: NodePeer[] = []
  const open = async (name: string): Promise<NodePeer> => {
    const peer = await createNodePeer({ dataDir: join(folder, name), nodeUrl: node.url })
    peers.push(peer)
    await peer.start()
    await peer.online(30_000)
    return peer
  }
  try {
    for (const name of ['ada', 'bob']) await register(join(folder, name), node.url, name)
    await measure(await open('ada'), await open('bob'), () => open('fresh'))
  } finally {
    for (const peer of peers) await peer.stop()
    await node.dispose()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function register(data: string, url: string, name: string): Promise<void> {
  const words = ['--data', data, '--node', url, '--json']
  await peerInProcess([...words, 'register', '--username', name])
  await eventually(
    async () => /"nameState":"(reserved|recorded)"/.test((await peerInProcess([...words, 'whoami'])).stdout),
    { what: 'the name is recorded', timeoutMs: 120_000 }
  )
}

async function measure(ada: NodePeer, bob: NodePeer, fresh: () => Promise<NodePeer>): Promise<void> {
  const serial = await serialRate()
  const rate = (what: string, seconds: number, ratio: number): void => {
    const value = FILE_BYTES / MIB / seconds
    report(what, 'MiB/s', value, { peer: PEER, peerValue: serial, target: { atLeast: ratio } })
  }
  const self = (await ada.snapshot()).me!
  await bob.people.find('@ada')
  await ada.people.mark((await bob.snapshot()).me!.accountId, { answer: 'accepted' }).catch(() => undefined)
  const { id: chat } = await bob.conversations.open(self.accountId)

  const content = new Blob([randomBytes(FILE_BYTES)])
  let message: ChatMessage | undefined
  rate(
    'files: encrypt and upload to the disk of a node',
    await seconds(async () => {
      message = await bob.files.send(chat, content, { name: 'large.bin' })
      await sent(bob, chat, message.id)
    }),
    0.5
  )
  await eventually(async () => (await received(ada)).some(({ id }) => id === message!.id), 'it arrives')
  rate('files: download and check', await seconds(() => ada.files.fetch(message!.id)), 0.5)
  rate('backup: of a file that the node keeps for somebody else', await seconds(() => ada.backup.now(PASSPHRASE)), 0.5)
  const reader = await fresh()
  rate(
    'restore: history and file',
    await seconds(async () => {
      await reader.backup.restore({ username: 'ada', passphrase: PASSPHRASE, recoveryCode: null, deviceName: 'bench' })
      await reader.files.fetch(message!.id)
    }),
    0.3
  )
  await benchPicture(ada, bob, chat)
}

async function benchPicture(ada: NodePeer, bob: NodePeer, chat: string): Promise<void> {
  const raw: number[] = []
  const ours: number[] = []
  for (let i = 0; i < PICTURES; i++) {
    const bytes = randomBytes(PICTURE_BYTES)
    raw.push(await seconds(() => overHttp(bytes)))
    ours.push(
      await seconds(async () => {
        const { id } = await bob.files.send(chat, new Blob([bytes]), { name: 'picture.jpg' })
        const arrived = Promise.withResolvers<void>()
        const stop = ada.on('message', row => row.id === id && arrived.resolve())
        if ((await received(ada)).some(row => row.id === id)) arrived.resolve()
        await arrived.promise
        stop()
        await ada.files.fetch(id)
      })
    )
  }
  const peerValue = median(raw) * 1000
  report('files: a picture of 300 KiB at its receiver, median', 'ms', median(ours) * 1000, {
    peer: 'raw HTTP upload and download of its bytes',
    peerValue,
    target: { atMost: 1.5 }
  })
}

/** MiB a second that one thread encrypts and hashes, chunk by chunk. */
async function serialRate(): Promise<number> {
  const crypto = createNodeCrypto()
  const [key, chunk] = [new Uint8Array(randomBytes(32)), new Uint8Array(randomBytes(MIB))]
  const hash = crypto.createSha256()
  const took = await seconds(async () => {
    for (let i = 0; i < FILE_BYTES / MIB; i++) {
      const nonce = new Uint8Array(12)
      nonce[0] = i
      hash.update(await crypto.aesGcmSeal(key, nonce, chunk, new Uint8Array()))
    }
  })
  hash.digest()
  return FILE_BYTES / MIB / took
}

/** Bytes to a server on loopback, and back. */
async function overHttp(bytes: Uint8Array): Promise<void> {
  let kept = Buffer.alloc(0)
  const server = createServer((request, response) => {
    if (request.method === 'GET') return void response.end(kept)
    const parts: Buffer[] = []
    request
      .on('data', (part: Buffer) => parts.push(part))
      .on('end', () => {
        kept = Buffer.concat(parts)
        response.end()
      })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await fetch(url, { method: 'PUT', body: bytes as Uint8Array<ArrayBuffer> })
  await (await fetch(url)).arrayBuffer()
  await new Promise(resolve => server.close(resolve))
}

async function sent(peer: NodePeer, chat: string, id: string): Promise<void> {
  const isSent = async (): Promise<boolean> =>
    (await peer.messages.page(chat)).some(row => row.id === id && row.state !== 'waiting')
  await eventually(isSent, { what: 'it is sent', timeoutMs: 120_000 })
}

async function received(peer: NodePeer): Promise<ChatMessage[]> {
  const [conversation] = (await peer.snapshot()).conversations
  return conversation ? peer.messages.page(conversation.id) : []
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
